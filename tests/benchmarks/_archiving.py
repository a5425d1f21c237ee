"""Run as a program: archive a book in a process of its own and say its peak memory in MiB."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._memory import peak_bytes

from ledger.application import FundLedger
from ledger.archive.write import bring_up_to


def main(url: str, folder: Path) -> None:
    with FundLedger(url, clock=lambda: datetime.now(tz=UTC)) as ledger:
        bring_up_to(ledger.log, folder)
    print(peak_bytes() / (1 << 20))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
