"""``./run bench [NAME…] [--short] [--most EVENTS] [--no-write]``: run benchmarks and write the table.

Each benchmark is a module here with ``figures(scale)``; it runs in a process of its own, so that
one's memory and caches are not another's. The figures are kept in ``docs/benchmarks.json`` and
shown in ``docs/benchmarks.md``; a run of some benchmarks replaces only their lines.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Scale
from benchmarks.table import as_page, as_text

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
NOT_BENCHMARKS = {"__main__", "figures", "table"}


def names() -> list[str]:
    """List the benchmarks: every module here that gives figures."""
    return sorted(
        path.stem
        for path in HERE.glob("*.py")
        if path.stem not in NOT_BENCHMARKS and not path.stem.startswith("_")
    )


def run_here(name: str, scale: Scale, into: Path) -> None:
    """Run one benchmark in this process and leave its figures in a file."""
    module = importlib.import_module(f"benchmarks.{name}")
    found = [figure.document() for figure in module.figures(scale)]
    into.write_text(json.dumps(found, ensure_ascii=False))


def run_apart(name: str, scale: Scale) -> list[Figure]:
    """Run one benchmark in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "figures.json")
        words = [sys.executable, "-m", "benchmarks", name, "--into", str(into)]
        words += ["--short"] if scale.short else []
        words += ["--most", str(scale.most)] if scale.most else []
        subprocess.run(words, check=True)
        return [Figure.of(one) for one in json.loads(into.read_text())]


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--short", action="store_true", help="the short form that CI runs")
    parser.add_argument("--most", type=int, metavar="EVENTS", help="the largest log that is filled")
    parser.add_argument("--no-write", action="store_true", help="print the table only")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    scale = Scale(short=chosen.short, most=chosen.most)
    if chosen.into:
        run_here(chosen.names[0], scale, chosen.into)
        return 0
    wanted = chosen.names or names()
    if unknown := sorted(set(wanted) - set(names())):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names())}")
    failed = []
    for name in wanted:
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        try:
            found = run_apart(name, scale)
        except subprocess.CalledProcessError as error:
            failed.append(f"{name} ended with {error.returncode}")
            continue
        print(as_text(found), flush=True)
        if not (scale.short or chosen.no_write):
            keep(name, found)  # at once: whoever ends a long run early keeps what it found
    for one in failed:
        print(f"bench: {one}", file=sys.stderr)
    return 1 if failed else 0


def keep(ran: str, found: list[Figure]) -> None:
    """Replace the lines of a benchmark that ran and write the page anew."""
    kept_in = DOCS / "benchmarks.json"
    kept = json.loads(kept_in.read_text()) if kept_in.exists() else {}
    kept[ran] = [one.document() for one in found]
    kept = {name: kept[name] for name in names() if name in kept}
    kept_in.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    figures = {name: [Figure.of(one) for one in many] for name, many in kept.items()}
    (DOCS / "benchmarks.md").write_text(as_page(figures))


if __name__ == "__main__":
    sys.exit(main())
