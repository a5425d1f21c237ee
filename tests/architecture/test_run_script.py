"""The script that sets everything up, tried in a checkout of its own with a pretended ``uv``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from architecture.rules import ROOT

TOOLS = ("sh", "cat", "chmod", "cksum", "dirname", "mkdir", "rm", "rmdir", "sleep")

# Stands for uv: writes down how it was called and makes what the real one would make.
UV = """#!/bin/sh
echo noise of the installer
echo "uv $*" >>"$UV_LOG"
sleep 0.1
for last; do :; done
[ "$1" = venv ] || exit 0
mkdir -p "$last/bin"
printf '#!/bin/sh\\nexit 0\\n' >"$last/bin/python"
printf '#!/bin/sh\\necho "out: $(pwd -P): $*"\\necho "err" >&2\\nexit 3\\n' >"$last/bin/medfund"
chmod +x "$last/bin/python" "$last/bin/medfund"
"""

# Stands for a Debian Python without python3-venv.
BARE_PYTHON = """#!/bin/sh
case "$2" in
*version_info\\ \\<*) exit 0 ;;
*ensurepip*) exit 1 ;;
*) echo 3.11 ;;
esac
"""
OLD_PYTHON = "#!/bin/sh\nexit 1\n"


class Checkout:
    """A folder with ``run`` and what it reads, and a path of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.elsewhere = folder / "else where"
        self.bin = folder / "bin"
        self.log = folder / "uv.log"
        for made in (self.root, self.elsewhere, self.bin):
            made.mkdir()
        for name in ("run", "requirements.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)
        for tool in (*TOOLS, "flock"):
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        self.log.touch()

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)  # never write through a link to the real program
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "run", *arguments],
            cwd=self.elsewhere,
            env={"PATH": str(self.bin), "UV_LOG": str(self.log)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture
def with_uv(checkout):
    checkout.program("uv", UV)
    return checkout


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_shell_can_read_it(script):
    text = (ROOT / script).read_text(encoding="utf-8")
    shell = "bash" if "bash" in text.splitlines()[0] else shutil.which("dash") or "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True)
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("arguments", [(), ("unknown",), ("--help",)])
def test_a_wrong_call_says_the_usage_on_stderr(checkout, arguments):
    code, out, err = checkout.run(*arguments)
    assert (code, out) == (64, "")
    assert "./run demo" in err
    assert not (checkout.root / ".venv").exists()


def test_the_first_call_installs_from_the_lock_and_becomes_the_command(with_uv):
    code, out, err = with_uv.run("medfund", "balances", "--as", "a b")
    assert code == 3
    assert out == f"out: {with_uv.elsewhere.resolve()}: balances --as a b\n"
    assert "setting up" in err
    assert "noise of the installer" in err
    create, lock, ourselves = with_uv.calls()
    assert create.startswith("uv venv")
    assert "--require-hashes -r requirements.lock" in lock
    assert "--no-deps --no-build-isolation -e ." in ourselves


def test_the_next_call_says_nothing_itself(with_uv):
    with_uv.run("medfund")
    assert with_uv.run("medfund", "x") == (3, f"out: {with_uv.elsewhere.resolve()}: x\n", "err\n")
    assert len(with_uv.calls()) == 3


def test_the_demo_runs_in_the_checkout(with_uv):
    code, out, _ = with_uv.run("demo", "--seed", "7")
    assert (code, out) == (3, f"out: {with_uv.root.resolve()}: demo --seed 7\n")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_is_installed_into_the_same_environment(with_uv, name):
    with_uv.run("medfund")
    with (with_uv.root / name).open("a") as changed:
        changed.write("# changed\n")
    with_uv.run("medfund")
    with_uv.run("medfund")
    assert [call.split()[1] for call in with_uv.calls()] == ["venv", "pip", "pip", "pip", "pip"]


@pytest.mark.parametrize("state", ["unfinished", "1 2 /another/place"])
def test_an_interrupted_or_moved_environment_is_made_anew(with_uv, state):
    with_uv.run("medfund")
    (with_uv.root / ".venv" / ".set-up").write_text(f"{state}\n")
    leftover = with_uv.root / ".venv" / "leftover"
    leftover.touch()
    assert with_uv.run("medfund")[0] == 3
    assert not leftover.exists()
    assert len(with_uv.calls()) == 6


@pytest.mark.parametrize("flock", [True, False])
def test_two_that_start_at_once_set_up_once(with_uv, flock):
    if not flock:
        (with_uv.bin / "flock").unlink(missing_ok=True)
        with_uv.program("sleep", "#!/bin/sh\n")  # nobody waits five seconds here
    both = [with_uv.start("medfund", name) for name in ("one", "two")]
    said = [process.communicate(timeout=60)[0].split(": ")[-1] for process in both]
    assert said == ["one\n", "two\n"]
    assert len(with_uv.calls()) == 3


def test_where_uv_cannot_pip_is_tried(checkout):
    checkout.program("uv", "#!/bin/sh\nexit 2\n")
    code, out, err = checkout.run("medfund")
    assert (code, out) == (69, "")
    assert "apt install python3 python3-venv" in err


@pytest.mark.parametrize(
    ("python", "advice"),
    [
        (None, "apt install python3 python3-venv"),
        (OLD_PYTHON, "no Python 3.11 or later"),
        (BARE_PYTHON, "apt install python3.11-venv"),
    ],
)
def test_what_is_missing_is_said(checkout, python, advice):
    if python:
        checkout.program("python3", python)
    code, out, err = checkout.run("medfund")
    assert (code, out) == (69, "")
    assert advice in err


def test_a_python_that_lacks_nothing_is_found(checkout):
    (checkout.bin / "python3").symlink_to(sys.executable)
    script = (ROOT / "run").read_text(encoding="utf-8").split("command=${1:-}")[0]
    (checkout.root / "find").write_text(f'{script}\nfind_python; echo "$python"\n')
    found = subprocess.run(
        ["sh", checkout.root / "find"],
        env={"PATH": str(checkout.bin)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "python3\n"
