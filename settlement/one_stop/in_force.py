"""Which one-stop policy is in force for a fund on a day (现行待遇政策)."""

from dataclasses import dataclass
from typing import Any

from ledger.aggregates.policies import Policies, Version
from settlement.clearing.policies.file import ONE_STOP, refuse_other_kind
from settlement.intake.owing import BASIC_FUND
from settlement.one_stop.policy import OneStopPolicy
from settlement.one_stop.policy_tables import one_stop_policy_of
from settlement.one_stop.refusals import NoOneStopPolicy
from settlement.policies import content_hash


@dataclass(frozen=True, slots=True)
class ChosenLayers:
    """A one-stop policy with the name and hash that a result gives it."""

    id: str
    content_hash: str
    policy: OneStopPolicy


def layers_of(version: Version) -> ChosenLayers:
    """Give a proposed one-stop policy, whatever its state; PolicyOfAnotherKind for any other."""
    content: dict[str, Any] = version.content
    refuse_other_kind(content, ONE_STOP)
    return ChosenLayers(version.id, version.content_hash, one_stop_policy_of(content))


def layers_from_file(content: dict[str, Any]) -> ChosenLayers:
    """Give a one-stop policy that was read from a file and not proposed."""
    refuse_other_kind(content, ONE_STOP)
    policy = one_stop_policy_of(content)
    return ChosenLayers(policy.name, content_hash(content), policy)


def layers_in_force(policies: Policies, fund: str, day: str) -> ChosenLayers:
    """Give the policy in force; NoOneStopPolicy where none speaks for the day."""
    found = policies.speaking(fund, day, ONE_STOP)
    if found is None:
        raise NoOneStopPolicy(fund=fund, date=day)
    return layers_of(found)


def fund_of_insutype(insutype: str) -> str:
    """Name the fund that owes 统筹基金支付 of an insurance type."""
    return BASIC_FUND.get(insutype, insutype)
