"""Manual claims (手工、零星报销): computed by the policy, prepared by one person, decided by another.

A cost that was not settled at the counter goes through all layers. Where the assistance of a settlement
is made up for afterwards (补救助), only that layer is computed, on what the settlement had left. What
each fund then owes the person lies at ``owed.approved``; money moves only when it is paid.
"""

from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.manual_claim import (
    NONE,
    REJECTED,
    SETTLED,
    ManualClaim,
    UnknownManualClaim,
    claim_no_of,
    fold_manual_claim,
)
from ledger.application import FundLedger
from ledger.domain.identity import claim_stream, manual_claim_stream, settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import person_owed_entry
from ledger.events import one_stop as facts
from ledger.events.base import Envelope, Source
from ledger.events.claim import ClaimFact, ClaimReversed
from ledger.store.commit import Commit, MonthNotOpen
from ledger.store.vault import KeyDestroyed, Vault
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.one_stop.document import Case, work
from settlement.one_stop.in_force import ChosenLayers, fund_of_insutype, layers_in_force
from settlement.one_stop.layers import assist
from settlement.one_stop.manual_checks import (
    ManualClaimStale,
    ManualDraft,
    NothingToPay,
    SettlementMadeUp,
    by_fund,
    faulty,
    refuse_faults,
    refuse_other_content,
)
from settlement.one_stop.person_year import FoundYear, YearQuestion, find_year
from settlement.one_stop.refusals import NoRuleFits
from settlement.one_stop.working_days import calendar_of, limit_of
from settlement.policies import load_policies

#: Opens a person's year at the log as it stands: fund, year, tokens.
AskYear = Callable[[str, int, tuple[str, ...]], YearQuestion]
_TRIES = 5


def load_manual_claim(ledger: FundLedger, area: str, claim_no: str) -> ManualClaim:
    """Fold a manual claim: its own stream, and what was settled of its newest revision."""
    told = [(at, one.fact) for at, one in ledger.history(manual_claim_stream(area, claim_no))]
    proposed = [fact for _, fact in told if isinstance(fact, facts.ManualClaimProposed)]
    streams = {
        settlement_stream(area, fund, one.person, one.date[:7])
        for one in proposed
        for fund in one.funds
    }
    settled = [
        (at, envelope.fact)
        for stream in streams
        for at, envelope in ledger.history(stream)
        if isinstance(envelope.fact, facts.ManualClaimSettled)
        and envelope.fact.claim_no == claim_no
    ]
    return fold_manual_claim(area, claim_no, sorted([*told, *settled], key=lambda one: one[0]))


def manual_claim_of(ledger: FundLedger, area: Area, claim: str) -> ManualClaim:
    """Find a manual claim by its id; UnknownManualClaim where there is none."""
    number = claim_no_of(claim, area.code)
    found = load_manual_claim(ledger, area.code, number) if number is not None else None
    if found is None or found.proposed is None:
        raise UnknownManualClaim(claim=claim)
    return found


def propose_manual_claim(
    ledger: FundLedger,
    vault: Vault,
    area: Area,
    draft: ManualDraft,
    *,
    ask: AskYear,
    user: str | None,
    today: date,
) -> ManualClaim:
    """Receive and compute a claim; the same number with the same content changes nothing.

    Refusals in order: role · what is written · another claim under the number · no policy or no rule ·
    nothing to pay · a fund without a book.
    """
    by = area.allow(user, "post")
    envelope = proposal_of_claim(ledger, vault, area, draft, ask=ask, by=by, today=today)
    claim = load_manual_claim(ledger, area.code, draft.claim_no)
    if envelope is None or not isinstance(envelope.fact, facts.ManualClaimProposed):
        return claim
    return _append_step(ledger, claim, envelope.fact)


