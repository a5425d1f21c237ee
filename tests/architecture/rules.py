"""House rules that neither linter nor import contract can say, as functions over source text.

Every rule takes a parsed module and gives ``(line, what is wrong)``; the tests run them over the
whole tree, and each over a small bad snippet to show that it can fail.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger", "projections", "settlement", "workers", "migrations", "medfund")

BELOW_THE_DOORS = ("ledger", "settlement", "projections")
NO_CLOCK = (*BELOW_THE_DOORS, "migrations")

FUNCTION_LINES = 70
MODULE_LINES = 400

#: Whatever asks the world instead of its caller.
CLOCK_AND_CHANCE = (
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "os.urandom",
    "random",
    "secrets",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
)

#: These stay pure, whoever comes along: the standard library and each other.
PURE = (
    "ledger.domain",
    "ledger.errors",
    "projections.reports.model",
    "settlement.clearing.bands",
    "settlement.clearing.deposit",
    "settlement.clearing.methods",
    "settlement.clearing.monthly",
    "settlement.clearing.point_value",
    "settlement.clearing.policies.policy",
    "settlement.clearing.yearly",
    "settlement.clearing.policies.prepayment_rules",
    "settlement.clearing.policies.yearly_rules",
    "settlement.one_stop.layers",
    "settlement.one_stop.policy",
    "settlement.reconciliation.match",
    "settlement.reconciliation.match_money",
)

#: Which rooms may use which library. Programs of the test-suite belong to no room.
ROOMS: dict[str, tuple[str, ...]] = {
    "alembic": ("migrations", "ledger.store.schema"),
    "click": ("medfund.cli",),
    "dramatiq": ("workers",),
    "duckdb": ("ledger.archive", "projections.rebuild", "settlement.clearing.engines"),
    "eventsourcing": ("ledger",),
    "fastapi": ("medfund.web",),
    "jinja2": ("medfund.web",),
    "pika": ("workers",),
    "pyarrow": ("ledger.archive", "settlement.clearing.engines", "settlement.intake"),
    "pydantic_settings": ("medfund.settings",),
    "python_calamine": ("settlement.intake",),
    "pyspark": ("settlement.clearing.engines",),
    "redis": ("workers",),
    "reportlab": ("projections.reports.pdf",),
    "rich": ("medfund.cli",),
    "sqlglot": ("settlement.clearing",),
    "starlette": ("medfund.web",),
    "uvicorn": ("medfund.web", "medfund.cli"),
    "xlsxwriter": ("projections.reports.xlsx", "medfund.demo"),
    **dict.fromkeys(
        (
            "beancount",
            "beanquery",
            "httpx",
            "hypothesis",
            "openpyxl",
            "playwright",
            "pytest",
            "xlwt",
        ),
        (),
    ),
}

Finding = tuple[int, str]
Rule = Callable[[ast.Module, str], Iterator[Finding]]


def modules() -> list[tuple[str, Path]]:
    """List every module of ours as (dotted name, file)."""
    return [
        (dotted_name(path), path)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def dotted_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def lies_in(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def short_functions(tree: ast.Module, _module: str) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines, at most {FUNCTION_LINES}"


def no_float(tree: ast.Module, module: str) -> Iterator[Finding]:
    if not lies_in(module, BELOW_THE_DOORS):
        return
    waits = _named_waits(tree)
    for node in ast.walk(tree):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if is_literal and node not in waits:
            yield node.lineno, f"float literal {node.value}"
        if isinstance(node, ast.Call) and _plain_name(node.func) == "float":
            yield node.lineno, "float() makes a float"


def no_clock_no_chance(tree: ast.Module, module: str) -> Iterator[Finding]:
    if lies_in(module, NO_CLOCK):
        yield from _uses(tree, CLOCK_AND_CHANCE)


def environment_only_in_settings(tree: ast.Module, module: str) -> Iterator[Finding]:
    if module != "medfund.settings":
        yield from _uses(tree, ("os.environ", "os.environb", "os.getenv"))


def honest_except(tree: ast.Module, module: str) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield node.lineno, "bare except"
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = {"Exception", "BaseException"} & {_plain_name(one) for one in caught}
        if broad and not _passes_on(node) and not lies_in(module, ("medfund", "workers")):
            yield node.lineno, f"except {broad.pop()} below the doors"


def no_print(tree: ast.Module, module: str) -> Iterator[Finding]:
    if lies_in(module, ("medfund.cli",)):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _plain_name(node.func) == "print":
            yield node.lineno, "print outside the terminal's door"


def libraries_in_their_rooms(tree: ast.Module, module: str) -> Iterator[Finding]:
    for line, imported in imports(tree):
        library = imported.split(".")[0]
        if library in ROOMS and not lies_in(module, ROOMS[library]):
            rooms = " and ".join(ROOMS[library]) or "the tests"
            yield line, f"{library} belongs to {rooms}"


def pure_stays_pure(tree: ast.Module, module: str) -> Iterator[Finding]:
    if not lies_in(module, PURE):
        return
    allowed = {*sys.stdlib_module_names, "__future__", "_typeshed"}  # the last for types only
    for line, imported in imports(tree):
        if imported.split(".")[0] not in allowed and not lies_in(imported, PURE):
            yield line, f"{imported} is neither the standard library nor pure"


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give every imported module with its line, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


RULES: tuple[Rule, ...] = (
    short_functions,
    no_float,
    no_clock_no_chance,
    environment_only_in_settings,
    honest_except,
    no_print,
    libraries_in_their_rooms,
    pure_stays_pure,
)


def findings(source: str, module: str, *, rules: tuple[Rule, ...] = RULES) -> list[str]:
    """Judge one module's text by the rules."""
    lines = source.count("\n") + 1
    found = [(1, f"{lines} lines, at most {MODULE_LINES}")] if lines > MODULE_LINES + 1 else []
    tree = ast.parse(source)
    for rule in rules:
        found.extend(rule(tree, module))
    return [f"{module}:{line}: {what}" for line, what in sorted(found)]


def _named_waits(tree: ast.Module) -> set[ast.AST]:
    """Give the literals that are called a waiting time, as in ``PAUSE_SECONDS = 0.05``."""
    return {
        literal
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for name in ast.walk(node.targets[0])
        if isinstance(name, ast.Name) and name.id.endswith("_SECONDS")
        for literal in ast.walk(node.value)
    }


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether the handler only tidies up: it ends in a plain ``raise``."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _uses(tree: ast.Module, forbidden: tuple[str, ...]) -> Iterator[Finding]:
    known = _imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = _full_name(node, known)
            if name in forbidden or name.split(".")[0] in forbidden:
                yield node.lineno, f"{name} asks the world instead of the caller"


def _imported_names(tree: ast.Module) -> dict[str, str]:
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.split(".")[0]
                known[one.asname or top] = one.name if one.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for one in node.names:
                known[one.asname or one.name] = f"{node.module}.{one.name}"
    return known


def _full_name(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = _full_name(node.value, known)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _plain_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
