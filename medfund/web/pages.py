"""The pages: the overview, and the small form that lets a person in with a token."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from ledger.domain.period import Period
from ledger.errors import MedfundError
from ledger.store.reading import moment_of
from medfund.web.auth import COOKIE, SESSION_SECONDS, Authenticator, Consumer
from medfund.web.language import language_of
from medfund.web.overview import Overview, known_months, overview
from medfund.web.problems import NotAuthenticated, status_of
from medfund.web.source import Source
from medfund.web.texts import texts
from projections.queries.monthly import monthly_figures
from projections.queries.periods import months_at
from projections.queries.targets import targets_of

_STATIC = Path(__file__).parent / "static"
_ZONE = ZoneInfo("Asia/Shanghai")
_FORM_BYTES = 4096
_NOT_STORED = {"Cache-Control": "no-store"}


def pages_of(app: FastAPI, source: Source, auth: Authenticator, lang: str) -> None:
    """Add the pages to an app."""
    pages = _Pages(source, auth, lang)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    hidden: dict[str, Any] = {"include_in_schema": False}
    app.add_api_route("/", pages.overview, methods=["GET"], **hidden)
    app.add_api_route("/login", pages.login_form, methods=["GET"], **hidden)
    app.add_api_route("/login", pages.login, methods=["POST"], **hidden)
    app.add_api_route("/logout", pages.logout, methods=["POST"], **hidden)


class _Pages:
    """The pages over one book."""

    def __init__(self, source: Source, auth: Authenticator, lang: str) -> None:
        self._source = source
        self._auth = auth
        self._lang = lang
        self._templates = Environment(
            loader=PackageLoader("medfund.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def overview(self, request: Request) -> Response:
        """Show the funds of the asker's area for one month."""
        try:
            consumer = self._auth.consumer(request)
            return self._overview(request, consumer)
        except NotAuthenticated:
            return RedirectResponse(_here(request, "/login"), 303, headers=_NOT_STORED)
        except MedfundError as error:
            lang = language_of(request, self._lang)
            page = self._page(request, "error.html", message=error.message(lang), code=error.code)
            page.status_code = status_of(error)
            return page

    def login_form(self, request: Request) -> Response:
        """Ask for a token."""
        return self._page(request, "login.html", wrong=False)

    async def login(self, request: Request) -> Response:
        """Let in whoever holds a token that stands."""
        if _from_elsewhere(request):
            return self._page(request, "login.html", wrong=True, status=403)
        token = await _form_value(request, "token")
        consumer = await run_in_threadpool(self._auth.by_token, token.strip())
        if consumer is None:
            return self._page(request, "login.html", wrong=True, status=401)
        answer = RedirectResponse(_here(request, "/"), 303, headers=_NOT_STORED)
        answer.set_cookie(
            COOKIE,
            self._auth.open_session(consumer),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def logout(self, request: Request) -> Response:
        """End the session in this browser."""
        if _from_elsewhere(request):
            return RedirectResponse("/", 303)
        answer = RedirectResponse(_here(request, "/login"), 303, headers=_NOT_STORED)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _overview(self, request: Request, consumer: Consumer) -> Response:
        lang = language_of(request, self._lang)
        self._source.catch_up()
        figures = monthly_figures(self._source.reads, self._source.ledger, area=consumer.area)
        months = known_months(figures)
        shown: Overview | None = None
        if months:
            period = _chosen(request.query_params.get("period"), months)
            shown = overview(
                figures,
                period=period,
                targets=targets_of(self._source.reads, area=consumer.area),
                states=self._states(figures.funds, consumer.area, period),
                lang=lang,
            )
        return self._page(
            request,
            "overview.html",
            page=shown,
            area=consumer.area,
            area_name=self._area_name(consumer.area),
            who=consumer.name,
            position=figures.position,
            recorded_at=self._recorded_at(figures.position),
        )

    def _states(self, funds: tuple[str, ...], area: str, period: Period) -> dict[str, str]:
        with self._source.reads.reading() as reading:
            touched = months_at(reading, area=area)
        return {
            fund: str(touched.get((fund, str(period)), {"state": "open"})["state"])
            for fund in funds
        }

    def _area_name(self, area: str) -> str:
        with self._source.reads.reading() as reading:
            c = reading.setup.areas.c
            return str(reading.rows(select(c.name).where(c.area == area))[0].name)

    def _recorded_at(self, position: int) -> str | None:
        seal = self._source.ledger.log.seal_covering(position)
        if seal is None:
            return None
        return moment_of(seal.at_us).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M")

    def _page(
        self, request: Request, template: str, *, status: int = 200, **shown: Any
    ) -> HTMLResponse:
        lang = language_of(request, self._lang)
        other = dict(request.query_params) | {"lang": "en" if lang == "zh" else "zh"}
        html = self._templates.get_template(template).render(
            lang=lang, t=texts(lang), other_lang_query=urlencode(other), **shown
        )
        return HTMLResponse(html, status, headers={**_NOT_STORED, "Content-Language": lang})


def _chosen(text: str | None, months: tuple[Period, ...]) -> Period:
    """Give the month asked for; one without figures, or none, means the latest with flows."""
    return next((month for month in months if str(month) == text), months[-1])


def _here(request: Request, path: str) -> str:
    """Keep the language and month that were asked for on the way to another page."""
    kept = {key: request.query_params.get(key) for key in ("lang", "period")}
    query = urlencode({key: value for key, value in kept.items() if value})
    return f"{path}?{query}" if query else path


def _from_elsewhere(request: Request) -> bool:
    """Tell whether a form was sent by another site's page."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def _form_value(request: Request, name: str) -> str:
    """Read one field of a small form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _FORM_BYTES:
            return ""
    found = parse_qs(body.decode("utf-8", "replace")).get(name)
    return found[0] if found else ""
