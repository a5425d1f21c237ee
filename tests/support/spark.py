"""A Spark cluster on this machine: a master and workers on loopback, each a process of its own.

It needs Java and the packages of ``requirements-spark.lock``; without them a test is skipped, with
``CI=true`` it fails. Everything it writes lies in one folder, and every process it starts belongs to
a group that is ended with it.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.services import _absent, find_program, free_port

_STARTUP_SECONDS = 120
_HOST = "127.0.0.1"
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def require_spark() -> None:
    """Skip the test, or fail it under CI, where Spark cannot run."""
    if not is_there():
        _absent("Spark", "JAVA_HOME", "default-jre-headless and requirements-spark.lock")


def is_there() -> bool:
    """Tell whether Java and PySpark are installed."""
    return _java() is not None and importlib.util.find_spec("pyspark") is not None


def _java() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    if home and Path(home, "bin/java").is_file():
        return Path(home, "bin/java")
    return find_program("java")


class Cluster:
    """A master, its workers and one session as their client."""

    def __init__(self, folder: Path, *, workers: int, executor_memory: str) -> None:
        import pyspark  # noqa: PLC0415 - an extra that may be absent

        self.folder = folder
        self.session: Any = None
        self._home = Path(pyspark.__file__).parent
        self._executor_memory = executor_memory
        self._port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        where = ("--host", _HOST, "--port", str(self._port), "--webui-port", "0")
        self._start("master", "org.apache.spark.deploy.master.Master", *where)
        self._wait_for_master()
        for _ in range(workers):
            self.add_worker()

    @property
    def master(self) -> str:
        return f"spark://{_HOST}:{self._port}"

    def add_worker(self) -> None:
        """Start a worker of one core."""
        name = f"worker-{len(self._workers)}"
        options = ("--host", _HOST, "--cores", "1", "--memory", "1g", "--webui-port", "0")
        work = ("--work-dir", str(self.folder / name), self.master)
        running = self._start(name, "org.apache.spark.deploy.worker.Worker", *options, *work)
        self._workers.append(running)

    def executors(self) -> int:
        """Count the executors that the driver knows, one a worker."""
        return len(self.session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) - 1

    def kill_worker(self) -> None:
        """End one worker with its executor at once, as a machine that loses power."""
        victim = self._workers[0]
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
        self._processes.remove(victim)
        del self._workers[0]

    def connect(self) -> None:
        """Make the session; its driver is a process of its own, behind this one."""
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra that may be absent

        with _environment(self._environment()):
            builder = SparkSession.builder.master(self.master).appName("medfund tests")
            for name, value in self._settings().items():
                builder = builder.config(name, value)
            self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        self._wait_for(lambda: self.executors() == len(self._workers), "worker-0")

    def stop(self) -> None:
        """End the session, then every process."""
        if self.session is not None:
            _end_session(self.session)
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _settings(self) -> dict[str, str]:
        return {
            "spark.driver.host": _HOST,
            "spark.driver.bindAddress": _HOST,
            "spark.driver.memory": "512m",
            "spark.executor.memory": self._executor_memory,
            "spark.local.dir": str(self.folder / "local"),
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.files.openCostInBytes": "134217728",  # a task for every file
            # Short-lived processes: what the second compiler costs never comes back.
            "spark.driver.extraJavaOptions": _QUICK,
            "spark.executor.extraJavaOptions": _QUICK,
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.catalogImplementation": "in-memory",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }

    def _environment(self) -> dict[str, str]:
        return {
            "SPARK_HOME": str(self._home),
            "SPARK_LOCAL_IP": _HOST,
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": _QUICK,
            "SPARK_NO_DAEMONIZE": "1",
        }

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as output:
            running = subprocess.Popen(
                [str(self._home / "bin/spark-class"), *words],
                env=os.environ | self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(running)
        return running

    def _said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _wait_for_master(self) -> None:
        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex((_HOST, self._port)) == 0

        self._wait_for(listens, "master")

    def _wait_for(self, happened: Any, name: str) -> None:
        give_up = time.monotonic() + _STARTUP_SECONDS
        while not happened():
            if time.monotonic() > give_up:
                raise TimeoutError(f"Spark's {name} did not start:\n{self._said(name)[-2000:]}")
            time.sleep(0.1)


def _end_session(session: Any) -> None:
    gateway = session.sparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)
    # A session made later starts a driver of its own.
    from pyspark import SparkContext  # noqa: PLC0415 - an extra that may be absent

    SparkContext._gateway = SparkContext._jvm = None


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the driver that is about to start, and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def cluster(*, workers: int = 2, executor_memory: str = "512m") -> Iterator[Cluster]:
    """Run a cluster for a while and leave nothing of it."""
    require_spark()
    folder = Path(tempfile.mkdtemp(prefix="medfund-spark-"))
    running = None
    try:
        running = Cluster(folder, workers=workers, executor_memory=executor_memory)
        running.connect()
        yield running
    finally:
        if running is not None:
            running.stop()
        shutil.rmtree(folder, ignore_errors=True)
