"""Days, moments, months and years: from a cell to a date of ours, in local time (Asia/Shanghai)."""

import math
import re
from datetime import date, datetime, time, timedelta

from ledger.domain.period import Period
from settlement.intake.cells import BadCell, Cell, readable, whole_number

FIRST_YEAR, LAST_YEAR = 1990, 2100
_DATE = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日"
    r"|([0-9]{2})([0-9]{2}))"
)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?")
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
_COMPACT = re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})(?:[-/.]([0-9]{1,2})|年([0-9]{1,2})月份?|([0-9]{2}))")
_YEAR = re.compile(r"([0-9]{4})(?:年度?)?")
_SERIAL_EPOCH = date(1899, 12, 30)
_LAST_SERIAL = 10**5
_MIDNIGHT = time()


def parse_date(cell: Cell) -> date | None:
    """Read a date; a time of day other than midnight is refused."""
    if type(cell) is str and len(cell) == 10 and cell[4] == "-" == cell[7]:
        day = _iso_date(cell)
        if day is not None:
            return _in_range(day)
    moment = parse_moment(cell)
    if moment is not None and moment.time() != _MIDNIGHT:
        raise BadCell("time_not_allowed")
    return moment.date() if moment else None


def parse_day(cell: Cell) -> date | None:
    """Read a date whose column may carry a time of day (begndate, enddate): the day is kept."""
    if type(cell) is str and len(cell) == 10 and cell[4] == "-" == cell[7]:
        return parse_date(cell)
    moment = parse_moment(cell)
    return moment.date() if moment else None


def _iso_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_moment(cell: Cell) -> datetime | None:
    """Read a date with or without a time of day, as local time (Asia/Shanghai) without a zone."""
    if type(cell) is str:
        if len(cell) == 19 and _ISO_MOMENT.fullmatch(cell):
            moment = _iso_moment(cell)
            if moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
                return moment
        return _from_text(cell) if cell else None
    if isinstance(cell, datetime):
        _in_range(cell.date())
        # a spreadsheet's fraction of a day is off by microseconds
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0, tzinfo=None)
    if isinstance(cell, date):
        return datetime.combine(_in_range(cell), _MIDNIGHT)
    return _from_number(cell)


def _iso_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_text(cell: str) -> datetime | None:
    text = readable(cell)
    if not text:
        return None
    compact = _COMPACT.fullmatch(text)
    if compact:
        day_text, clock = compact[1], f"{compact[2]}:{compact[3]}:{compact[4]}"
    else:
        day_text, *rest = re.split(r"[T ]+", text, maxsplit=1)
        clock = rest[0] if rest else "0:00"
    found, hours = _DATE.fullmatch(day_text), _TIME.fullmatch(clock)
    if found is None or hours is None:
        raise BadCell("not_a_date")
    month, day = found[3] or found[5] or found[7], found[4] or found[6] or found[8]
    try:
        named = date(int(found[1]), int(month), int(day))
        moment = time(int(hours[1]), int(hours[2]), int(hours[3] or 0))
    except ValueError as wrong:
        raise BadCell("impossible_date") from wrong
    return datetime.combine(_in_range(named), moment)


def _from_number(cell: Cell) -> datetime | None:
    """Read a bare number in a date column: 20230105, or the serial number of a spreadsheet."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise BadCell("boolean_cell")
    if not isinstance(cell, int | float) or not math.isfinite(cell):
        raise BadCell("not_a_date")
    if cell == int(cell) and 10**7 <= cell < 10**8:
        return _from_text(str(int(cell)))
    days = int(cell // 1)
    if not 1 <= days <= _LAST_SERIAL:
        raise BadCell("not_a_date")
    day = _in_range(_SERIAL_EPOCH + timedelta(days=days))
    return datetime.combine(day, _MIDNIGHT) + timedelta(seconds=round((cell - days) * 86_400))


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadCell("date_out_of_range", first_year=FIRST_YEAR, last_year=LAST_YEAR)
    return day


def parse_month(cell: Cell) -> Period | None:
    """Read a month (所属期): ``2023-01``, ``202301``, ``2023年1月``, or any date in it."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 10**5 < cell < 10**6:
        cell = whole_number(cell, "not_a_month")  # 202301, above the last serial number
    if isinstance(cell, str):
        text = readable(cell)
        found = _MONTH.fullmatch(text)
        if found:
            return _month(int(found[1]), int(found[2] or found[3] or found[4]))
    try:
        moment = parse_moment(cell)
    except BadCell as bad:
        raise BadCell("not_a_month") if bad.code == "not_a_date" else bad from bad
    return Period.of(moment.date()) if moment else None


def _month(year: int, month: int) -> Period:
    if not 1 <= month <= 12:
        raise BadCell("not_a_month")
    return Period.of(_in_range(date(year, month, 1)))


def parse_year(cell: Cell) -> int | None:
    """Read a year: ``2022``, ``2022年``, ``2022年度``."""
    if cell is None:
        return None
    text = readable(cell) if isinstance(cell, str) else whole_number(cell, "not_an_integer")
    if not text:
        return None
    found = _YEAR.fullmatch(text)
    if not found:
        raise BadCell("not_an_integer")
    year = int(found[1])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadCell("number_out_of_range", lowest=FIRST_YEAR, highest=LAST_YEAR)
    return year
