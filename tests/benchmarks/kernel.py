"""The clearing over a year of a city's claims, against DuckDB touching the same columns.

Points by disease groups (DIP) in one text; points of stays (DRG) with their steps before it, the
readmissions by person among them.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
from benchmarks.figures import Figure, Paired, Scale, paired, seconds
from support import drg_reference, spark
from support.clearing_city import RULES, SCOPE, STAYS, City, lay_out
from support.clearing_reference import reference

from settlement.clearing.cases import kernel
from settlement.clearing.cases.drg_scoring import score_stays
from settlement.clearing.cases.run import score_cases
from settlement.clearing.engine import Engine
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.records import MEMORY_MIB

ENGINE = DuckDBEngine(memory_mib=160, threads=os.cpu_count() or 1)

#: Columns of settlements that only stays or places of insurance are asked for.
_OF_STAYS = {"begndate", "dscg_way"}
_NOT_SCORED = {"insuplc_admdvs"}

#: What any engine has to do before it can score: give every value of these columns once.
_SETTLED = [one for one in kernel.ARCHIVE["settled"][1] if one[0] not in _NOT_SCORED]
_COLUMNS = [one for one in _SETTLED if one[0] not in _OF_STAYS]
_STAY_COLUMNS = [*dict([*_SETTLED, *kernel.ARCHIVE["stays"][1]]).items()]
_TOUCH_OF = {"BIGINT": "SUM({})", kernel.POSTINGS: "SUM({}[1].fen)"}

#: Run in a process of its own, which imports what clearing needs and no more.
_APART = """
import sys
from pathlib import Path
from benchmarks._memory import peak_bytes
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.cases.run import score_cases
from support.clearing_city import RULES, SCOPE, laid_out
folder, watermark, memory_mib, threads = Path(sys.argv[1]), *map(int, sys.argv[2:])
engine = DuckDBEngine(memory_mib=memory_mib, threads=threads)
score_cases(engine, laid_out(folder, watermark).parts, RULES, SCOPE, watermark=watermark)
print(peak_bytes())
"""


def figures(scale: Scale) -> Iterator[Figure]:
    """Give the figures of the kernel."""
    with tempfile.TemporaryDirectory(prefix="medfund-kernel-") as folder:
        claims, few = scale.of(10_000_000, 60_000), scale.of(1_000_000, 8_000)
        whole = Path(folder, "whole")
        city = lay_out(whole, claims)
        yield _against_touching(city, claims, rounds=scale.of(9, 3))
        yield _memory(whole, city, claims)
        yield _stays_against_touching(city, claims, rounds=scale.of(3, 1))
        part = lay_out(Path(folder, "part"), few)
        yield _against_python(part, few, rounds=scale.of(3, 1))
        yield _stays_against_python(part, few, rounds=scale.of(3, 1))
        if spark.is_there() and not scale.short:
            yield _on_spark(part, few)  # its tasks, not its rows, are what takes long here


def clear(engine: Engine, city: City) -> None:
    """Score every case of the city."""
    score_cases(engine, city.parts, RULES, SCOPE, watermark=city.watermark)


def clear_stays(engine: Engine, city: City) -> None:
    """Score every case of the city as a stay."""
    score_stays(engine, city.parts, STAYS, SCOPE, watermark=city.watermark)


def _touch(city: City, columns: list[tuple[str, str]]) -> None:
    config = {"memory_limit": f"{ENGINE.memory_mib}MiB", "threads": ENGINE.threads}
    with duckdb.connect(config=config) as connection:
        files = [str(file) for file in city.parts["settled"].files]
        found = connection.read_parquet(files, hive_partitioning=False)
        told = (_TOUCH_OF.get(kind, "MAX({})").format(name) for name, kind in columns)
        found.aggregate(", ".join(told)).fetchall()


def _against_touching(city: City, claims: int, *, rounds: int) -> Figure:
    ours, theirs = partial(clear, ENGINE, city), partial(_touch, city, _COLUMNS)
    times = paired(partial(seconds, ours), partial(seconds, theirs), rounds=rounds)
    ratio, low, high = times.time()
    return Figure(
        work=f"clearing kernel, {_millions(claims)} claims",
        against=f"DuckDB touching the same {len(_COLUMNS)} columns",
        ratio=ratio,
        low=low,
        high=high,
        aim="≤ 2",
        unit="× time",
        said=_rate(claims, times),
        limited_by="Two joins on texts (group, institution) and one on the settlement's number,"
        " for refunds; reading the number is most of the touching.",
    )


def _stays_against_touching(city: City, claims: int, *, rounds: int) -> Figure:
    engine = DuckDBEngine(memory_mib=MEMORY_MIB, threads=ENGINE.threads)
    ours, theirs = partial(clear_stays, engine, city), partial(_touch, city, _STAY_COLUMNS)
    times = paired(partial(seconds, ours), partial(seconds, theirs), rounds=rounds)
    ratio, low, high = times.time()
    return Figure(
        work=f"DRG points with readmissions, {_millions(claims)} claims",
        against=f"DuckDB touching the same {len(_STAY_COLUMNS)} columns",
        ratio=ratio,
        low=low,
        high=high,
        aim="",
        unit="× time",
        said=_rate(claims, times),
        limited_by=f"Within {MEMORY_MIB} MiB: every slice of persons reads tokens, groups and dates again"
        " and joins them with themselves.",
    )


def _memory(folder: Path, city: City, claims: int) -> Figure:
    told = [city.watermark, ENGINE.memory_mib, ENGINE.threads]
    words = [sys.executable, "-c", _APART, str(folder), *map(str, told)]
    ran = subprocess.run(words, check=True, capture_output=True, text=True)
    mebibytes = int(ran.stdout) / (1 << 20)
    return Figure(
        work=f"clearing kernel, {_millions(claims)} claims: peak memory of the process",
        against="–",
        ratio=mebibytes,
        low=mebibytes,
        high=mebibytes,
        aim="< 300",
        unit="MiB",
        said=f"DuckDB limited to {ENGINE.memory_mib} MiB; the rest is the interpreter, its"
        " libraries and the pages of files that are being read.",
    )


def _against_python(city: City, claims: int, *, rounds: int) -> Figure:
    def naive() -> None:
        reference(city.parts, RULES, SCOPE, watermark=city.watermark)

    ours = partial(clear, ENGINE, city)
    times = paired(partial(seconds, ours), partial(seconds, naive), rounds=rounds, warm=0)
    ratio, low, high = times.speed()
    return Figure(
        work=f"clearing kernel, {_millions(claims)} claims",
        against="a loop over the cases in Python fractions",
        ratio=ratio,
        low=low,
        high=high,
        aim="",
        unit="× speed",
        said=_rate(claims, times),
    )


def _stays_against_python(city: City, claims: int, *, rounds: int) -> Figure:
    def naive() -> None:
        drg_reference.reference(city.parts, STAYS, SCOPE, watermark=city.watermark)

    engine = DuckDBEngine(memory_mib=MEMORY_MIB, threads=ENGINE.threads)
    ours = partial(clear_stays, engine, city)
    times = paired(partial(seconds, ours), partial(seconds, naive), rounds=rounds, warm=0)
    ratio, low, high = times.speed()
    return Figure(
        work=f"DRG points with readmissions, {_millions(claims)} claims",
        against="a loop over stays and persons in Python fractions",
        ratio=ratio,
        low=low,
        high=high,
        aim="",
        unit="× speed",
        said=_rate(claims, times),
    )


def _on_spark(city: City, claims: int) -> Figure:
    """Compare Spark with Spark: the kernel with scanning one column, both warm."""
    from settlement.clearing.engines.spark import SparkEngine  # noqa: PLC0415 - may be absent

    with spark.cluster(executor_memory="1g") as cluster:
        engine = SparkEngine(cluster.session)
        files = [f"file://{file}" for file in city.parts["settled"].files]
        columns = [f"max({name})" for name, _ in _COLUMNS]

        def touch() -> None:
            cluster.session.read.parquet(*files).selectExpr(*columns).collect()

        ours = partial(seconds, partial(clear, engine, city))
        times = paired(ours, partial(seconds, touch), rounds=3)
    ratio, low, high = times.time()
    return Figure(
        work=f"clearing kernel on Spark, {_millions(claims)} claims, warm",
        against=f"Spark touching the same {len(_COLUMNS)} columns",
        ratio=ratio,
        low=low,
        high=high,
        aim="",
        unit="× time",
        said=f"{_rate(claims, times)} A master, two workers of one core and the driver on loopback,"
        " without the second compiler of Java: the same machine as DuckDB, which is not its purpose.",
    )


def _millions(count: int) -> str:
    return f"{count / 1_000_000:g} M"


def _rate(claims: int, times: Paired) -> str:
    return f"{claims / min(times.ours) / 1_000_000:.2g} M claims a second at best."
