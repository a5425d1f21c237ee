"""Bring one claims file into a fresh book, alone in a process, and print what it took as JSON."""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks._claims_file import INSTITUTIONS
from benchmarks._memory import peak_bytes
from benchmarks._stores import AREA, CpuClock

from ledger.application import FundLedger
from ledger.store import schema
from ledger.store.vault import Vault
from medfund.bootstrap import new_key, now
from projections.store import ReadStore
from settlement.intake import bring_in
from settlement.intake.claim_check import ClaimsExaminer
from settlement.intake.post_claims import ClaimPoster
from settlement.setup import apply_setup, load_area
from settlement.setup_file import SetupFile

#: What each of these takes of CPU in its own thread.
STEPS = {
    "check": (ClaimsExaminer, "examine"),
    "encode": (ClaimPoster, "_ready"),
    "commit": (FundLedger, "append_prepared"),
}


def counted(took: dict[str, float], name: str, owner: Any, method: str) -> None:
    """Count the CPU that a method takes."""
    work: Callable[..., Any] = getattr(owner, method)

    def counting(*words: Any, **named: Any) -> Any:
        start = time.thread_time()
        try:
            return work(*words, **named)
        finally:
            took[name] += time.thread_time() - start

    setattr(owner, method, counting)


def main(url: str, path: Path) -> None:
    schema.upgrade(url)
    with FundLedger(url, clock=now) as ledger:
        reads = ReadStore.open(url)
        vault = Vault(reads.engine, clock=now, new_key=new_key)
        found(ledger)
        took = dict.fromkeys(STEPS, 0.0)
        for name, (owner, method) in STEPS.items():
            counted(took, name, owner, method)
        clock = CpuClock(url)
        cpu, start = clock.seconds(), time.perf_counter()
        desk = bring_in.Desk(
            ledger=ledger,
            vault=vault,
            area=load_area(ledger, AREA),
            user="clerk1",
            today=date(2023, 11, 15),
            wait=lambda: time.sleep(0.2),
        )
        outcome = bring_in.bring_in(path, desk)
        said = {
            "seconds": time.perf_counter() - start,
            "cpu": clock.seconds() - cpu,
            "posted": outcome.posted,
            "peak": peak_bytes(),
            "steps": took,
        }
        clock.close()
        reads.close()
    print(json.dumps(said))


def found(ledger: FundLedger) -> None:
    """Set the area up with its hospitals."""
    file = SetupFile.model_validate(
        {
            "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390", "610"]},
            "users": [
                {"name": "clerk1", "roles": ["clerk"]},
                {"name": "admin1", "roles": ["administrator"]},
            ],
            "institutions": [{"code": code, "name": code, "level": 3} for code in INSTITUTIONS],
        }
    )
    apply_setup(ledger, file, user="admin1")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
