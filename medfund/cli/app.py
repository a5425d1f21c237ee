"""The command line as a whole: global words, exit codes, errors.

Exit codes (contract §2): 0 done · 1 unexpected · 2 input rejected · 3 refused by a rule, or a
conflict · 4 books damaged · 5 unavailable · 64 wrong usage.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

import click
import structlog

from ledger.aggregates.area import Area
from ledger.errors import (
    BooksDamaged,
    Conflict,
    InputRejected,
    MedfundError,
    RuleRefused,
    Unavailable,
)
from medfund.bootstrap import House, open_house
from medfund.cli.output import Output
from medfund.logging import configure_logging
from medfund.settings import Settings, load_settings

EXIT_CODES: dict[type[MedfundError], int] = {
    InputRejected: 2,
    RuleRefused: 3,
    Conflict: 3,
    BooksDamaged: 4,
    Unavailable: 5,
}
USAGE = 64

#: Which module registers which command.
COMMANDS = {
    name: module
    for module, names in {
        "archiving": ("archive",),
        "auditing": ("rebuild", "replay", "trace", "verify"),
        "backups": ("backup", "restore"),
        "bringing": ("intake",),
        "clearing": ("clear",),
        "corrections": ("reverse",),
        "demonstration": ("demo",),
        "founding": ("db", "setup"),
        "keeping": ("keys",),
        "institutions": ("institution",),
        "payouts": ("payout",),
        "layers": ("layers",),
        "manual_claims": ("manual",),
        "policies": ("policy",),
        "months": ("approve", "close", "reject", "reopen"),
        "by_hand": ("penalize", "recover"),
        "refusing": ("refuse",),
        "reading": ("balances", "indicators", "journal", "obligations"),
        "reconciling": ("reconcile",),
        "measuring": ("measures",),
        "reports": ("report",),
        "running": ("doctor", "serve", "token", "worker"),
        "simulating": ("simulate",),
    }.items()
    for name in names
}

#: Words that may stand before or after the command; True where a value follows.
_GLOBAL_WORDS = {"--db": True, "--as": True, "--lang": True, "--area": True, "--json": False}


class Session:
    """One call of the command line: who asks, of which book, and where the answer goes."""

    def __init__(
        self, settings: Settings, *, user: str | None, area: str | None, output: Output
    ) -> None:
        self.settings = settings
        self.user = user
        self.area_code = area
        self.output = output
        self.exit_code = 0

    @contextmanager
    def house(self) -> Iterator[House]:
        """Open the book."""
        with open_house(self.settings) as house:
            yield house

    def area(self, house: House) -> Area:
        """Give the area that the call is about."""
        return house.area(self.area_code)


class _Call:
    """Holds the session of a call, so that an error can still be said in its language."""

    session: Session | None = None


def pass_session(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the session to a command as its first argument."""

    @wraps(command)
    def with_session(*args: Any, **kwargs: Any) -> Any:
        call = click.get_current_context().find_object(_Call)
        if call is None or call.session is None:
            raise click.UsageError("medfund [--db URL] COMMAND")
        return command(call.session, *args, **kwargs)

    return with_session


class Commands(click.Group):
    """The commands by name; the module of one is imported when it is called, or when help lists all."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click asks so
        """List every command."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that registers a command, and give the command."""
        if cmd_name in COMMANDS:  # a group may be known already, and not all of its commands
            import_module(f"medfund.cli.{COMMANDS[cmd_name]}")
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=Commands,
    name="medfund",
    help="医保基金账簿与结算 / books and settlement of medical-insurance funds",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--db", metavar="URL", help="账簿地址 / the book: sqlite:///FILE or postgresql://…")
@click.option("--as", "user", metavar="USER", help="操作人 / who does it (needed for writing)")
@click.option("--area", metavar="CODE", help="统筹区 / pooling area, where the book has several")
@click.option("--json", "as_json", is_flag=True, help="只输出一个 JSON 文档 / one JSON document")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="语言 / language")
@click.pass_context
def cli(  # noqa: PLR0917  click passes options by name
    context: click.Context,
    db: str | None,
    user: str | None,
    area: str | None,
    as_json: bool,  # noqa: FBT001  click passes options by name
    lang: str | None,
) -> None:
    """Read the settings and open the session."""
    settings = load_settings(database_url=db, lang=lang)
    level = settings.log_level_number()
    configure_logging(level=logging.WARNING if level == logging.INFO else level)
    context.obj.session = Session(
        settings, user=user, area=area, output=Output(as_json=as_json, lang=settings.lang)
    )


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Move global words to the front, so that ``balances --json`` and ``--json balances`` are one."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += ["--", *words]
            break
        name, joined, _ = word.partition("=")
        if name not in _GLOBAL_WORDS:
            rest.append(word)
            continue
        front.append(word)
        if _GLOBAL_WORDS[name] and not joined:
            front += [value for value in [next(words, None)] if value is not None]
    return front + rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    call = _Call()
    try:
        cli.main(args=words, prog_name="medfund", standalone_mode=False, obj=call)
    except click.ClickException as error:
        _say_usage(error, as_json="--json" in words)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("已中断 / interrupted\n")
        return 130
    except MedfundError as error:
        return _say_error(error, call, words)
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001  the door: nobody is shown a traceback
        return _say_unexpected(error, call, words)
    return call.session.exit_code if call.session else 0


def _output(call: _Call, words: Sequence[str]) -> Output:
    if call.session:
        return call.session.output
    return Output(as_json="--json" in words, lang="en" if "en" in words else "zh")


def _say_error(error: MedfundError, call: _Call, words: Sequence[str]) -> int:
    output = _output(call, words)
    if output.as_json:
        output.answer(error.document(output.lang))
    else:
        output.note(f"[{error.code}] {error.message(output.lang)}", style="red")
    return next(code for family, code in EXIT_CODES.items() if isinstance(error, family))


def _say_usage(error: click.ClickException, *, as_json: bool) -> None:
    if as_json:
        document = {"code": "usage", "family": "usage", "message": error.format_message()}
        Output(as_json=True, lang="zh").answer({"error": {**document, "facts": {}}})
        return
    error.show(file=sys.stderr)


def _say_unexpected(error: Exception, call: _Call, words: Sequence[str]) -> int:
    structlog.get_logger().debug("unexpected_error", exc_info=error)
    output = _output(call, words)
    text = f"{type(error).__name__}: {error}"
    zh = f"程序内部错误:{text}。账簿未被部分写入;请以 MEDFUND_LOG_LEVEL=DEBUG 重试并报告。"
    en = f"Internal error: {text}. Nothing was half written; retry with MEDFUND_LOG_LEVEL=DEBUG."
    if output.as_json:
        document = {"code": "unexpected", "family": "unexpected", "message": output.say(zh, en)}
        output.answer({"error": {**document, "facts": {}}})
    else:
        output.note(output.say(zh, en), style="red")
    return 1
