"""The columns of every fact there is, and that none of them gets lost between the rooms."""

import msgspec
import pytest

from ledger.archive.columns import (
    HEAD,
    STATE,
    Columnar,
    columns_of,
    required_columns,
    schema_of,
)
from ledger.events.base import Source
from ledger.events.claim import DETAILS, ClaimAmounts, ClaimSettled
from ledger.events.registry import CATALOGUE, UnknownTopic
from settlement.intake.columns import CLAIMS

#: Columns of a claims file that a settlement keeps as fields of its own, or as a token.
OWN = {"setl_id", "psn_no", "insutype", "fixmedins_code", "med_type", "clr_type", "refd_setl_flag"}


def test_known_details_are_those_of_the_claims_file():
    """What a file may say is an amount, a field of its own, or a detail with a column here."""
    said = {column.key for column in CLAIMS} - {*ClaimAmounts.__struct_fields__} - OWN
    assert {*DETAILS} == said | {"setl_time"}
    assert {*DETAILS} <= {one.name for one in columns_of(ClaimSettled)}


@pytest.mark.parametrize("topic", CATALOGUE)
def test_every_fact_has_columns_with_names_of_their_own(topic):
    names = schema_of(topic).names
    assert len(names) == len({*names})
    assert names[: len(HEAD)] == [*HEAD]
    assert names[-1] == STATE
    assert required_columns(topic) <= {*names}


@pytest.mark.parametrize("topic", CATALOGUE)
def test_what_has_no_column_is_named_here(topic):
    fact = CATALOGUE[topic]
    columns = {one.path[0] for one in columns_of(fact)}
    without = {*fact.__struct_fields__} - columns
    lists = {  # of values that are neither scalars nor postings: in state only
        *("settlements", "payments", "groups", "breaks", "accounts"),
        *("lines", "parts", "offsets", "held", "kinds", "amounts"),
        *("details", "funds", "differences", "flagged", "unjudged"),
        *("open", "confirmed_fen"),
        *("year_before", "paid_before", "cost", "facts", "gate", "budget", "left"),
    }
    assert without <= {"plan", "options", "content", *lists}
    nested = {"policy.adopted.v1", "policy.proposed.v1", "document.proposed.v1"}
    assert ("content" in without) == (topic in nested)


def test_a_claim_shows_its_amounts_details_and_source_flat():
    names = schema_of("claim.settled.v1").names
    wanted = {*ClaimAmounts.__struct_fields__, *DETAILS, "postings"}
    assert wanted | {f"source_{one}" for one in Source.__struct_fields__} <= {*names}
    assert {"amounts", "details", "source"} & {*names} == set()


def test_a_field_that_is_called_like_a_column_of_the_log_keeps_apart():
    names = schema_of("key.rotated.v1").names
    assert ("version" in names, "fact_version" in names) == (True, True)


def test_a_topic_that_nobody_knows_is_refused():
    with pytest.raises(UnknownTopic):
        schema_of("nobody.knows.v1")


def test_whole_numbers_stay_whole_to_the_last_digit():
    big = 2**63 - 1
    fact = CATALOGUE["target.set.v1"](area="a", by="b", indicator="i", fund="390", year=big)
    with Columnar() as columnar:
        read = columnar.read("target.set.v1", [1], [bytes(16)], [1], [msgspec.json.encode(fact)])
    assert read.table["year"].to_pylist() == [big]
    assert read.folders.to_pylist() == ["area=a/fund=390/period=_"]


def test_a_folder_is_named_safely():
    fact = CATALOGUE["target.set.v1"](area="../..", by="b", indicator="i", fund="", year=1)
    with Columnar() as columnar:
        read = columnar.read("target.set.v1", [1], [bytes(16)], [1], [msgspec.json.encode(fact)])
    assert read.folders.to_pylist() == ["area=..%2F../fund=_/period=_"]