def proposal_of_claim(
    ledger: FundLedger,
    vault: Vault,
    area: Area,
    draft: ManualDraft,
    *,
    ask: AskYear,
    by: str,
    today: date,
    source: Source = Source(),  # noqa: B008  frozen
) -> Envelope | None:
    """Compute a claim; None where the same stands already. Refusals as ``propose_manual_claim``."""
    refuse_faults(draft, today)
    claim = load_manual_claim(ledger, area.code, draft.claim_no)
    token, key = vault.person_token(draft.person)
    said = _content(draft, token)
    if claim.state not in {NONE, REJECTED} and claim.proposed is not None:
        if claim.proposed.content == said:
            return None
        refuse_other_content(claim)
    fund = fund_of_insutype(draft.insutype)
    chosen = layers_in_force(load_policies(ledger, area.code), fund, draft.day.isoformat())
    asked = ask(fund, draft.day.year, _tokens(vault, draft.person, key))
    found = find_year(asked, without=draft.setl_id)
    computed = (
        _made_up(_settlement_of(ledger, vault, area, draft), draft, found, chosen)
        if draft.setl_id is not None
        else _whole(draft, found, chosen)
    )
    parts = {part: fen for part, fen in computed["parts"].items() if fen > 0}
    if not parts:
        raise NothingToPay(policy=chosen.id)
    funds = by_fund(area, draft.insutype, parts)
    limit = limit_of(area.policies, draft.received.isoformat())
    fact = facts.ManualClaimProposed(
        area=area.code,
        by=by,
        claim_no=draft.claim_no,
        revision=1 if claim.proposed is None else claim.proposed.revision + 1,
        person=token,
        person_key=key,
        fund=fund,
        date=draft.day.isoformat(),
        received=draft.received.isoformat(),
        due=calendar_of(area.policies).after(draft.received, limit).isoformat(),
        documents=draft.documents,
        facts={name: str(value) for name, value in draft.kind()._asdict().items() if value},
        cost=computed["cost"],
        year_before=computed["year_before"],
        parts=parts,
        funds=tuple(funds),
        paid_before=computed["paid_before"],
        person_fen=computed["person"]["fen"],
        policy=chosen.id,
        setl_id=draft.setl_id,
        as_of=asked.watermark,
        content=said,
        reason=draft.reason,
        source=source,
    )
    return Envelope(manual_claim_stream(area.code, draft.claim_no), claim.version + 1, fact)


def approve_manual_claim(
    ledger: FundLedger, area: Area, *, claim: str, ask: AskYear, user: str | None, today: date
) -> ManualClaim:
    """Owe the person what each fund pays; not by whoever prepared it."""
    by = area.allow(user, "approve")
    found = manual_claim_of(ledger, area, claim)
    if found.state == SETTLED and all(one.approved_by == by for one in found.settled):
        return found
    proposed = found.refuse_approval(by)
    year = int(proposed.date[:4])
    known = find_year(ask(proposed.fund, year, (proposed.person,)))
    if known.last_position > proposed.as_of:
        raise ManualClaimStale(claim=found.id, position=known.last_position)
    for tries_left in range(_TRIES - 1, -1, -1):
        settled = list(_settled(ledger, area, proposed, by=by, today=today))
        envelopes = []
        for fact in settled:
            stream = settlement_stream(area.code, fact.fund, fact.institution, fact.belongs_to)
            envelopes.append(Envelope(stream, len(ledger.history(stream)) + 1, fact))
        commit = Commit(
            # One key for each further claim of a person's year: of two at once the second is told.
            key=f"manual:{area.code}:{proposed.person}:{year}:{known.manual + 1}",
            input_hash=sha256(f"{found.id}:{proposed.revision}".encode()).hexdigest(),
            booked=booked_months(settled),
            totals=totals_of(settled),
        )
        try:
            ledger.append(envelopes, commit)
        except MonthNotOpen:  # frozen a moment ago: booked again into the month that is open
            if not tries_left:
                raise
            continue
        return load_manual_claim(ledger, area.code, found.claim_no)
    raise AssertionError("the last try returns or raises")


def reject_manual_claim(
    ledger: FundLedger, area: Area, *, claim: str, reason: str, user: str | None
) -> ManualClaim:
    """Send a claim back; whoever prepared it may take it back."""
    found = manual_claim_of(ledger, area, claim)
    own = found.proposed is not None and user == found.proposed.by
    by = area.allow(user, "post" if own else "reject")
    if found.state == REJECTED and (found.rejected_by, found.reason) == (by, reason):
        return found
    proposed = found.refuse_decision()
    fact = facts.ManualClaimRejected(
        area=area.code, by=by, claim_no=found.claim_no, revision=proposed.revision, reason=reason
    )
    return _append_step(ledger, found, fact)


def _tokens(vault: Vault, person: str, newest: int) -> tuple[str, ...]:
    """Give a person's tokens under every key that is left: the year is whole across rotations."""
    found = []
    for version in range(1, newest + 1):
        try:
            found.append(vault.person_token(person, version)[0])
        except KeyDestroyed:
            continue
    return tuple(found)


def _whole(draft: ManualDraft, found: FoundYear, chosen: ChosenLayers) -> dict[str, dict[str, int]]:
    """Put a cost that was not settled at the counter through all layers."""
    applied = chosen.policy.applied_to(draft.kind())
    pool = applied.basic.pool if applied is not None else ""
    year, settlements = found.year.before(pool)
    case = Case(kind=draft.kind(), cost=draft.cost, year=year, settlements=settlements)
    worked = work(case, chosen.policy, policy_id=chosen.id)
    return {
        "parts": worked.settled.parts,
        "cost": msgspec.to_builtins(draft.cost),
        "year_before": {"settlements": settlements, **msgspec.to_builtins(year)},
        "paid_before": {},
        "person": {"fen": worked.settled.person_fen},
    }


