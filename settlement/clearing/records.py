"""The archive, brought up to the log as it stands: what whoever decides about money asks."""

from collections.abc import Callable
from pathlib import Path

from ledger.archive.read import Archive
from ledger.archive.write import PATIENCE_SECONDS, bring_up_to
from ledger.store.reading import Reading
from settlement.clearing.engine import Engine
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.owed import Records

MEMORY_MIB = 400

Progress = Callable[[int, int], None]


def records_now(
    log: Reading,
    folder: Path,
    *,
    area: str,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Records:
    """Write the archive on to the log's last position, and open it there."""
    watermark = log.last_position()
    bring_up_to(
        log, folder, position=watermark, progress=progress, patience_seconds=PATIENCE_SECONDS
    )
    archive = Archive(folder)
    archive.require(watermark)
    return Records(archive, engine or DuckDBEngine(memory_mib=MEMORY_MIB), area, watermark)
