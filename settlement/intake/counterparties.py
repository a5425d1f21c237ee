"""Who is on the other side of a payment, without persons (对方户名): no event names one.

A statement does not say whether a name is an office's or a person's. What may be a person's is
shortened to its first character, also where the summary repeats it; numbers as long as an identity
or bank card's lose their middle. The file as received lies encrypted in the vault.
"""

import re

#: What the name of an office, a company or an account has in it.
_OFFICE = re.compile(
    r"医|院|局|厅|部|委|司|行|社|店|所|站|厂|校|中心|政府|财政|国库|税务|基金|保险|账|户|利息|待"
)
_LONGEST_NAME = 4  # of a person, but for the names written with a dot
_NAME_DOT = re.compile(r"[·•・]")
_CARD_NUMBER = re.compile(r"(?<![0-9A-Za-z-])(\d{2})\d{11,15}([0-9]{2}|\d[Xx])(?![0-9A-Za-z-])")


def without_person(name: str | None) -> str | None:
    """Give a counterparty's name as an event may keep it."""
    if name is None:
        return None
    bare = name.strip()
    short = 1 < len(bare) <= _LONGEST_NAME and re.fullmatch(r"[\u3400-\u9fff]+", bare)
    if _NAME_DOT.search(bare) or (short and not _OFFICE.search(bare)):
        return f"{bare[0]}**"
    return _without_cards(name)


def summary_without_person(summary: str | None, name: str | None) -> str | None:
    """Give a summary as an event may keep it: the counterparty's name is as short there."""
    if summary is None:
        return None
    kept = without_person(name)
    if name is not None and kept is not None and kept != name:
        summary = summary.replace(name.strip(), kept)
    return _without_cards(summary)


def _without_cards(text: str) -> str:
    return _CARD_NUMBER.sub(r"\1***\2", text)
