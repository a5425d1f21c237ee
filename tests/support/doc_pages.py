"""The parts of ``docs/`` that are made from the code: run this file to write them anew.

A page is written by hand but for its generated blocks, which stand between two marks::

    <!-- generated: topics -->
    <!-- end -->

``tests/architecture/test_doc_pages.py`` fails where a block is not what the code gives today.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from ledger.domain.entry import Posting
from ledger.errors import MedfundError
from ledger.events import base, claim
from ledger.events.registry import CATALOGUE, SUBJECTS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import posting_table

DOCS = Path(__file__).resolve().parents[2] / "docs"
PACKAGES = ("ledger", "settlement", "projections", "workers", "medfund")
_BLOCK = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
#: Importing these runs something.
_PROGRAMS = ("workers.__main__", "medfund.__main__")


def filled(text: str) -> str:
    """Give a page with every generated block made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]]()}{block[3]}", text)


def blocks_in(text: str) -> list[str]:
    """List the generated blocks of a page."""
    return [block[2] for block in _BLOCK.finditer(text)]


def generated_pages() -> list[Path]:
    """List the pages that have a generated block."""
    return [path for path in sorted(DOCS.rglob("*.md")) if blocks_in(path.read_text("utf-8"))]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table; a bar inside a cell is escaped."""
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n"
        for line in lines
    )


def import_everything() -> None:
    """Import all of our modules, so that every class is known."""
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.startswith(_PROGRAMS):
                importlib.import_module(module.name)


def first_sentence(thing: object) -> str:
    """Give the docstring's first paragraph on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


# --- events ---


def own_fields(struct: type) -> list[tuple[str, str, str]]:
    """List the fields a class declares itself: name, type with its default, comment beside it."""
    source = textwrap.dedent(inspect.getsource(struct))
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found = []
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if node.target.id == "TOPIC":
            continue
        kind = ast.unparse(node.annotation)
        default = f" = {ast.unparse(node.value)}" if node.value else ""
        _, _, comment = lines[node.lineno - 1].partition("  # ")
        found.append((node.target.id, kind + default, comment))
    return found


def _in_file_order(structs: Iterable[type]) -> list[type]:
    """Sort by file and line, whatever was imported first."""
    subjects = [base.__name__, *(subject.__name__ for subject in SUBJECTS)]
    return sorted(
        structs,
        key=lambda one: (subjects.index(one.__module__), inspect.getsourcelines(one)[1]),
    )


def _field_rows(struct: type) -> Iterator[list[str]]:
    for name, kind, comment in own_fields(struct):
        yield [f"`{name}`", f"`{kind}`", comment]


def topics() -> str:
    """List every topic with its class, what it means and what it says beyond the shared fields."""
    parts = []
    for subject in SUBJECTS:
        mine = [fact for fact in CATALOGUE.values() if fact.__module__ == subject.__name__]
        facts = _in_file_order(mine)
        path = subject.__name__.replace(".", "/") + ".py"
        parts.append(f"\n### `{path}`\n\n{first_sentence(subject)}\n\n")
        parts.append(
            table(
                ("topic", "class", "what happened 事实", "fields 字段"),
                ([f"`{f.TOPIC}`", f"`{f.__name__}`", first_sentence(f), _said(f)] for f in facts),
            )
        )
    return "".join(parts) + "\n"


def _said(fact: type) -> str:
    own = ", ".join(f"`{name}: {kind}`" for name, kind, _ in own_fields(fact))
    return f"those of `{fact.__mro__[1].__name__}`" + (f"; {own}" if own else "")


def shared_fields() -> str:
    """List the fields of the classes that facts are made of, once each."""
    lineage = {
        one for fact in CATALOGUE.values() for one in fact.__mro__ if issubclass(one, base.Fact)
    }
    bases = _in_file_order(one for one in lineage if "TOPIC" not in one.__dict__)
    parts = []
    for struct in [*bases, base.Source, Posting, claim.ClaimAmounts]:
        rows = list(_field_rows(struct))
        if not rows:
            continue
        above = struct.__mro__[1]
        more = f" Also the fields of `{above.__name__}`." if own_fields_of(above) else ""
        parts.append(f"\n### `{struct.__name__}`\n\n{first_sentence(struct)}{more}\n\n")
        parts.append(table(("field 字段", "type", "meaning"), rows))
    return "".join(parts) + "\n"


def own_fields_of(struct: type) -> list[tuple[str, str, str]]:
    """List a class's own fields; none for what is not ours."""
    return own_fields(struct) if struct.__module__.startswith("ledger.") else []


# --- errors ---