def _made_up(
    claim: ClaimFact, draft: ManualDraft, found: FoundYear, chosen: ChosenLayers
) -> dict[str, dict[str, int]]:
    """Compute the assistance of a settlement afterwards, on what it had left (补救助)."""
    if claim.setl_id in found.made_up:
        raise SettlementMadeUp(setl_id=claim.setl_id)
    applied = chosen.policy.applied_to(draft.kind())
    if applied is None or applied.assistance is None:
        raise NoRuleFits(policy=chosen.id, kind=f"assistance_class={draft.assistance_class}")
    amounts = claim.amounts
    if amounts.inscp_scp_amt is None:
        raise faulty("setl_id", "结算没有符合政策范围金额", "it says no amount within scope")
    paid = {
        part: getattr(amounts, part) or 0
        for part in ("hifp_pay", "hifmi_pay", "hifob_pay", "maf_pay")
    }
    if not any(paid.values()):
        paid["hifp_pay"] = amounts.fund_pay_sumamt
    left = amounts.inscp_scp_amt - sum(paid.values()) + paid["maf_pay"]
    year, settlements = found.year.before(applied.basic.pool)
    tilted = applied.tilted.layer if applied.tilted is not None else None
    due = sum(assist(max(left, 0), applied.assistance.layer, tilted, year)) - paid["maf_pay"]
    return {
        "parts": {"maf_pay": due},
        "cost": {"total_fen": amounts.medfee_sumamt, "left_fen": left},
        "year_before": {"settlements": settlements, **msgspec.to_builtins(year)},
        "paid_before": paid,
        "person": {"fen": amounts.acct_pay + amounts.psn_cash_pay - max(due, 0)},
    }


def _settlement_of(ledger: FundLedger, vault: Vault, area: Area, draft: ManualDraft) -> ClaimFact:
    """Give the settlement that stands; refused where there is none, or it is of somebody else."""
    setl_id = draft.setl_id or ""
    history = ledger.history(claim_stream(area.code, setl_id, refund=False))
    claim = history[-1][1].fact if history else None
    refunds = ledger.history(claim_stream(area.code, setl_id, refund=True))
    refunded = refunds and not isinstance(refunds[-1][1].fact, ClaimReversed)
    if not isinstance(claim, ClaimFact) or refunded:
        raise faulty("setl_id", f"没有在账的结算 {setl_id}", f"no settlement {setl_id} stands")
    if vault.person_token(draft.person, claim.person_key)[0] != claim.person:
        raise faulty("person", "与结算的人员不符", "the settlement is of somebody else")
    return claim


def _settled(
    ledger: FundLedger, area: Area, proposed: facts.ManualClaimProposed, *, by: str, today: date
) -> list[facts.ManualClaimSettled]:
    found = []
    for fund, parts in by_fund(area, proposed.facts["insutype"], proposed.parts).items():
        fen = sum(parts.values())
        entry = person_owed_entry(fund, proposed.person, fen)
        books = books_touched(area.code, entry)
        found.append(
            facts.ManualClaimSettled(
                area=area.code,
                booked_on=booking_date(today, books, ledger.log.books(area.code)).isoformat(),
                postings=entry,
                rules_version=RULES_VERSION,
                prepared_by=proposed.by,
                fund=fund,
                institution=proposed.person,
                belongs_to=proposed.date[:7],
                date=today.isoformat(),
                summary=f"手工报销 {proposed.claim_no}",
                claim_no=proposed.claim_no,
                revision=proposed.revision,
                person_key=proposed.person_key,
                parts=parts,
                amount_fen=fen,
                policy=proposed.policy,
                approved_by=by,
            )
        )
    return found


def _content(draft: ManualDraft, token: str) -> str:
    """Hash what a claim says, the person as a token."""
    said: Mapping[str, object] = {
        **{name: getattr(draft, name) for name in draft.__dataclass_fields__},
        "person": token,
    }
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]


def _append_step(
    ledger: FundLedger, claim: ManualClaim, fact: facts.ManualClaimFact
) -> ManualClaim:
    """Append a step without postings at the place that was read: whoever was first wins."""
    stream = manual_claim_stream(claim.area, claim.claim_no)
    ledger.append(
        [Envelope(stream, claim.version + 1, fact)],
        Commit(
            key=f"manual-step:{claim.area}:{claim.claim_no}:{claim.version + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return load_manual_claim(ledger, claim.area, claim.claim_no)
