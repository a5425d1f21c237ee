"""The archive brought up to the log, for commands that decide by it."""

from ledger.archive.read import Archive
from ledger.archive.write import PATIENCE_SECONDS, bring_up_to
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.partitions import spread_of
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.owed import Records
from settlement.clearing.records import MEMORY_MIB


def archive_up_to_now(session: Session, house: House) -> tuple[Archive, int]:
    """Bring the archive up to the log as it stands; give it with that position."""
    output, log = session.output, house.ledger.log
    position = log.last_position()
    with output.progress("archive") as progress:
        done = bring_up_to(
            log,
            house.archive,
            position=position,
            progress=progress,
            patience_seconds=PATIENCE_SECONDS,
        )
    if done.events:
        output.note(
            output.say(
                f"已续写归档 {done.events} 个事件,至日志位置 {done.position}。",
                f"Archived {done.events} more events first, up to position {done.position}.",
            )
        )
    return Archive(house.archive), position


def records_up_to_now(session: Session, house: House, area: str) -> Records:
    """Bring the archive up to the log as it stands, and give whoever answers from it there."""
    archive, position = archive_up_to_now(session, house)
    archive.require(position)
    engine = DuckDBEngine(memory_mib=MEMORY_MIB)
    return Records(archive, engine, area, position, spread_of(house))
