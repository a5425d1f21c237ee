"""One try to bring a file in: its stream, its short id, and whether the same bytes stand already."""

from dataclasses import dataclass
from uuid import UUID

from ledger.application import FundLedger
from ledger.domain.identity import intake_stream
from ledger.events.intake import IntakeCompleted, IntakeReversed, IntakeStarted


@dataclass(frozen=True, slots=True)
class Attempt:
    """A file's content on its way into the books of one area.

    ``number`` counts up each time the content was reversed as a whole and may come again.
    """

    area: str
    kind: str
    file: str
    content: str
    number: int
    stream: UUID
    version: int  # of the intake's stream
    started_at: int | None = None  # position of the start of an unfinished round
    completed: IntakeCompleted | None = None

    @property
    def intake(self) -> str:
        """Name the intake for people: short, and the same whenever the file comes to this area again."""
        suffix = f".{self.number}" if self.number > 1 else ""
        return f"I{self.stream.hex[:12]}{suffix}"

    @property
    def round(self) -> int:
        """Count the rounds of a content by the version its first fact has on the stream."""
        return self.version if self.started_at is not None else self.version + 1

    @property
    def key(self) -> str:
        """Name the commits of this round."""
        return f"intake:{self.stream}:{self.round}"


def load_attempt(ledger: FundLedger, *, area: str, kind: str, file: str, content: str) -> Attempt:
    """Fold the stream of a content: not seen, started, completed, or reversed and free to come again."""
    stream = intake_stream(area, kind, content)
    number, version = 1, 0
    started_at: int | None = None
    completed: IntakeCompleted | None = None
    for position, envelope in ledger.history(stream):
        version = envelope.originator_version
        match envelope.fact:
            case IntakeStarted():
                started_at = position
            case IntakeCompleted():
                completed, started_at = envelope.fact, None
            case IntakeReversed():
                number, completed, started_at = number + 1, None, None
    return Attempt(area, kind, file, content, number, stream, version, started_at, completed)
