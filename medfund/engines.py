"""Engines by their names (计算引擎): DuckDB in this process, or Spark where it is installed."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ledger.errors import Unavailable
from medfund.settings import Settings
from settlement.clearing.engine import Engine
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.records import MEMORY_MIB

EngineName = Literal["duckdb", "spark"]
NAMES: tuple[EngineName, ...] = ("duckdb", "spark")


class SparkAbsent(Unavailable):
    """PySpark is not installed here (未安装 Spark)."""

    code = "spark_absent"
    zh = "本机未安装 PySpark。"
    en = "PySpark is not installed here."
    hint_zh = "请按 docs/clearing.md 安装 requirements-spark.lock 与 Java,或使用 --engine duckdb。"
    hint_en = "Install requirements-spark.lock and Java (docs/clearing.md), or use --engine duckdb."


@contextmanager
def engine_of(name: EngineName, settings: Settings) -> Iterator[Engine]:
    """Open an engine; SparkAbsent where it is not installed."""
    if name == "duckdb":
        yield DuckDBEngine(memory_mib=MEMORY_MIB)
        return
    if importlib.util.find_spec("pyspark") is None:
        raise SparkAbsent
    from settlement.clearing.engines.spark import connected  # noqa: PLC0415 - may be absent

    with connected(settings.spark_master) as engine:
        yield engine
