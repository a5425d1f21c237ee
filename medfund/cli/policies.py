"""``policy``: policies of clearing and of one-stop settlement, from a file that is checked to one that is in force."""

from pathlib import Path
from typing import Any

import click

from ledger.aggregates.policies import Version
from medfund.cli.app import Session, cli, pass_session
from settlement.clearing.policies.file import differences, read_policy
from settlement.policies import (
    approve_policy,
    content_hash,
    load_policies,
    propose,
    reject_policy,
)

_KINDS = {"clearing": "结算", "one_stop": "一站式"}
_STATES = {"waiting": "待批", "approved": "已批准", "rejected": "已退回"}


@cli.group(help="结算政策、待遇政策 / policies")
def policy() -> None:
    """Commands about policies."""


def _document(version: Version, *, whole: bool = False) -> dict[str, Any]:
    document: dict[str, Any] = {
        "policy": version.id,
        "kind": version.kind,
        "fund": version.fund,
        "title": version.title,
        "effective": version.effective,
        "until": version.until,
        "basis": version.basis,
        "state": version.state,
        "content_hash": version.content_hash,
        "proposed_by": version.proposed_by,
        "decided_by": version.decided_by,
        "reason": version.reason,
    }
    return document | ({"content": version.content} if whole else {})


def _answer(session: Session, version: Version, zh: str, en: str) -> None:
    output = session.output

    def render() -> None:
        state = output.say(_STATES[version.state], version.state)
        output.line(f"{version.id}  {version.title}  {version.fund}  {version.effective}  {state}")
        output.line(output.say(zh, en))

    output.answer(_document(version), render)


@policy.command("propose", help="提交政策文件 / propose a policy file (TOML)")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="只检查 / check only")
@pass_session
def propose_command(session: Session, file: Path, dry_run: bool) -> None:  # noqa: FBT001
    """Check a file and propose it; somebody else approves."""
    content = read_policy(file)
    if dry_run:
        document = {"ok": True, "content_hash": content_hash(content)}
        output = session.output
        output.answer(
            document,
            lambda: output.line(
                output.say("文件无误,未提交。", "The file is right; not proposed.")
            ),
        )
        return
    with session.house() as house:
        version = propose(house.ledger, session.area(house), content, user=session.user)
    _answer(
        session,
        version,
        f"下一步:由另一人执行 policy approve {version.id}。",
        f"Next: somebody else runs policy approve {version.id}.",
    )


@policy.command("approve", help="批准政策 / put a policy in force")
@click.argument("policy_id", metavar="NAME@VERSION")
@pass_session
def approve_command(session: Session, policy_id: str) -> None:
    """Approve what somebody else proposed."""
    with session.house() as house:
        area = session.area(house)
        version = approve_policy(house.ledger, area, policy=policy_id, user=session.user)
    day = version.effective
    _answer(session, version, f"自 {day} 起生效。", f"In force from {day} on.")


@policy.command("reject", help="退回政策 / send a policy back")
@click.argument("policy_id", metavar="NAME@VERSION")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def reject_command(session: Session, policy_id: str, reason: str) -> None:
    """Reject, or withdraw one's own."""
    with session.house() as house:
        area = session.area(house)
        version = reject_policy(
            house.ledger, area, policy=policy_id, reason=reason, user=session.user
        )
    _answer(session, version, "更正后可再提交。", "Correct it and propose it again.")


@policy.command("list", help="列出政策 / list policies")
@pass_session
def list_command(session: Session) -> None:
    """List every version with its state."""
    output = session.output
    with session.house() as house:
        versions = load_policies(house.ledger, session.area(house).code).versions

    def render() -> None:
        heads = output.say(
            "政策|类别|险种|名称|起|止|状态|提交|决定",
            "policy|kind|fund|title|from|until|state|by|decided",
        )
        output.table(
            heads.split("|"),
            [
                (
                    one.id,
                    output.say(_KINDS[one.kind], one.kind),
                    one.fund,
                    one.title,
                    one.effective,
                    one.until or "-",
                    output.say(_STATES[one.state], one.state),
                    one.proposed_by,
                    one.decided_by or "-",
                )
                for one in versions
            ],
        )

    output.answer({"policies": [_document(one) for one in versions]}, render)


@policy.command("show", help="查看政策全文 / show a policy whole")
@click.argument("policy_id", metavar="NAME[@VERSION]")
@pass_session
def show_command(session: Session, policy_id: str) -> None:
    """Show a policy with its content."""
    with session.house() as house:
        version = load_policies(house.ledger, session.area(house).code).find(policy_id)
    session.output.answer(_document(version, whole=True))


@policy.command("diff", help="比较两版政策 / compare two policies, or one with a file")
@click.argument("old", metavar="NAME[@VERSION]")
@click.argument("new", metavar="NAME[@VERSION] | FILE")
@pass_session
def diff_command(session: Session, old: str, new: str) -> None:
    """Compare key by key."""
    output = session.output
    with session.house() as house:
        policies = load_policies(house.ledger, session.area(house).code)
    before = policies.find(old).content
    after = read_policy(Path(new)) if new.endswith(".toml") else policies.find(new).content
    found = differences(before, after)
    document = {
        "differences": [{"key": key, "before": was, "after": now} for key, was, now in found]
    }

    def render() -> None:
        heads = output.say("键|原值|新值", "key|before|after").split("|")
        output.table(heads, [(key, _shown(was), _shown(now)) for key, was, now in found])
        if not found:
            output.line(output.say("两版相同。", "They are the same."))

    output.answer(document, render)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
