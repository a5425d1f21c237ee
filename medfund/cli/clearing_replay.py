"""``clear replay RUN``: a recorded run computed again, perhaps on another engine, and compared."""

import sys
from datetime import datetime
from typing import Any

from ledger.aggregates.clearing import Run
from ledger.aggregates.clearing_year import YearRun, year_run_name
from ledger.application import FundLedger
from medfund.bootstrap import ZONE
from medfund.cli.app import Session
from medfund.cli.archived import archive_up_to_now
from medfund.cli.output import Output
from medfund.engines import EngineName, engine_of
from settlement.clearing.owed import Records
from settlement.month_runs import clearing_of
from settlement.run_replay import Replayed, replay_month, replay_year
from settlement.year_runs import year_of

_DIFFERS = 4


def replay_run(session: Session, name: str, engine_name: EngineName) -> None:
    """Compute a run again and say whether it comes to the same; exit 4 where it does not."""
    with session.house() as house, engine_of(engine_name, session.settings) as engine:
        area = session.area(house)
        ledger = house.ledger
        run: Run | YearRun
        year = year_run_name(name, area.code) is not None
        _, run = year_of(ledger, area, name) if year else clearing_of(ledger, area, name)
        archive, _ = archive_up_to_now(session, house)
        watermark = run.computed.watermark
        archive.require(watermark)
        records = Records(archive, engine, area.code, watermark)
        if isinstance(run, YearRun):
            found = replay_year(ledger, area, records, run)
        else:
            day = _day_of(ledger, run.position)
            found = replay_month(ledger, area, records, run, computed_on=day.date())
    document = _document(found, run.state)
    session.output.answer(document, lambda: _render(session.output, document))
    if found.differs:
        sys.exit(_DIFFERS)


def _day_of(ledger: FundLedger, position: int) -> datetime:
    """Give the moment at which a position was committed, on the field's clock."""
    seal = ledger.log.seal_covering(position)
    if seal is None:
        raise AssertionError("every commit has a seal")
    return datetime.fromtimestamp(seal.at_us / 1_000_000, ZONE)


def _document(found: Replayed, state: str) -> dict[str, Any]:
    recorded, record = found.recorded, found.record
    return {
        "run": recorded.run,
        "state": state,
        "policy": recorded.policy,
        "watermark": recorded.watermark,
        "recorded": {
            "engine": recorded.engine,
            "engine_version": recorded.engine_version,
            **{name: getattr(recorded, name) for name in found.now},
        },
        "replayed": {
            "engine": record.engine,
            "engine_version": record.engine_version,
            **found.now,
        },
        "differs": found.differs,
        "equal": not found.differs,
    }


def _render(output: Output, document: dict[str, Any]) -> None:
    recorded, replayed = document["recorded"], document["replayed"]
    where = output.say(
        "政策 {policy},日志位置 {watermark}", "policy {policy}, position {watermark}"
    )
    output.line(f"{document['run']}  {where.format(**document)}")
    names = {
        "engine": output.say("引擎", "engine"),
        "engine_version": output.say("引擎版本", "engine version"),
        "kernel": output.say("规则哈希", "kernel"),
        "parameters": output.say("参数摘要", "parameters"),
        "result": output.say("结果摘要", "result"),
        "plan_hash": output.say("方案哈希", "plan"),
    }
    heads = (
        output.say("项目", "item"),
        output.say("记录", "recorded"),
        output.say("重算", "replayed"),
    )
    rows = [(said, recorded[key], replayed[key]) for key, said in names.items()]
    output.table(heads, rows)
    if document["equal"]:
        output.line(output.say("重算一致。", "It comes to the same."))
    elif "kernel" in document["differs"]:
        output.line(
            output.say(
                "规则文本与当时不同:请用当时的版本重算后再比较。",
                "The rules are not those of then: replay with the version that computed the run.",
            )
        )
    else:
        output.line(
            output.say("重算不一致,请执行 verify。", "It comes to something else: run verify.")
        )
