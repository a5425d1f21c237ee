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
    started: bool = False
    completed: IntakeCompleted | None = None

    @property
    def intake(self) -> str:
        """Name the intake for people: short, and the same whenever the file comes again."""
        suffix = f".{self.number}" if self.number > 1 else ""
        return f"I{self.content[:12]}{suffix}"

    @property
    def key(self) -> str:
        """Name the commit that completes the intake."""
        return f"intake:{self.stream}:{self.number}:{self.version}"


def load_attempt(ledger: FundLedger, *, area: str, kind: str, file: str, content: str) -> Attempt:
    """Fold the stream of a content: not seen, started, completed, or reversed and free to come again."""
    stream = intake_stream(area, kind, content)
    number, version, started = 1, 0, False
    completed: IntakeCompleted | None = None
    for _, envelope in ledger.history(stream):
        version = envelope.originator_version
        match envelope.fact:
            case IntakeStarted():
                started = True
            case IntakeCompleted():
                completed, started = envelope.fact, False
            case IntakeReversed():
                number, completed, started = number + 1, None, False
    return Attempt(area, kind, file, content, number, stream, version, started, completed)
