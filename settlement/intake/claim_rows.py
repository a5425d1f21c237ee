"""One row of a ``claims`` file (医保结算明细): typed, or rejected with everything wrong with it.

A month has a million rows, so the clean row goes through one loop over parsers and a handful of
integer comparisons; only a row that fails is examined cell by cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ledger.domain.fund import is_institution
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser, choice, choice_or_code
from settlement.intake.columns import CLAIMS, Form
from settlement.intake.heads import Head
from settlement.intake.moments import parse_day, parse_moment
from settlement.intake.places import Places, home_digits
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader, head_of
from settlement.intake.vocabulary import by_word

#: The parts of ``fund_pay_sumamt``, one per paying fund (corrections: which fund owes).
FUND_PARTS = (
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "hifdm_pay",
    "maf_pay",
    "oth_pay",
)


class ClaimRow(msgspec.Struct, frozen=True, gc=False):
    """One settlement (结算) as its row tells it; amounts are fen, empty cells None.

    ``psn_no`` names a person: it must become a keyed token before anything is stored.
    ``setl_time`` is local time (Asia/Shanghai).
    """

    line: int
    setl_id: str
    mdtrt_id: str | None
    psn_no: str
    insutype: str
    fixmedins_code: str
    med_type: str
    clr_type: str
    clr_way: str | None
    setl_time: datetime
    begndate: date | None
    enddate: date | None
    medfee_sumamt: int
    fulamt_ownpay_amt: int | None
    overlmt_selfpay: int | None
    preselfpay_amt: int | None
    inscp_scp_amt: int | None
    act_pay_dedc: int | None
    hifp_pay: int | None
    cvlserv_pay: int | None
    hifes_pay: int | None
    hifmi_pay: int | None
    hifob_pay: int | None
    maf_pay: int | None
    oth_pay: int | None
    fund_pay_sumamt: int
    acct_pay: int
    psn_cash_pay: int
    hosp_part_amt: int | None
    refd_setl_flag: int
    acct_mulaid_pay: int | None
    hifdm_pay: int | None
    psn_type: str | None
    maf_psn_type: str | None
    mdtrt_cert_type: str | None
    pay_chnl: str | None
    pay_loc: str | None
    insuplc_admdvs: str | None
    mdtrtarea_admvs: str | None
    dise_code: str | None
    days: int | None
    dscg_way: str | None

    @property
    def is_refund(self) -> bool:
        """退费结算: mirrors its original with negative amounts."""
        return self.refd_setl_flag == 1

    @property
    def key(self) -> tuple[str, bool]:
        """A settlement and its refund may share an id; the flag tells them apart."""
        return self.setl_id, self.is_refund

    def fund_parts(self) -> dict[str, int]:
        """Give the parts of ``fund_pay_sumamt`` that are not nil.

        A row without any part leaves no doubt only about the sum: it is taken as 统筹基金
        (``hifp_pay``), the part that every settlement has.
        """
        given = {name: getattr(self, name) for name in FUND_PARTS}
        if all(fen is None for fen in given.values()):
            given = {"hifp_pay": self.fund_pay_sumamt}
        return {name: fen for name, fen in given.items() if fen}

    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands: equal content is the same fact."""
        return msgspec.structs.astuple(self)[1:]


_KEYS = tuple(column.key for column in CLAIMS)
_AT = {key: place for place, key in enumerate(_KEYS)}
AMOUNTS = tuple(column.key for column in CLAIMS if column.form is Form.AMOUNT)
#: Amounts that a refund mirrors; what only informs (起付线, 自费) may keep its sign.
MIRRORED = (
    "medfee_sumamt",
    *FUND_PARTS,
    "fund_pay_sumamt",
    "acct_pay",
    "psn_cash_pay",
    "hosp_part_amt",
)
#: The whole of a settlement and the shares that it is made of.
IDENTITY = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "hosp_part_amt")
_FLAG_AT = _AT["refd_setl_flag"]
_AMOUNT_PLACES = tuple(_AT[key] for key in AMOUNTS)
_MIRRORED_PLACES = tuple(_AT[key] for key in MIRRORED)
_PART_PLACES = tuple(_AT[key] for key in FUND_PARTS)
_ROLE_PLACES = tuple(_AT[key] for key in ("insuplc_admdvs", "mdtrtarea_admvs", "fixmedins_code"))
_IDENTITY_PLACES = tuple(_AT[key] for key in IDENTITY)

