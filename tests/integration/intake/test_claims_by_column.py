"""A claims file ends in the same events however it is written, read and interrupted."""

from datetime import date

import msgspec
import pytest
import xlsxwriter
from support.office import AREA, H1, H2, open_office

from ledger.domain.identity import claim_stream
from ledger.events.base import Envelope
from ledger.store.commit import Commit
from settlement.intake import claim_check, post_claims

HEADS = (
    *("setl_id", "psn_no", "insutype", "fixmedins_code", "med_type", "clr_type", "setl_time"),
    *("medfee_sumamt", "hifp_pay", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"),
    *("refd_setl_flag", "days"),
)


def settlement(number, **changes):
    row = {
        "setl_id": f"330604S{number:06d}",
        "psn_no": f"P{number % 7:04d}",
        "insutype": "310" if number % 3 else "390",
        "fixmedins_code": H1 if number % 2 else H2,
        "med_type": "21",
        "clr_type": "21",
        "setl_time": f"2023-10-{1 + number % 28:02d} 12:30:00",
        "medfee_sumamt": "100.00",
        "hifp_pay": "60.00",
        "fund_pay_sumamt": "60.00",
        "acct_pay": "10.00",
        "psn_cash_pay": "30.00",
        "refd_setl_flag": "0",
        "days": "3" if number % 2 else "",
    }
    return row | changes


def refund(number):
    row = settlement(number)
    mirrored = {key: f"-{cell}" for key, cell in row.items() if cell.endswith(".00")}
    return row | mirrored | {"refd_setl_flag": "1"}


#: A repeated row, a refund of a row of the file, and rows written in other ways.
ROWS = [
    *(settlement(number) for number in range(1, 40)),
    refund(5),
    settlement(7),
    settlement(50, medfee_sumamt="100.0", setl_time="2023/10/5 12:30"),
    settlement(51, insutype="居民医保", fixmedins_code=H1.lower(), hifp_pay=" 60 "),
]


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path, today=date(2023, 11, 15)) as office:
        office.setup("310", "390")
        yield office


def text(rows, coding="utf-8", quote=""):
    lines = [
        ",".join(HEADS),
        *(",".join(f"{quote}{row[key]}{quote}" for key in HEADS) for row in rows),
    ]
    return ("\n".join(lines) + "\n").encode(coding)


def events(office):
    """Give the claims of the log: where they stand, and what they say but for their intake."""
    found = []
    for row in office.ledger.log.read_page(after=0, limit=10_000):
        if row.topic.startswith("claim."):
            fact = msgspec.json.decode(row.state)
            fact["source"].pop("intake")
            found.append((row.originator_id, row.originator_version, row.topic, fact))
    return found


def bring(office, name, data, **how):
    path = office.folder / name
    path.write_bytes(data)
    return office.bring(path, **how)


def test_the_same_rows_written_in_other_ways_are_the_same_settlements(office, tmp_path):
    first = bring(office, "a.csv", text(ROWS))
    assert (first.posted, first.already, first.rejected) == (len(ROWS) - 1, 1, 0)
    said = events(office)
    assert len(said) == len(ROWS) - 1
    ways = {"quoted.csv": text(ROWS, quote='"'), "gb.csv": text(ROWS, "gb18030")}
    for name, data in ways.items():
        again = bring(office, name, data)
        assert (again.posted, again.already, again.rejected) == (0, len(ROWS), 0)
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate([HEADS, *([row[key] for key in HEADS] for row in ROWS)]):
            for column, cell in enumerate(cells):
                sheet.write_string(line, column, cell)
    again = office.bring(tmp_path / "book.xlsx")
    assert (again.posted, again.already, again.rejected) == (0, len(ROWS), 0)
    assert events(office) == said


def test_a_file_too_large_to_hold_is_read_again(office, monkeypatch):
    """Deliberate defect it finds: repeated rows left in when the file is read again."""
    monkeypatch.setattr(claim_check, "_HOLD_BYTES", 0)
    monkeypatch.setattr(post_claims, "CHUNK", 7)
    outcome = bring(office, "a.csv", text(ROWS))
    assert (outcome.posted, outcome.already) == (len(ROWS) - 1, 1)
    assert sorted(fact["source"]["line"] for *_, fact in events(office)) == [
        line for line, row in enumerate(ROWS, start=2) if line != ROWS.index(refund(5)) + 3
    ]


def test_rows_that_somebody_posts_meanwhile_are_left_to_them(office, monkeypatch):
    """Deliberate defect it finds: a conflict that looks up only what stood before."""
    monkeypatch.setattr(post_claims, "CHUNK", 10)
    rows = [settlement(number) for number in range(1, 31)]
    other = settlement(15)

    def post_one_by_hand(done, _total):
        if done != 10:
            return
        stream = claim_stream(AREA, other["setl_id"], refund=False)
        (template, *_) = [
            envelope.fact
            for _, envelope in office.ledger.facts()
            if envelope.fact.TOPIC == "claim.settled.v1"
        ]
        fact = msgspec.structs.replace(template, setl_id=other["setl_id"])
        office.ledger.append([Envelope(stream, 1, fact)], Commit("by hand", "-"))

    outcome = bring(office, "a.csv", text(rows), progress=post_one_by_hand)
    assert outcome.posted + outcome.already == 30
    assert len(events(office)) == len({stream for stream, *_ in events(office)}) == 30


def test_a_settlement_reversed_before_is_posted_as_the_next_of_its_stream(office):
    rows = [settlement(number) for number in range(1, 12)]
    bring(office, "a.csv", text(rows))
    office.reverse(rows[3]["setl_id"])
    again = bring(office, "b.csv", text(rows, quote='"'))
    assert (again.posted, again.already) == (1, 10)
    history = office.ledger.history(claim_stream(AREA, rows[3]["setl_id"], refund=False))
    assert [one.originator_version for _, one in history] == [1, 2, 3]


def test_many_tokens_are_those_of_each_person(office):
    numbers = ["", "330604199001011234", "工号1", "x" * 200]
    version = office.vault.current_key("person")[0]
    one_by_one = [office.vault.person_token(number, version)[0] for number in numbers]
    assert office.vault.person_tokens(numbers, version) == one_by_one
