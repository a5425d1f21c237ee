"""The tap for downstream systems: read-only ``/v1``, the same documents as the commands' JSON."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from secrets import token_hex
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Security
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from ledger.domain.period import Period
from medfund.web import questions as ask
from medfund.web import schemas
from medfund.web.auth import Authenticator, Consumer
from medfund.web.feed import Pace, PositionAhead, follow, read_events
from medfund.web.guarding import GuardingHeaders
from medfund.web.language import language_of
from medfund.web.pages import pages_of
from medfund.web.problems import MEDIA_TYPE, AreaNotAllowed, RequestInvalid, handle_problems
from medfund.web.source import Source
from projections.queries.balances import balances_document
from projections.queries.indicators import indicators_document
from projections.queries.journal import journal_document
from projections.queries.known import known_position
from projections.queries.measures import measures_document
from projections.queries.monthly import monthly_figures
from projections.queries.periods import periods_document
from projections.queries.targets import targets_of

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": schemas.Problem.model_json_schema()}}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {**_PROBLEM, "description": "No token, or one that is unknown or revoked"},
    403: {**_PROBLEM, "description": "The token belongs to another area"},
    409: {**_PROBLEM, "description": "Refused by a rule, or a conflict"},
    422: {**_PROBLEM, "description": "A parameter cannot be used"},
    500: {**_PROBLEM, "description": "The books are damaged, or an internal error"},
    503: {**_PROBLEM, "description": "Try again later"},
}
#: Of the API, not of the product: the second number moves when something is added.
API_VERSION = "1.0"
_NOT_STORED = {"Cache-Control": "no-store"}


def create_app(source: Source, *, lang: str = "zh", pace: Pace | None = None) -> FastAPI:
    """Make the web door of one book; ``lang`` answers where the asker names no language."""

    @asynccontextmanager
    async def caught_up(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(source.catch_up)
        yield

    app = FastAPI(
        lifespan=caught_up,
        title="medfund",
        summary="医保基金账簿 / books of medical-insurance funds, read-only",
        version=API_VERSION,
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
    )
    auth = Authenticator(source)
    handle_problems(app, lang)
    app.include_router(health_of(source))
    app.include_router(_Door(source, auth, lang, pace or Pace()).router())
    pages_of(app, source, auth, lang)
    app.add_middleware(GuardingHeaders)
    return app


def health_of(source: Source) -> APIRouter:
    """Say whether the process lives and whether it can answer; public, without figures."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    def livez() -> schemas.Health:
        """Tell that the process runs."""
        return schemas.Health(status="alive")

    @router.get("/readyz", responses={503: _PROBLEMS[503]})
    def readyz() -> schemas.Health:
        """Tell that log and read models answer."""
        source.ledger.log.last_position()
        with source.reads.reading():
            return schemas.Health(status="ready")

    return router


class _Asked(NamedTuple):
    """Whose figures, and in which language."""

    area: str
    lang: str


