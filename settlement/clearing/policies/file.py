"""A policy as a file (TOML): read, checked, kept as it was written, compared.

A long table of groups stands in a CSV file beside the policy. ``docs/policies.md`` is the reference.
``kind`` in ``[policy]`` says what the policy is about: clearing, if it is absent, or ``one_stop``.
"""

import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ledger.errors import InputRejected
from settlement.clearing.deposit import ReleaseRule
from settlement.clearing.policies.method_file import method_of
from settlement.clearing.policies.policy import Budget, Deposit, PointValue, Policy
from settlement.clearing.policies.side_files import take_files_in
from settlement.clearing.policies.tables import DepositTable, HeadTable, PolicyFile
from settlement.one_stop.policy_tables import OneStopFile

CLEARING, ONE_STOP = "clearing", "one_stop"
_FORMS: dict[str, type[BaseModel]] = {CLEARING: PolicyFile, ONE_STOP: OneStopFile}


class PolicyRejected(InputRejected):
    """The policy file has mistakes; all of them are listed (政策文件有误)."""

    code = "policy_rejected"
    zh = "政策文件 {file} 有 {count} 处问题:{problems}。"
    en = "The policy file {file} has {count} problems: {problems}."
    hint_zh = "请按 docs/policies.md 更正后重新提交;未做任何更改。"
    hint_en = "Correct them as docs/policies.md says and hand it in again; nothing was changed."


class PolicyOfAnotherKind(InputRejected):
    """The policy is not about what is asked (政策类别不符)."""

    code = "policy_of_another_kind"
    zh = "政策 {policy} 的类别是 {kind},这里需要 {wanted}。"
    en = "The policy {policy} is of the kind {kind}; {wanted} is needed here."
    hint_zh = "请用 policy list 查看各政策的类别。"
    hint_en = "See the kinds in policy list."


def kind_of(content: dict[str, Any]) -> str:
    """Say what a policy is about; clearing where its head says nothing."""
    head = content.get("policy")
    kind = head.get("kind", CLEARING) if isinstance(head, dict) else CLEARING
    return kind if kind in _FORMS else CLEARING


def head_of(content: dict[str, Any]) -> HeadTable:
    """Give the head of a checked content, whatever its kind."""
    return HeadTable.model_validate(content["policy"])


def refuse_other_kind(content: dict[str, Any], wanted: str) -> None:
    """PolicyOfAnotherKind where a checked content is about something else."""
    kind = kind_of(content)
    if kind != wanted:
        raise PolicyOfAnotherKind(policy=content["policy"]["name"], kind=kind, wanted=wanted)


def policy_of(content: dict[str, Any]) -> Policy:
    """Give the clearing policy of a content that was checked when it was proposed."""
    refuse_other_kind(content, CLEARING)
    file = PolicyFile.model_validate(content)
    head, budget, value = file.policy, file.budget, file.point_value
    return Policy(
        name=head.name,
        title=head.title,
        fund=head.fund,
        effective=head.effective.isoformat(),
        until=None if head.until is None else head.until.isoformat(),
        basis=head.basis,
        budget=None
        if budget is None
        else Budget(year_fen=budget.year, reserve=budget.reserve, months=tuple(budget.months)),
        point_value=PointValue(
            family=value.family,
            by=value.sharing,
            digits=value.digits,
            paid_share=value.paid_share,
            insured_elsewhere=value.insured_elsewhere == "counted",
        ),
        methods=tuple(method_of(table) for table in file.methods),
        deposit=None if file.deposit is None else _deposit(file.deposit),
        bands=None if file.bands is None else file.bands.bands(),
        monthly=file.monthly.monthly(),
        payees=dict(sorted(file.payees.items())),
        yearly=file.yearly.rules(),
        prepayment=None if file.prepayment is None else file.prepayment.rules(head.fund),
    )


def _deposit(table: DepositTable) -> Deposit:
    rules = (
        ReleaseRule(from_score=one.from_score, below=one.below, share=one.share)
        for one in table.release
    )
    return Deposit(share=table.share, order=table.order, release=tuple(rules))


def read_policy(path: Path) -> dict[str, Any]:
    """Read and check a policy file; PolicyRejected lists all its problems.

    What is given back is the file's own content with the groups files in it: readable, comparable
    and all there is to hash. ``policy_of`` makes the policy of it.
    """
    problems: list[str] = []
    content: dict[str, Any] = {}
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        problems = [f"无法读取 / cannot be read: {error.strerror}"]
    except UnicodeDecodeError:
        problems = ["须为 UTF-8 编码 / the file must be UTF-8"]
    except tomllib.TOMLDecodeError as error:
        problems = [f"TOML 语法 / TOML syntax: {error}"]
    else:
        problems = take_files_in(content, path.parent)
        content = _as_json(content)
        try:
            _FORMS[kind_of(content)].model_validate(content)
        except ValidationError as error:
            problems += [_problem(detail) for detail in error.errors()]
    if problems:
        raise PolicyRejected(file=path.name, count=len(problems), problems="; ".join(problems))
    return content


def _as_json(value: Any) -> Any:
    """Write TOML's dates as text: what is kept is what JSON can say."""
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _problem(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    value = "" if isinstance(detail["input"], dict | list) else f" ({detail['input']!r})"
    return f"{where}: {detail['msg']}{value}"


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Compare two contents key by key: (path, before, after), None where one has no such key."""
    before, after = dict(_flat(old, ())), dict(_flat(new, ()))
    return [
        (".".join(key), before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(one, (*path, str(key)))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            named = isinstance(one, dict) and isinstance(one.get("name"), str)
            yield from _flat(one, (*path, one["name"] if named else str(number)))
    else:
        yield path, value
