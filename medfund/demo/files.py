"""Writes flows as clerks' files look: CSV and .xlsx, two encodings, Chinese and English heads."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from ledger.domain.money import format_yuan
from medfund.demo.institutions import AREA_CODE, AREA_NAME
from medfund.demo.sheet import Flow

_COLUMNS = {
    "doc_no": "单据号",
    "date": "入账日期",
    "area": "统筹区",
    "fund": "险种",
    "item": "项目",
    "amount": "金额",
    "belongs_to": "费款所属期",
    "counterparty": "对方单位",
    "counterparty_fund": "对方险种",
    "money_account": "资金账户",
    "original_doc": "原单据号",
    "original_year": "原支付年度",
    "method": "方式",
    "account": "科目",
    "channel": "渠道",
    "person_class": "人员类别",
    "note": "备注",
}
#: xlsx files carry their creation date; a fixed one keeps the bytes a matter of the seed alone.
_CREATED = datetime(2023, 11, 1, tzinfo=UTC)
_TOTAL = "合计"


def write_flows(stem: Path, *, flows: list[Flow], style: int) -> Path:
    """Write one file in one of four styles, with its control totals in the last row."""
    return (_english_csv, _gbk_csv, _workbook, _bom_csv)[style % 4](stem, flows)


def _english_csv(stem: Path, flows: list[Flow]) -> Path:
    return _csv(stem, flows, encoding="utf-8", heads=list(_COLUMNS), day=date.isoformat)


def _gbk_csv(stem: Path, flows: list[Flow]) -> Path:
    heads = list(_COLUMNS.values())
    return _csv(stem, flows, encoding="gb18030", heads=heads, day=_slashed, grouped=True)


def _bom_csv(stem: Path, flows: list[Flow]) -> Path:
    heads = list(_COLUMNS.values())
    return _csv(stem, flows, encoding="utf-8-sig", heads=heads, day=_digits)


def _csv(
    stem: Path,
    flows: list[Flow],
    *,
    encoding: str,
    heads: list[str],
    day: Callable[[date], str],
    grouped: bool = False,
) -> Path:
    lines = [heads]
    for flow in flows:
        cells = _cells(flow)
        cells["date"], cells["amount"] = day(flow.day), format_yuan(flow.fen, grouped=grouped)
        lines.append(list(cells.values()))
    total = _total(flows) | {"amount": format_yuan(_sum(flows), grouped=grouped)}
    lines.append([total.get(column, "") for column in _COLUMNS])
    path = stem.with_suffix(".csv")
    text = "".join(",".join(map(_quoted, line)) + "\r\n" for line in lines)
    path.write_bytes(text.encode(encoding))
    return path


def _workbook(stem: Path, flows: list[Flow]) -> Path:
    """Write a workbook with a title above the head, real dates and real numbers."""
    path = stem.with_suffix(".xlsx")
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": _CREATED})
    sheet = book.add_worksheet("基金收支流水")
    day_format = book.add_format({"num_format": "yyyy-mm-dd"})
    amount_format = book.add_format({"num_format": "#,##0.00"})
    sheet.write_string(0, 0, f"{AREA_NAME}医疗保障基金收支流水")
    for column, head in enumerate(_COLUMNS.values()):
        sheet.write_string(1, column, head)
    day_at, amount_at = (list(_COLUMNS).index(name) for name in ("date", "amount"))
    for row, flow in enumerate(flows, start=2):
        for column, text in enumerate(_cells(flow).values()):
            if text:
                sheet.write_string(row, column, text)
        sheet.write_datetime(row, day_at, flow.day, day_format)
        sheet.write_number(row, amount_at, _yuan(flow.fen), amount_format)
    for column, name in enumerate(_COLUMNS):
        if name in (total := _total(flows)):
            sheet.write_string(len(flows) + 2, column, total[name])
    sheet.write_number(len(flows) + 2, amount_at, _yuan(_sum(flows)), amount_format)
    book.close()
    return path


def _cells(flow: Flow) -> dict[str, str]:
    """Give a flow's texts by column; date and amount are written by each style in its way."""
    filled = {"area": AREA_CODE, "date": "", "amount": ""}
    return {
        column: filled[column] if column in filled else str(getattr(flow, column))
        for column in _COLUMNS
    }


def _total(flows: list[Flow]) -> dict[str, str]:
    return {"doc_no": _TOTAL, "note": str(len(flows))}


def _sum(flows: Iterable[Flow]) -> int:
    return sum(flow.fen for flow in flows)


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _slashed(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _digits(day: date) -> str:
    return day.strftime("%Y%m%d")


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text