class _Door:
    """The routes of ``/v1`` over one book."""

    def __init__(self, source: Source, auth: Authenticator, lang: str, pace: Pace) -> None:
        self._source = source
        self._auth = auth
        self._lang = lang
        self._pace = pace
        self._edition = token_hex(8)  # another process may be another version: its tags differ

    def router(self) -> APIRouter:
        """Put the routes together; every one of them asks who is there before anything else."""
        bearer = HTTPBearer(auto_error=False, description="medfund token create NAME")
        router = APIRouter(
            prefix="/v1",
            tags=["v1"],
            dependencies=[Security(bearer), Depends(self.identify)],
            responses=_PROBLEMS,
        )
        for path, endpoint, model in (
            ("/balances", self.balances, schemas.Balances),
            ("/indicators", self.indicators, schemas.Indicators),
            ("/measures", self.measures, schemas.Measures),
            ("/journal", self.journal, schemas.Journal),
            ("/periods", self.periods, schemas.Periods),
            ("/events", self.events, schemas.Events),
        ):
            router.add_api_route(path, endpoint, response_model=model)
        stream: dict[int | str, dict[str, Any]] = {
            200: {
                "description": "One CloudEvent per message, its position as id",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        }
        router.add_api_route(
            "/events/stream", self.stream, response_class=StreamingResponse, responses=stream
        )
        return router

    def identify(self, request: Request) -> None:
        """Refuse whoever is not known."""
        request.state.consumer = self._auth.consumer(request)

    def balances(
        self, request: Request, question: Annotated[ask.BalancesQuestion, Query()]
    ) -> Response:
        """余额: balances per fund and account, on both time axes."""
        as_of = ask.day_of(question.as_of) if question.as_of else self._source.today()
        return self._answer(
            request,
            question,
            lambda asked: balances_document(
                self._source.reads,
                self._source.ledger,
                area=asked.area,
                fund=question.fund,
                as_of=as_of,
                known_at=self._known(question.known_at),
                book=question.book,
                lang=asked.lang,
            ),
        )

    def indicators(
        self, request: Request, question: Annotated[ask.IndicatorsQuestion, Query()]
    ) -> Response:
        """指标: growth, payable months and the rest, with definition and inputs."""

        def make(asked: _Asked) -> dict[str, Any]:
            figures = monthly_figures(
                self._source.reads,
                self._source.ledger,
                area=asked.area,
                known_at=self._known(question.known_at),
            )
            return indicators_document(
                figures,
                period=Period.parse(question.period),
                fund=question.fund,
                targets=targets_of(self._source.reads, area=asked.area),
                lang=asked.lang,
            )

        return self._answer(request, question, make)

    def measures(
        self, request: Request, question: Annotated[ask.MeasuresQuestion, Query()]
    ) -> Response:
        """考核指标: settlement rate, match rate, case mix and others of approved clearings."""
        return self._answer(
            request,
            question,
            lambda asked: measures_document(
                self._source.reads,
                area=asked.area,
                period=question.period,
                fund=question.fund,
                institution=question.institution,
                lang=asked.lang,
            ),
        )

    def journal(
        self, request: Request, question: Annotated[ask.JournalQuestion, Query()]
    ) -> Response:
        """序时簿: the vouchers of the statutory book."""
        return self._answer(
            request,
            question,
            lambda asked: journal_document(
                self._source.reads,
                area=asked.area,
                fund=question.fund,
                period=question.period,
                known_at=self._known(question.known_at),
                lang=asked.lang,
            ),
        )

    def periods(
        self, request: Request, question: Annotated[ask.PeriodsQuestion, Query()]
    ) -> Response:
        """账期: where every month stands, its steps and its seal."""
        return self._answer(
            request,
            question,
            lambda asked: periods_document(
                self._source.reads,
                area=asked.area,
                fund=question.fund,
                known_at=self._known(question.known_at),
            ),
        )

    def events(
        self, request: Request, question: Annotated[ask.EventsQuestion, Query()]
    ) -> Response:
        """事件: a page of the log after a position, as CloudEvents."""
        asked = self._asked(request, question)
        page = read_events(
            self._source.ledger.log, area=asked.area, after=question.after, limit=question.limit
        )
        return JSONResponse(page.document(), headers=_NOT_STORED)

    def stream(
        self,
        request: Request,
        question: Annotated[ask.StreamQuestion, Query()],
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> StreamingResponse:
        """事件流: the log as it grows, as server-sent events; resume with ``Last-Event-ID``."""
        asked = self._asked(request, question)
        log, consumer = self._source.ledger.log, request.state.consumer
        after = question.after if last_event_id is None else _position(last_event_id)
        end = log.last_position()
        if after > end:
            raise PositionAhead(after=after, position=end)
        messages = follow(
            log,
            area=asked.area,
            after=after,
            pace=self._pace,
            may_go_on=lambda: self._auth.still_stands(consumer),
        )
        headers = {**_NOT_STORED, "X-Accel-Buffering": "no"}
        return StreamingResponse(messages, media_type="text/event-stream", headers=headers)

    def _asked(self, request: Request, question: ask.Question) -> _Asked:
        consumer: Consumer = request.state.consumer
        if question.area not in (None, consumer.area):
            raise AreaNotAllowed(own=consumer.area, area=question.area)
        return _Asked(consumer.area, language_of(request, self._lang))

    def _known(self, text: str | None) -> int | None:
        return None if text is None else known_position(self._source.ledger, text)

    def _answer(
        self, request: Request, question: ask.Question, make: Callable[[_Asked], dict[str, Any]]
    ) -> Response:
        """Answer with a document, or with 304 where the asker holds the one of this position."""
        asked = self._asked(request, question)
        position = self._source.catch_up()
        words = (
            self._edition,
            self._source.today().isoformat(),
            request.url.path,
            question.model_dump_json(),
            *asked,
        )
        digest = sha256("\0".join(words).encode()).hexdigest()[:16]
        headers = {"ETag": f'"{position}-{digest}"', "Cache-Control": "private, no-cache"}
        headers["Vary"] = "Authorization, Cookie, Accept-Language"
        held = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
        if headers["ETag"] in held:
            return Response(status_code=304, headers=headers)
        return JSONResponse(make(asked), headers=headers)


def _position(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        raise RequestInvalid(fields="Last-Event-ID", problems=[{"value": last_event_id}])
    return int(last_event_id)