_Fault = tuple[str, str, dict[str, Any]]


def _institution(known: frozenset[str], *, area: str) -> Parser:
    """Read an institution; our own are registered, those where 异地就医 takes people cannot be."""
    home = home_digits(area)

    def parse(cell: Cell) -> str | None:
        if type(cell) is str and cell in known:
            return cell
        code = read.parse_identifier(cell)
        if code is None:
            return None
        code = read.plain(code).upper()
        if not is_institution(code):
            raise BadCell("malformed_institution")
        if known and code not in known and code.startswith(home, 1):
            raise BadCell("unknown_institution")
        return code

    return parse


def _region(cell: Cell) -> str | None:
    code = read.parse_code(cell, limit=6)
    if code is not None and not (len(code) == 6 and code.isdecimal()):
        raise BadCell("malformed_area")
    return code


def _parsers(context: CheckContext) -> dict[str, Parser]:
    by_form: Mapping[Form, Parser] = {
        Form.IDENTIFIER: read.parse_identifier,
        Form.CODE: read.parse_code,
        Form.TEXT: read.parse_text,
        Form.AMOUNT: parse_amount,
        Form.DATE: parse_day,
        Form.TIME: parse_moment,
        Form.INTEGER: read.parse_integer,
        Form.FLAG: read.parse_flag,
    }
    special = {
        "insutype": choice(by_word(vocabulary.INSUTYPE_WORDS)),
        "fixmedins_code": _institution(context.institutions, area=context.area),
        "med_type": choice_or_code(by_word(vocabulary.MED_TYPE_WORDS)),
        "clr_type": choice_or_code(by_word(vocabulary.CLR_TYPE_WORDS)),
        "clr_way": choice_or_code(by_word(vocabulary.CLR_WAY_WORDS)),
        "mdtrt_cert_type": choice_or_code({}, digits=2),
        "insuplc_admdvs": _region,
        "mdtrtarea_admvs": _region,
    }
    return {column.key: special.get(column.key, by_form[column.form]) for column in CLAIMS}


