"""Setting an area up (基础设置): area, books, institutions, users, targets, as events, repeatable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from ledger.aggregates.area import (
    Area,
    AreaNotChosen,
    AreaUnknown,
    NobodyNamed,
    UnknownUser,
    fold_area,
)
from ledger.application import FundLedger
from ledger.domain.identity import area_stream
from ledger.domain.period import Period
from ledger.events import setup as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import BookKey, Commit, OpenBook
from settlement.setup_file import SetupFile


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What a setup changed: topics with their number, and keys of the file that were read over."""

    area: str
    founding: bool
    changes: dict[str, int]
    unknown_keys: list[str]


def areas_of(ledger: FundLedger) -> list[str]:
    """List the areas that have a book here."""
    return sorted({book.area for book in ledger.log.books()})


def load_area(ledger: FundLedger, code: str | None = None) -> Area:
    """Fold an area's setup: the one named, else the only one."""
    areas = areas_of(ledger)
    if code is None and len(areas) > 1:
        raise AreaNotChosen(areas=", ".join(areas))
    if not areas or (code is not None and code not in areas):
        raise AreaUnknown(area=code or "-", areas=", ".join(areas) or "-")
    return _fold(ledger, code or areas[0])


def _fold(ledger: FundLedger, code: str) -> Area:
    return fold_area(code, (item.fact for _, item in ledger.history(area_stream(code))))


def apply_setup(ledger: FundLedger, file: SetupFile, *, user: str | None) -> SetupResult:
    """Bring the area to what the file says; running it again changes nothing.

    The first setup of an empty book is its founding act: any user the file names may run it. Later
    ones need an administrator. Nothing is removed by leaving it out of the file.
    """
    area = _fold(ledger, file.area.code)
    existing = areas_of(ledger)
    founding = not existing
    by = _founder(file, user) if founding else _administrator(ledger, area, existing, user)
    changes = list(_changes(area, file, by))
    if changes:
        _append(ledger, area, file, changes)
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.TOPIC] = counts.get(change.TOPIC, 0) + 1
    return SetupResult(area.code, founding, counts, file.unknown_keys())


def _founder(file: SetupFile, user: str | None) -> str:
    if not user:
        raise NobodyNamed(action="setup")
    if user not in {table.name for table in file.users}:
        raise UnknownUser(user=user)
    return user


def _administrator(ledger: FundLedger, area: Area, existing: list[str], user: str | None) -> str:
    """A new area of a book is set up by an administrator of one that exists."""
    deciding = area if area.version else _fold(ledger, existing[0])
    return deciding.allow(user, "setup")


def _changes(area: Area, file: SetupFile, by: str) -> Iterator[Fact]:
    code, table = area.code or file.area.code, file.area
    options: dict[str, object] = {
        "tax_collects": table.tax_collects,
        "money_account_control": table.money_account_control,
        "chart": dict(file.chart),
        "claim_parts": dict(file.claims.parts),
    }
    if file.claims.places:
        options["own_places"] = list(file.claims.places)
    for name in ("bank_accounts", "bank_profiles"):
        if tables := getattr(file, name):
            options[name] = [one.model_dump(exclude_defaults=True) for one in tables]
    if (area.name, area.options) != (table.name, options):
        yield facts.AreaConfigured(area=code, by=by, name=table.name, options=options)
    own_first = {fund.code: fund.first_month for fund in file.funds}
    for fund in [*table.funds, *own_first]:
        if fund not in area.funds:
            area.funds[fund] = own_first.get(fund) or table.first_month
            yield facts.FundOpened(area=code, by=by, fund=fund, first=area.funds[fund])
    for place in file.institutions:
        if area.institutions.get(place.code) != (place.name, place.level):
            yield facts.InstitutionRegistered(
                area=code, by=by, code=place.code, name=place.name, level=place.level
            )
    yield from _user_changes(area, file, by)
    yield from _policy_changes(area, file, by)
    for target in file.targets:
        key = (target.indicator, target.fund, target.year)
        if area.targets.get(key) != (target.at_most, target.at_least):
            yield facts.TargetSet(
                area=code,
                by=by,
                indicator=target.indicator,
                fund=target.fund,
                year=target.year,
                at_most=target.at_most,
                at_least=target.at_least,
            )


def _policy_changes(area: Area, file: SetupFile, by: str) -> Iterator[Fact]:
    """Adopt policies that are new or say something else; they are dated, so none is overwritten."""
    for policy in file.policies:
        effective = policy.effective.isoformat()
        if area.policies.get((policy.name, effective)) != policy.content:
            yield facts.PolicyAdopted(
                area=area.code,
                by=by,
                name=policy.name,
                effective=effective,
                content=dict(policy.content),
            )


def _user_changes(area: Area, file: SetupFile, by: str) -> Iterator[Fact]:
    """Enrol users; a book that would be left without an administrator keeps the acting user as one."""
    wanted = {**area.users, **{user.name: tuple(user.roles) for user in file.users}}
    if not any("administrator" in roles for roles in wanted.values()):
        wanted[by] = (*wanted.get(by, ()), "administrator")
    for user, roles in wanted.items():
        if area.users.get(user) != roles:
            yield facts.UserEnrolled(area=area.code, by=by, user=user, roles=roles)


def _append(ledger: FundLedger, area: Area, file: SetupFile, changes: list[Fact]) -> None:
    stream = area_stream(area.code)
    opened = tuple(
        OpenBook(
            BookKey(area.code, change.fund), Period.parse(change.first) if change.first else None
        )
        for change in changes
        if isinstance(change, facts.FundOpened)
    )
    content = json.dumps(msgspec.to_builtins(changes), ensure_ascii=False, sort_keys=True)
    ledger.append(
        [
            Envelope(stream, area.version + number, change)
            for number, change in enumerate(changes, start=1)
        ],
        Commit(
            key=f"setup:{file.area.code}:{area.version}",
            input_hash=sha256(content.encode()).hexdigest(),
            transitions=opened,
        ),
    )
