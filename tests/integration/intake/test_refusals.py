"""Documents that no posting rule fits are listed row by row; nothing of their file is posted."""

from pathlib import Path

import pytest

HEADS = "doc_no,date,area,fund,item,amount,account"


def bring(book, path: Path, *rows: str):
    path.write_text("\n".join([HEADS, *rows]) + "\n", encoding="utf-8")
    return book("intake", path, "--json", user="clerk1").json["files"][0]


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("opening of income", ["D1,2023-01-31,330604,390,opening_balance,5.00,income.other"]),
        ("suspense into itself", ["D1,2023-01-31,330604,390,suspense_settle,5.00,暂收款"]),
        (
            "money reclassified",
            [
                "D1,2023-01-31,330604,390,reclassification,5.00,财政专户",
                "D1,2023-01-31,330604,390,reclassification,-5.00,支出户",
            ],
        ),
        (
            "sides mixed",
            [
                "D1,2023-01-31,330604,390,reclassification,5.00,income.other",
                "D1,2023-01-31,330604,390,reclassification,-5.00,expense.other",
            ],
        ),
    ],
)
def test_every_row_of_it_is_rejected(book, tmp_path: Path, what: str, rows: list[str]):
    good = "G1,2023-01-31,330604,390,interest,1.00,"
    outcome = bring(book, tmp_path / "flows.csv", good, *rows)
    assert outcome["accepted"] + outcome["rejected"] == 1 + len(rows), what
    assert {one["code"] for one in outcome["rejections"]} == {"rule_not_applicable"}
    assert [one["line"] for one in outcome["rejections"]] == list(range(3, 3 + len(rows)))
    assert outcome["posted"] == 0
    assert book("balances", "--json").json["balances"] == []


def test_an_erased_file_that_comes_again_is_kept_again(book, tmp_path: Path):
    path = tmp_path / "flows.csv"
    row = "D1,2023-01-31,330604,390,interest,5.00,"
    first = bring(book, path, row)["intake"]
    assert book("keys", "erase", first, "--reason", "x", user="admin1").code == 0
    assert book("reverse", "--intake", first, user="clerk1").code == 0
    second = bring(book, path, row)
    assert (second["posted"], second["intake"]) == (1, f"{first}.2")
    copy = tmp_path / "copy.csv"
    assert book("intake", "show", second["intake"], "--original", "-o", copy).code == 0
    assert copy.read_bytes() == path.read_bytes()


def test_the_rejects_of_an_intake_can_be_written_later_corrected_and_brought_in(
    book, tmp_path: Path
):
    good, bad = "G1,2023-01-31,330604,390,interest,1.00,", "B1,2023-02-30,330604,390,interest,2.00,"
    intake = bring(book, tmp_path / "flows.csv", good, bad)["intake"]
    rejects = tmp_path / "rejects.csv"
    assert book("intake", "show", intake, "-o", rejects).code == 0
    text = rejects.read_text(encoding="utf-8-sig")
    assert "B1,2023-02-30" in text
    assert "G1" not in text
    rejects.write_text(text.replace("2023-02-30", "2023-02-28"), encoding="utf-8-sig")
    again = book("intake", rejects, "--json", user="clerk1").json["files"][0]
    assert (again["posted"], again["rejected"], again["problems"]) == (1, 0, [])


def test_one_rejects_file_is_for_one_file(book, tmp_path: Path):
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert book("intake", *files, "--partial", "-o", tmp_path / "r.csv", user="clerk1").code == 64
