"""Hostile files and a command line that is held to bounds: so much memory, so much processor time."""

import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
import xlwt

HEAD = ("单据号", "入账日期", "统筹区", "险种", "项目", "金额", "备注")
ROW = ("SJ0001", "2023-01-05", "330604", "390", "个人缴费", "1234.56", "一月")
SHEET = "xl/worksheets/sheet1.xml"
CPU_SECONDS, ADDRESS_SPACE = 30, 3 << 29  # 1.5 GiB

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390"]
[[users]]
name = "clerk1"
roles = ["clerk"]
[[users]]
name = "admin1"
roles = ["administrator"]
"""
#: Runs the command line, then says how much memory it took at most.
_PROGRAM = """
import sys
from medfund.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
sys.stdout.flush()
sys.stderr.write(f"\\npeak {peak}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Ended:
    """How a bounded run ended."""

    code: int
    out: str
    err: str
    peak_mib: int

    @property
    def said(self) -> str:
        return self.out + self.err


Bounded = Callable[..., Ended]


@pytest.fixture(scope="session")
def founded(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set a small book up, for the tests to copy."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "setup.toml").write_text(SETUP, encoding="utf-8")
    book = Path(shutil.copy(migrated_sqlite, folder / "books.db"))
    assert _run(book, ["setup", folder / "setup.toml"], user="admin1").code == 0
    return book


@pytest.fixture
def bounded(founded: Path, tmp_path: Path) -> Bounded:
    """Run the command line on a small book in a process of its own, within bounds."""
    book = Path(shutil.copy(founded, tmp_path / "books.db"))

    def run(*words: str | Path, user: str = "clerk1") -> Ended:
        return _run(book, words, user=user)

    return run


def _run(book: Path, words: Sequence[str | Path], *, user: str) -> Ended:
    environment = {**os.environ, "MEDFUND_LANG": "en", "RUST_BACKTRACE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "--db", f"sqlite:///{book}", "--as", user, *words],
        check=False,
        capture_output=True,
        env=environment,
        preexec_fn=_limit,
    )
    err, _, peak = done.stderr.decode(errors="replace").rpartition("\npeak ")
    out = done.stdout.decode(errors="replace")
    assert peak.isdecimal(), f"the process ended with {done.returncode}: {(err + peak)[-2000:]}"
    return Ended(done.returncode, out, err, int(peak) >> 10)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Files:
    """Makes a file that is right, for a test to break."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def raw(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def text(self, *rows: tuple[str, ...]) -> bytes:
        return "".join(",".join(row) + "\n" for row in (HEAD, ROW, *rows)).encode()

    def xls(self) -> bytes:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Sheet1")
        for line, row in enumerate((HEAD, ROW)):
            for column, cell in enumerate(row):
                sheet.write(line, column, cell)
        book.save(str(self.folder / "base.xls"))
        return (self.folder / "base.xls").read_bytes()

    def parts(self) -> dict[str, bytes]:
        """Give the parts of a workbook."""
        path = self.folder / "base.xlsx"
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for line, row in enumerate((HEAD, ROW)):
                for column, cell in enumerate(row):
                    sheet.write_string(line, column, cell)
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def zipped(self, parts: dict[str, bytes], name: str = "book.xlsx") -> Path:
        path = self.folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, data in parts.items():
                archive.writestr(part, data)
        return path

    def with_rows(self, markup: bytes) -> Path:
        """Make a workbook with more rows, written as given."""
        parts = self.parts()
        parts[SHEET] = parts[SHEET].replace(b"</sheetData>", markup + b"</sheetData>")
        return self.zipped(parts)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)
