"""What somebody does (操作): a kind, the words for the trace, and the work itself."""

from collections.abc import Callable
from dataclasses import dataclass

from medfund.bootstrap import House

Work = Callable[[House], str]


@dataclass(frozen=True, slots=True)
class Command:
    """Something one person or worker does; after a crash it is done again."""

    kind: str
    words: str
    work: Work
    worker: bool = False
