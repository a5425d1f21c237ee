"""``serve``, ``worker``, ``token``, ``doctor``, ``demo``: keeping an installation going."""

import importlib.util
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from ledger.store import schema
from ledger.verify import verify as verify_log
from medfund.cli.app import Session, cli, pass_session
from medfund.settings import environment_for, misspelt_settings
from settlement.tokens import issue_token, revoke_token

_OUR_NAMES = ("ledger", "projections", "settlement", "workers", "migrations", "medfund")


def start_door(session: Session, module: str, *words: str) -> None:
    """Become another door: pages and API, or the queue worker, as a process of its own."""
    command = [sys.executable, "-m", module, *words]
    sys.stdout.flush()
    os.execve(sys.executable, command, environment_for(session.settings))  # noqa: S606  our own interpreter and module


@cli.command(help="启动页面与 API / serve pages and API")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8765, show_default=True, type=click.IntRange(1, 65535))
@pass_session
def serve(session: Session, host: str, port: int) -> None:
    """Serve; reading only."""
    start_door(session, "medfund.web", "--host", host, "--port", str(port))


@cli.command(help="启动队列 worker / start the queue worker")
@pass_session
def worker(session: Session) -> None:
    """Work off the queue."""
    start_door(session, "workers")


@cli.group(help="API 令牌 / API tokens")
def token() -> None:
    """Commands about tokens."""


@token.command("create", help="签发,令牌只显示一次 / issue; the token is printed once")
@click.argument("name")
@click.option("--role", type=click.Choice(["reader"]), default="reader", show_default=True)
@pass_session
def create(session: Session, name: str, role: str) -> None:
    """Issue a token."""
    made = secrets.token_urlsafe(32)
    with session.house() as house:
        area = session.area(house)
        issue_token(house.ledger, area, name=name, role=role, token=made, user=session.user)
    output = session.output
    output.answer(
        {"name": name, "role": role, "token": made},
        lambda: output.line(made),
    )


@token.command("revoke", help="吊销 / revoke")
@click.argument("name")
@pass_session
def revoke(session: Session, name: str) -> None:
    """Revoke a token."""
    with session.house() as house:
        revoke_token(house.ledger, session.area(house), name=name, user=session.user)
    output = session.output
    output.answer(
        {"name": name, "revoked": True},
        lambda: output.line(output.say(f"已吊销 {name}。", f"Revoked {name}.")),
    )


@cli.command(help="检查安装是否健全 / is this installation sound?")
@click.option("--verify/--no-verify", default=True, help="同时校验日志 / verify the log too")
@pass_session
def doctor(session: Session, verify: bool) -> None:  # noqa: FBT001
    """Check names, settings, schema, log and projections; exit 5 or 4 where something is wrong."""
    output = session.output
    checks: list[dict[str, Any]] = [_names(), _settings()]
    missing = [output.say(one.zh, one.en) for one in schema.check(session.settings.database_url)]
    checks.append({"check": "schema", "ok": not missing, "found": missing})
    if not missing:
        with session.house() as house:
            position = house.catch_up()
            checks.append({"check": "projections", "ok": True, "found": [f"@{position}"]})
            if verify:
                found = verify_log(house.ledger)
                texts = [output.say(one.zh, one.en) for one in found.findings]
                checks.append({"check": "log", "ok": found.ok, "found": texts})
                session.exit_code = 0 if found.ok else 4
    ok = all(check["ok"] for check in checks)
    if not ok and session.exit_code == 0:
        session.exit_code = 5

    def render() -> None:
        for check in checks:
            mark = "✓" if check["ok"] else "✗"
            output.line(f"{mark} {check['check']}  {'; '.join(check['found'])}")

    output.answer({"ok": ok, "checks": checks}, render)


def _names() -> dict[str, Any]:
    """Our top-level names are generic: each must come from this installation (see decisions)."""
    home = Path(__file__).resolve().parents[2]
    strangers = []
    for name in _OUR_NAMES:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or home not in origin.parents:
            strangers.append(f"{name}: {origin}")
    return {"check": "names", "ok": not strangers, "found": strangers}


def _settings() -> dict[str, Any]:
    misspelt = misspelt_settings()
    return {"check": "settings", "ok": not misspelt, "found": misspelt}
