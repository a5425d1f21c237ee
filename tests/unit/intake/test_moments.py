"""Days, months and moments as files write them."""

from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ledger.domain.period import Period
from settlement.intake.cells import BadCell
from settlement.intake.moments import (
    parse_date,
    parse_day,
    parse_moment,
    parse_month,
    parse_year,
)

at = datetime.fromisoformat
JAN5 = date(2023, 1, 5)
SERIAL_JAN5 = 44931


@pytest.mark.parametrize(
    "cell",
    [
        "2023-01-05",
        "2023-1-5",
        "2023/1/5",
        "2023/01/05",
        "2023.1.5",
        "20230105",
        "2023年1月5日",
        "２０２３－０１－０５",
        " 2023-01-05\u3000",
        "2023-01-05 00:00:00",
        "2023/1/5 0:00",
        JAN5,
        at("2023-01-05T00:00:00"),
        20230105,
        20230105.0,
        SERIAL_JAN5,
        float(SERIAL_JAN5),
    ],
)
def test_reads_a_date(cell):
    assert parse_date(cell) == JAN5
    assert parse_day(cell) == JAN5


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2023-02-29", "impossible_date"),
        ("2023-13-01", "impossible_date"),
        ("20230230", "impossible_date"),
        ("2023-02-30", "impossible_date"),
        ("2023-01-05 25:00:00", "impossible_date"),
        (20231301, "impossible_date"),
        ("1989-12-31", "date_out_of_range"),
        ("2101-01-01", "date_out_of_range"),
        (date(1900, 1, 1), "date_out_of_range"),
        (at("2150-01-01T00:00:00"), "date_out_of_range"),
        (100, "date_out_of_range"),
        ("2023-01", "not_a_date"),
        ("2023/1-5", "not_a_date"),
        ("05/01/2023", "not_a_date"),
        ("44931", "not_a_date"),
        ("2023-W01-1", "not_a_date"),
        ("昨天", "not_a_date"),
        (0, "not_a_date"),
        (-5, "not_a_date"),
        (1e12, "not_a_date"),
        (float("nan"), "not_a_date"),
        (time(3, 4), "not_a_date"),
        (timedelta(1), "not_a_date"),
        (True, "boolean_cell"),
        ("#N/A", "formula_error"),
        ("2023-01-05 12:30:00", "time_not_allowed"),
        (at("2023-01-05T12:30:00"), "time_not_allowed"),
        (SERIAL_JAN5 + 0.5, "time_not_allowed"),
    ],
)
def test_refuses_what_is_no_date(cell, code):
    with pytest.raises(BadCell) as refused:
        parse_date(cell)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2023-01-05 12:30:01", at("2023-01-05T12:30:01")),
        ("2023-01-05T12:30:01", at("2023-01-05T12:30:01")),
        ("2023/1/5 9:05", at("2023-01-05T09:05:00")),
        ("2023-01-05 12:30:01.0", at("2023-01-05T12:30:01")),
        ("20230105123001", at("2023-01-05T12:30:01")),
        ("2023年1月5日 12:30", at("2023-01-05T12:30:00")),
        ("2023-01-05", at("2023-01-05T00:00:00")),
        (at("2023-01-05T12:30:00.999999"), at("2023-01-05T12:30:01")),
        (SERIAL_JAN5 + 0.75, at("2023-01-05T18:00:00")),
    ],
)
def test_reads_a_moment(cell, moment):
    assert parse_moment(cell) == moment
    assert parse_day(cell) == moment.date()


@pytest.mark.parametrize(
    "cell",
    ["2023-01-05 12:30:01+08:00", "2023-01-05+08:00:00", "2023-W01-1 12:30:01", "2023-01-05 1230"],
)
def test_refuses_other_writings_of_a_moment(cell):
    with pytest.raises(BadCell) as refused:
        parse_moment(cell)
    assert refused.value.code == "not_a_date"


@pytest.mark.parametrize(
    "cell",
    [
        "2023-01",
        "2023/1",
        "2023.01",
        "202301",
        "2023年1月",
        "2023年01月份",
        "２０２３０１",
        202301,
        202301.0,
        "2023-01-31",
        "20230131",
        JAN5,
        at("2023-01-31T23:59:00"),
        SERIAL_JAN5,
    ],
)
def test_reads_a_month(cell):
    assert parse_month(cell) == Period(2023, 1)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2023-13", "not_a_month"),
        ("202300", "not_a_month"),
        (202313, "not_a_month"),
        (202301.5, "not_a_month"),
        ("一月", "not_a_month"),
        ("1-2023", "not_a_month"),
        ("1889-01", "date_out_of_range"),
        (True, "boolean_cell"),
    ],
)
def test_refuses_what_is_no_month(cell, code):
    with pytest.raises(BadCell) as refused:
        parse_month(cell)
    assert refused.value.code == code


@pytest.mark.parametrize("cell", ["2022", "2022年", "2022年度", 2022, 2022.0])
def test_reads_a_year(cell):
    assert parse_year(cell) == 2022


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("22", "not_an_integer"),
        ("2022.5", "not_an_integer"),
        (2022.5, "not_an_integer"),
        ("1980", "number_out_of_range"),
        (True, "boolean_cell"),
    ],
)
def test_refuses_what_is_no_year(cell, code):
    with pytest.raises(BadCell) as refused:
        parse_year(cell)
    assert refused.value.code == code


@pytest.mark.parametrize("parse", [parse_date, parse_day, parse_moment, parse_month, parse_year])
@pytest.mark.parametrize("cell", ["", " ", "\u3000", None])
def test_an_empty_cell_is_none(parse, cell):
    assert parse(cell) is None


DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@examples(100)
@given(DAYS, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日"]))
def test_every_day_reads_back(day, form):
    assert parse_date(day.strftime(form)) == day


@examples(100)
@given(DAYS)
def test_every_serial_number_reads_back(day):
    assert parse_date((day - date(1899, 12, 30)).days) == day


@examples(100)
@given(st.datetimes(at("1990-01-01T00:00:00"), at("2100-12-31T00:00:00")))
def test_every_second_reads_back(moment):
    moment = moment.replace(microsecond=0)
    assert parse_moment(moment.isoformat(" ")) == moment


@examples(100)
@given(DAYS)
def test_every_month_reads_back(day):
    period = Period.of(day)
    assert parse_month(str(period)) == period
    assert parse_month(str(period).replace("-", "")) == period
    assert parse_month(int(str(period).replace("-", ""))) == period


@examples(100)
@given(st.text(max_size=24))
def test_any_text_is_a_moment_or_refused_by_name(text):
    for parse in (parse_date, parse_moment, parse_month):
        with suppress(BadCell):
            assert parse(text) is None or not text.isspace()
