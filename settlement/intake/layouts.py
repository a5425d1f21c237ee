"""Banks' statements in their own layout (对账单格式): a profile of the setup as a file format.

A profile's heads stand in place of ours for the columns it names; the other columns keep theirs.
Every column that it names must be in the file.
"""

from collections.abc import Iterator
from dataclasses import replace

from settlement.banking import BankLayout, Banks
from settlement.intake.columns import BANK_STATEMENT, DIRECTION, PAID_APART, Column, Kind
from settlement.intake.rejections import refuse


def layouts_of(banks: Banks, profile: str | None = None) -> list[Kind]:
    """Give the area's layouts as formats, or the one that a person named; FileRefused if there is none."""
    if profile is None:
        return [layout_kind(layout) for layout in banks.layouts.values()]
    if profile not in banks.layouts:
        raise refuse("unknown_layout", profile=profile, profiles=tuple(banks.layouts) or ("-",))
    return [layout_kind(banks.layouts[profile])]


def layout_kind(layout: BankLayout) -> Kind:
    """Make the format of one profile."""
    return replace(BANK_STATEMENT, columns=tuple(_columns(layout)), layout=layout.name)


def _columns(layout: BankLayout) -> Iterator[Column]:
    for column in BANK_STATEMENT:
        if column.key != "amount":
            required = column.key == "date" or column.key in layout.heads
            empty = required and not (column.required and not column.may_be_empty)
            yield _named(replace(column, required=required, may_be_empty=empty), layout)
        elif "paid_in" in layout.heads:
            yield from (_named(one, layout) for one in PAID_APART)
        else:
            yield _named(column, layout)
            if "direction" in layout.heads:
                yield _named(DIRECTION, layout)


def _named(column: Column, layout: BankLayout) -> Column:
    head = layout.heads.get(column.key)
    return column if head is None else replace(column, zh=head, aliases=())