class ClaimChecker:
    """Checks the rows of one ``claims`` table against one book."""

    def __init__(self, head: Head, context: CheckContext) -> None:
        self.reader = RowReader(head, _parsers(context))
        self.places = Places(context.area, context.places, context.institutions)
        #: The first moment that is too late: two days ahead, for the clock of another place.
        self.latest = datetime.combine(context.today + timedelta(days=2), datetime.min.time())

    def check(self, line: int, cells: Sequence[Cell]) -> ClaimRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values = self.reader.values(cells)
        if values is not None and self._adds_up(values):
            values[_FLAG_AT] = values[_FLAG_AT] or 0
            return ClaimRow(line, *values)
        return self._rejections(line, cells)

    def _adds_up(self, values: list[Any]) -> bool:
        """Test everything between the cells of a row that reads; ``_faults`` says what fails."""
        medfee, fund, acct, cash, hosp = [values[place] for place in _IDENTITY_PLACES]
        if medfee != fund + acct + cash + (hosp or 0):
            return False
        parts = [part for place in _PART_PLACES if (part := values[place]) is not None]
        if parts and sum(parts) != fund:
            return False
        if values[_FLAG_AT]:
            if any((values[place] or 0) > 0 for place in _MIRRORED_PLACES):
                return False
        else:
            for place in _AMOUNT_PLACES:
                fen = values[place]
                if fen is not None and fen < 0:
                    return False
        begin, end = values[_AT["begndate"]], values[_AT["enddate"]]
        if begin is not None and end is not None and end < begin:
            return False
        in_time = bool(values[_AT["setl_time"]] < self.latest)
        return in_time and self.places.role(*(values[at] for at in _ROLE_PLACES)) is not None

    def _rejections(self, line: int, cells: Sequence[Cell]) -> tuple[Rejection, ...]:
        values, rejections = self.reader.examine(line, cells)
        bad = {rejection.field for rejection in rejections}
        row = dict(zip(_KEYS, values, strict=True))
        for key, code, facts in self._faults(row, bad):
            rejections.append(self.reader.rejection(line, cells, key, code, facts))
        return tuple(rejections)

    def _faults(self, row: dict[str, Any], bad: set[str]) -> Iterator[_Fault]:
        yield from _sum_faults(row, bad)
        if "refd_setl_flag" not in bad:
            yield from _sign_faults(row)
        begin, end = row["begndate"], row["enddate"]
        if begin is not None and end is not None and end < begin:
            yield "enddate", "end_before_begin", {"begndate": begin.isoformat()}
        yield from self._place_faults(row, bad)
        if row["setl_time"] is not None and row["setl_time"] >= self.latest:
            limit = (self.latest - timedelta(days=1)).date().isoformat()
            yield "setl_time", "date_in_future", {"limit": limit}

    def _place_faults(self, row: dict[str, Any], bad: set[str]) -> Iterator[_Fault]:
        """Neither insured nor treated here: another area's settlement (异地就医)."""
        deciding = ("insuplc_admdvs", "mdtrtarea_admvs", "fixmedins_code")
        known = [row[key] for key in deciding]
        if bad.isdisjoint(deciding) and known[2] and self.places.role(*known) is None:
            yield "insuplc_admdvs", "not_of_this_area", {"area": self.places.area}


def _sum_faults(row: dict[str, Any], bad: set[str]) -> Iterator[_Fault]:
    fund = row["fund_pay_sumamt"]
    sides = {key: row[key] for key in ("medfee_sumamt", "acct_pay", "psn_cash_pay")}
    readable = not bad & {*sides, "fund_pay_sumamt", "hosp_part_amt"}
    if readable and fund is not None and None not in sides.values():
        medfee, acct, cash = sides.values()
        hosp = row["hosp_part_amt"] or 0
        difference = medfee - fund - acct - cash - hosp
        if difference:
            yield (
                "medfee_sumamt",
                "amounts_do_not_add_up",
                {
                    "medfee_fen": medfee,
                    "fund_fen": fund,
                    "acct_fen": acct,
                    "cash_fen": cash,
                    "hosp_fen": hosp,
                    "difference_fen": difference,
                },
            )
    parts = [row[key] for key in FUND_PARTS if row[key] is not None]
    if fund is None or not parts or bad & {*FUND_PARTS, "fund_pay_sumamt"}:
        return
    if sum(parts) != fund:
        facts = {"fund_fen": fund, "parts_fen": sum(parts), "difference_fen": fund - sum(parts)}
        yield "fund_pay_sumamt", "parts_do_not_add_up", facts


def _sign_faults(row: dict[str, Any]) -> Iterator[_Fault]:
    refund = row["refd_setl_flag"] == 1
    for key in MIRRORED if refund else AMOUNTS:
        fen = row[key]
        if fen is not None and (fen > 0 if refund else fen < 0):
            yield key, "wrong_sign", {"flag": int(refund)}


def check_claim(
    cells: Mapping[str, Cell], *, line: int, context: CheckContext
) -> ClaimRow | tuple[Rejection, ...]:
    """Check a single settlement given by column."""
    checker = ClaimChecker(head_of(CLAIMS, tuple(cells)), context)
    return checker.check(line, tuple(cells.values()))
