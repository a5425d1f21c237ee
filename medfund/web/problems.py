"""Errors as problem details (RFC 9457): our code, family and facts beside the status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from ledger.errors import (
    BooksDamaged,
    Conflict,
    InputRejected,
    MedfundError,
    RuleRefused,
    Unavailable,
)
from medfund.web.language import language_of

MEDIA_TYPE = "application/problem+json"
_STATUS_BY_FAMILY: dict[str, int] = {
    InputRejected.family: 422,
    RuleRefused.family: 409,
    Conflict.family: 409,
    BooksDamaged.family: 500,
    Unavailable.family: 503,
}
_TITLES = {
    401: ("未通过身份验证", "Not authenticated"),
    403: ("无权访问", "Not allowed"),
    404: ("没有此页面", "No such page"),
    405: ("不支持该方法", "Method not allowed"),
    409: ("账簿规则或冲突", "Refused by a rule, or a conflict"),
    422: ("输入有误", "Input rejected"),
    500: ("服务内部错误", "Internal error"),
    503: ("暂不可用", "Unavailable"),
}
_RETRY_SECONDS = "5"


class NotAuthenticated(RuleRefused):
    """No token, or one that is unknown or revoked (未通过身份验证)."""

    code = "not_authenticated"
    zh = "请求没有有效的访问令牌。"
    en = "The request carries no valid token."
    hint_zh = "请用 medfund token create 申请令牌，并以 Authorization: Bearer 发送。"
    hint_en = "Ask for one with `medfund token create` and send it as Authorization: Bearer."


class AreaNotAllowed(RuleRefused):
    """A token answers for its own area only (令牌不属于该统筹区)."""

    code = "area_not_allowed"
    zh = "该令牌只能读取统筹区 {own}，不能读取 {area}。"
    en = "This token reads area {own}, not {area}."
    hint_zh = "请使用该统筹区自己的令牌。"
    hint_en = "Use a token of that area."


class RequestInvalid(InputRejected):
    """A parameter is unknown or has a value that cannot be used (请求参数有误)."""

    code = "request_invalid"
    zh = "请求参数有误：{fields}。"
    en = "The request has parameters that cannot be used: {fields}."
    hint_zh = "参数说明见 /openapi.json。"
    hint_en = "See /openapi.json for the parameters."


_STATUS_BY_CODE = {NotAuthenticated.code: 401, AreaNotAllowed.code: 403}


def status_of(error: MedfundError) -> int:
    """Give the HTTP status of one of our errors: by its family, save for who may ask."""
    return _STATUS_BY_CODE.get(error.code) or _STATUS_BY_FAMILY.get(error.family, 500)


def problem(error: MedfundError, request: Request, lang: str) -> JSONResponse:
    """Answer with one of our errors."""
    status = status_of(error)
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="medfund"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_SECONDS
    body = {
        "code": error.code,
        "family": error.family,
        "detail": error.message(lang),
        "facts": error.facts,
    }
    return _answer(status, body, request, lang, headers)


def handle_problems(app: FastAPI, default_lang: str) -> None:
    """Let every error leave the app as problem+json, also those of the framework."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MedfundError)  # noqa: S101  registered for this class only
        return problem(error, request, language_of(request, default_lang))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  the same
        found = [
            {
                "field": ".".join(str(part) for part in one["loc"][1:]),
                "message": one["msg"],
                "value": one.get("input"),
            }
            for one in error.errors()
        ]
        fields = ", ".join(dict.fromkeys(str(one["field"]) for one in found))
        refusal = RequestInvalid(fields=fields, problems=found)
        return problem(refusal, request, language_of(request, default_lang))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  the same
        lang = language_of(request, default_lang)
        body = {
            "code": HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"),
            "family": InputRejected.family,
            "detail": _title(error.status_code, lang),
            "facts": {},
        }
        return _answer(error.status_code, body, request, lang, error.headers or {})

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback; this line says which question it was.
        structlog.get_logger().error("request_failed", path=request.url.path, error=repr(error))
        lang = language_of(request, default_lang)
        body = {"code": "unexpected", "family": "unexpected", "detail": _title(500, lang)}
        return _answer(500, body | {"facts": {}}, request, lang, {})

    app.add_exception_handler(MedfundError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _answer(
    status: int, body: Mapping[str, Any], request: Request, lang: str, headers: Mapping[str, str]
) -> JSONResponse:
    content = {
        "type": f"urn:medfund:problem:{body['code']}",
        "title": _title(status, lang),
        "status": status,
        "instance": request.url.path,
        **body,
    }
    safe = {"Cache-Control": "no-store", **headers}
    encoded = jsonable_encoder(content, custom_encoder={bytes: bytes.hex})
    return JSONResponse(encoded, status, headers=safe, media_type=MEDIA_TYPE)


def _title(status: int, lang: str) -> str:
    fallback = HTTPStatus(status).phrase
    return _TITLES.get(status, (fallback, fallback))[0 if lang == "zh" else 1]