def our_errors() -> list[type[MedfundError]]:
    """List every error of ours that has a code, families in their order."""
    import_everything()
    found: dict[type[MedfundError], None] = {}
    for family in MedfundError.__subclasses__():
        for error in _below(family):
            ours = error.__module__.split(".")[0] in PACKAGES
            if ours and "code" in error.__dict__:
                found[error] = None
    return list(found)


def _below(error: type[MedfundError]) -> Iterator[type[MedfundError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)


def families() -> str:
    """Say what a family means for a program and for the shell."""
    exit_codes = importlib.import_module("medfund.cli.app").EXIT_CODES
    status = importlib.import_module("medfund.web.problems")._STATUS_BY_FAMILY
    rows = [
        [f"`{one.family}`", first_sentence(one), str(exit_codes[one]), str(status[one.family])]
        for one in exit_codes
    ]
    return table(("family", "meaning", "exit code", "HTTP status"), rows)


def errors() -> str:
    """List every code with its sentences and next steps, by family."""
    parts = []
    by_family: dict[str, list[type[MedfundError]]] = {}
    for error in our_errors():
        by_family.setdefault(error.family, []).append(error)
    for family, found in by_family.items():
        parts.append(f"\n### `{family}`\n\n")
        rows = [
            [
                f"`{error.code}`",
                f"{error.zh} {error.hint_zh}".strip(),
                f"{error.en} {error.hint_en}".strip(),
                f"`{error.__module__}`",
            ]
            for error in sorted(found, key=lambda one: one.code)
        ]
        parts.append(table(("code", "中文", "English", "declared in"), rows))
    return "".join(parts) + "\n"


# --- commands ---


def top_group() -> click.Group:
    """Give the command line with every command registered."""
    app = importlib.import_module("medfund.cli.app")
    group: click.Group = app.cli
    for name in app.COMMANDS:  # a command is registered when it is first asked for
        group.get_command(click.Context(group), name)
    return group


def walk(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Give every command with its full name, as a user types it after ``medfund``."""
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        yield before + name, command
        if isinstance(command, click.Group):
            yield from walk(command, f"{before}{name} ")


def global_words() -> str:
    """List the words that stand before or after any command."""
    return _options(top_group())


def commands() -> str:
    """Describe every command: how it is called, what it does, its options."""
    parts = []
    for name, command in walk(top_group()):
        parts.append(f"\n### `{name}`\n\n{(command.help or '').strip()}\n\n")
        parts.append(f"```text\nmedfund {name}{_arguments(command)}\n```\n")
        options = _options(command)
        parts.append(f"\n{options}" if options else "")
    return "".join(parts) + "\n"


def _arguments(command: click.Command) -> str:
    if isinstance(command, click.Group):
        return " COMMAND …"
    context = click.Context(command, info_name="")
    return "".join(f" {piece}" for piece in command.collect_usage_pieces(context))


def _options(command: click.Command) -> str:
    rows = []
    for option in command.params:
        if not isinstance(option, click.Option) or option.hidden:
            continue
        name = ", ".join([*option.opts, *option.secondary_opts])
        value = "" if option.is_flag else f" {option.make_metavar(click.Context(command))}"
        needed = " (required 必填)" if option.required else ""
        rows.append([f"`{name}{value}`", f"{option.help or ''}{needed}".strip()])
    return table(("option 选项", "meaning 含义"), rows) if rows else ""


# --- posting rules ---


def items() -> str:
    """Post a sample of every item of a fund_flows file."""
    heads = ("item", "项目", "情形 when", "fund 险种", "debit 借", "credit 贷")
    return table(heads, posting_table.item_rows())


def claims() -> str:
    """Post a settlement at the counter."""
    return table(("fact", "fund 险种", "debit 借", "credit 贷"), posting_table.claim_rows())


def settling() -> str:
    """Post each step of settling with an institution."""
    return table(("step", "fund 险种", "debit 借", "credit 贷"), posting_table.settling_rows())


def chart() -> str:
    """List the chart of accounts."""
    return table(("key", "code 代码", "科目", "account", "class 类别"), posting_table.chart_rows())


BLOCKS: dict[str, Callable[[], str]] = {
    "items": items,
    "claims": claims,
    "settling": settling,
    "chart": chart,
    "topics": topics,
    "shared-fields": shared_fields,
    "families": families,
    "errors": errors,
    "global-words": global_words,
    "commands": commands,
}


def main() -> None:
    """Write every generated block anew."""
    for path in generated_pages():
        text = path.read_text("utf-8")
        path.write_text(filled(text), "utf-8")


if __name__ == "__main__":
    main()
