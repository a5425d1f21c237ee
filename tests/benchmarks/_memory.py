"""Peak memory of the process that asks, for benchmarks that run something alone in one."""

import re
from pathlib import Path


def peak_bytes() -> int:
    """Give the most that was in memory at once, as Linux counts it for what runs now.

    ``ru_maxrss`` does not tell that: a process begins with the figure of the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise OSError("this machine does not say how much memory was in use at most")
    return int(found[1]) << 10
