"""Claims for benchmarks of the log: real facts of about 560 bytes, by the chunk and in any number."""

from collections.abc import Iterator
from hashlib import sha256
from random import Random

from benchmarks._stores import AREA

from ledger.domain.identity import claim_stream
from ledger.domain.posting_rules import RULES_VERSION, claim_entry
from ledger.events.base import Envelope, Source
from ledger.events.claim import ClaimAmounts, ClaimSettled
from ledger.store.commit import Commit, OutboxMessage
from settlement.booking import booked_months, totals_of

_INSTITUTIONS = tuple(f"H3306040{number:04d}" for number in range(200))
_MED_TYPES = ("11", "21", "14")


def claim(number: int, random: Random) -> Envelope:
    """Make one settlement of a claims file, on its stream."""
    setl_id = f"330604G{number:012d}"
    day = f"2024-03-{random.randint(1, 31):02d}"
    pooled, own = random.randint(100, 900_000), random.randint(0, 90_000)
    institution = random.choice(_INSTITUTIONS)
    token = sha256(setl_id.encode()).hexdigest()
    fact = ClaimSettled(
        area=AREA,
        booked_on=day,
        postings=claim_entry({"310.pooled": pooled}, institution),
        rules_version=RULES_VERSION,
        prepared_by="clerk1",
        setl_id=setl_id,
        person=token[:32],
        person_key=1,
        insutype="310",
        institution=institution,
        med_type=random.choice(_MED_TYPES),
        clr_type="11",
        setl_date=day,
        belongs_to="2024-03",
        amounts=ClaimAmounts(
            medfee_sumamt=pooled + own, fund_pay_sumamt=pooled, acct_pay=0, psn_cash_pay=own
        ),
        details={},
        content=token[32:56],
        source=Source(intake="claims-2024-03", line=number),
    )
    return Envelope(claim_stream(AREA, setl_id, refund=False), 1, fact)


def chunks(size: int, *, first: int = 1) -> Iterator[list[Envelope]]:
    """Make chunk after chunk of claims, each sorted by stream as the intake sorts them."""
    random = Random(first)
    while True:
        made = [claim(number, random) for number in range(first, first + size)]
        first += size
        yield sorted(made, key=lambda one: one.originator_id.bytes)


def commit_of(key: str, chunk: list[Envelope]) -> Commit:
    """Make the commit of a chunk, with everything on."""
    facts = [one.fact for one in chunk]
    return Commit(
        key=key,
        input_hash=key,
        booked=booked_months(facts),
        totals=totals_of(facts),
        outbox=(OutboxMessage("claims_posted", key),),
    )
