"""Facts of bringing files in (导入): started, posting, completed.

Rows are events of their own; a row of a claims file counts in the figures when its intake is
completed.
"""

from ledger.events.base import Fact


class IntakeFact(Fact, frozen=True, kw_only=True):
    """A fact on the stream of one intake."""

    area: str
    intake: str  # short id shown to people
    by: str


class IntakeStarted(IntakeFact, frozen=True, kw_only=True):
    """导入开始: the file was checked as a whole; its rows follow in chunks."""

    TOPIC = "intake.started.v1"

    kind: str
    file: str  # name only, no path
    content: str  # keyed hash of the file's bytes
    accepted: int
    rejected: int
    partial: bool
    funds: tuple[str, ...]
    months: tuple[str, ...]


class IntakeCompleted(IntakeFact, frozen=True, kw_only=True):
    """导入完成: from here on its rows count."""

    TOPIC = "intake.completed.v1"

    kind: str
    file: str
    content: str
    accepted: int
    rejected: int
    posted: int
    already: int
    first_position: int | None = None
    last_position: int | None = None


class IntakeReversed(IntakeFact, frozen=True, kw_only=True):
    """整批冲销: every row of the intake that still stood was reversed."""

    TOPIC = "intake.reversed.v1"

    reason: str
    reversed_rows: int
