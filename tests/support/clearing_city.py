"""A city's claims in the layout of the archive, made by DuckDB: ten million in half a minute.

The columns that the kernel reads and some that it passes by; no ``state``, which
nothing here reads. 300 groups, 200 hospitals, twelve months; one in a hundred settlements is
refunded, one in a thousand reversed, one in two hundred names no group.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
from support.clearing_examples import AREA

from settlement.clearing.cases import kernel
from settlement.clearing.cases.scoring import Scope
from settlement.clearing.engine import Parts
from settlement.clearing.methods.drg import DrgRules
from settlement.clearing.policies.policy import Dip, Drg, Group

MONTHS = 12
ROW_GROUP = 122_880
RULES = Dip(
    groups={
        f"G{number:05d}": Group(
            points4=1_000_000 + number * 61_327, average_fen=400_000 + number * 11_113
        )
        for number in range(300)
    },
    coefficients4={f"H3301{number:07d}": 6_000 + number * 41 for number in range(200)},
)
#: The same groups as stays: eight of ten persons of the city come again at some time.
STAYS = Drg(
    groups=RULES.groups,
    coefficients4=RULES.coefficients4,
    rules=DrgRules(incomplete_ways=frozenset({"4"}), readmission_anywhere=True),
)
SCOPE = Scope(
    area=AREA,
    fund="310.pooled",
    insutypes=frozenset({"310", "510"}),
    months=frozenset(f"2025-{month:02d}" for month in range(1, MONTHS + 1)),
    kinds=frozenset(
        ("21", med_type, institution)
        for med_type in ("21", "22")
        for institution in RULES.coefficients4
    ),
)


@dataclass(frozen=True)
class City:
    """Parts by the names that the kernel gives them, and the position they reach."""

    parts: dict[str, Parts]
    watermark: int


def lay_out(folder: Path, claims: int, *, parts_a_month: int = 1) -> City:
    """Write the parts; positions follow the months, corrections lie behind all settlements."""
    files: dict[str, list[Path]] = {name: [] for name in kernel.ARCHIVE}
    pieces = MONTHS * parts_a_month
    with duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": True}) as duck:
        for piece in range(pieces):
            first, last = claims * piece // pieces + 1, claims * (piece + 1) // pieces
            month = f"2025-{piece // parts_a_month + 1:02d}"
            made = f"SELECT {_SETTLED} FROM ({_SEEDS.format(first=first, end=last + 1)})"
            made = made.format(month=month)
            files["settled"].append(_copy(duck, made, _path(folder, "settled", month, first, last)))
        month, behind = "2025-12", claims
        for name, columns, step in (("refunded", _REFUNDED, 100), ("reversed", _REVERSED, 1000)):
            settled = _SEEDS.format(first=1, end=claims + 1)
            made = (
                f"SELECT {behind} + row_number() OVER (ORDER BY i) AS position, {columns}"
                f" FROM ({settled}) WHERE i % {step} = {step // 2}"
            ).format(month=month)
            last = behind + claims // step
            files[name].append(_copy(duck, made, _path(folder, name, month, behind + 1, last)))
            behind = last
    files["stays"] = files["settled"]
    parts = {
        name: Parts(columns, tuple(files[name])) for name, (_, columns) in kernel.ARCHIVE.items()
    }
    return City(parts, behind)


def laid_out(folder: Path, watermark: int) -> City:
    """Name the parts of a city that another process laid out."""
    parts = {
        name: Parts(columns, tuple(sorted(folder.glob(f"v1/event_type={topic}/*/*/*/*.parquet"))))
        for name, (topic, columns) in kernel.ARCHIVE.items()
    }
    return City(parts, watermark)


def _path(folder: Path, name: str, month: str, first: int, last: int) -> Path:
    topic = kernel.ARCHIVE[name][0]
    within = folder / f"v1/event_type={topic}/area={AREA}/fund=310/period={month}"
    within.mkdir(parents=True, exist_ok=True)
    return within / f"part-{first:012d}-{last:012d}.parquet"


def _copy(duck: duckdb.DuckDBPyConnection, made: str, path: Path) -> Path:
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
    duck.execute(f"COPY ({made}) TO '{path}' ({options})")
    return path


_SEEDS = "SELECT i, hash(i) // 2 AS h FROM range({first}, {end}) AS r(i)"
_NUMBER = "'330100' || lpad(CAST(hash(i * 3) % 1000000000000 AS VARCHAR), 12, '0') || lpad(CAST(i AS VARCHAR), 9, '0')"
_DAY = "lpad(CAST(1 + h % 28 AS VARCHAR), 2, '0')"
_SAME = f"""
    CAST(uuid() AS VARCHAR) AS stream, CAST(1 AS BIGINT) AS version, '{AREA}' AS area,
    '{{month}}-' || {_DAY} AS booked_on, {_NUMBER} AS setl_id,
    CASE WHEN h % 50 = 0 THEN '510' ELSE '310' END AS insutype,
    'H3301' || lpad(CAST((h // 7) % 200 AS VARCHAR), 7, '0') AS institution,
    CASE WHEN (h // 3) % 20 = 0 THEN '52' ELSE '21' END AS med_type, '21' AS clr_type,
    '{{month}}' AS belongs_to,
    CASE WHEN (h // 5) % 200 = 0 THEN NULL
        ELSE 'G' || lpad(CAST((h // 1000) % 300 AS VARCHAR), 5, '0') END AS dise_code"""
_SETTLED = f"""i AS position, {_SAME},
    CAST(100000 + (h // 11) % 4000000 AS BIGINT) AS medfee_sumamt,
    CAST(NULL AS BIGINT) AS hosp_part_amt,
    CASE WHEN h % 30 = 0 THEN CAST(h % 60 AS VARCHAR) END AS days,
    md5(CAST((h // 13) % 3000000 AS VARCHAR)) AS person, CAST(1 AS BIGINT) AS person_key,
    '{{month}}-' || {_DAY} AS enddate, '{{month}}-' || {_DAY} AS setl_date,
    CAST(CAST('{{month}}-' || {_DAY} AS DATE) - CAST(h % 20 AS INTEGER) AS VARCHAR) AS begndate,
    CASE WHEN h % 70 = 0 THEN '4' ELSE '1' END AS dscg_way,
    [{{{{'fund': '310.pooled', 'debit': 'claims.incurred', 'credit': 'owed.booked',
        'fen': CAST(70000 + (h // 11) % 4000000 * 6 // 10 AS BIGINT),
        'party': 'H3301' || lpad(CAST((h // 7) % 200 AS VARCHAR), 7, '0')}}}}] AS postings"""
_REFUNDED = f"""{_SAME},
    CAST(-100000 - CAST((h // 11) % 4000000 AS BIGINT) AS BIGINT) AS medfee_sumamt,
    CAST(-70000 - CAST((h // 11) % 4000000 * 6 // 10 AS BIGINT) AS BIGINT) AS hifp_pay"""
_REVERSED = f"""{_SAME}, FALSE AS refund, i AS original_position"""
