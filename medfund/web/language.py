"""Which language an answer is in: ``?lang=``, else what the browser prefers, else the setting's."""

from starlette.requests import Request

LANGUAGES = ("zh", "en")


def language_of(request: Request, default: str) -> str:
    """Choose ``zh`` or ``en`` for one request."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    wishes = request.headers.get("accept-language", "")
    ranked = sorted(_wishes(wishes), key=lambda wish: -wish[1])
    return next((lang for lang, weight in ranked if lang in LANGUAGES and weight > 0), default)


def _wishes(header: str) -> list[tuple[str, int]]:
    """Read ``zh-CN,en;q=0.7`` as languages with a weight in thousandths; what is unreadable is nil."""
    found = []
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";q=")
        found.append((tag.partition("-")[0].strip().lower(), _thousandths(weight or "1")))
    return found


def _thousandths(weight: str) -> int:
    whole, _, rest = weight.strip().partition(".")
    digits = f"{whole}{rest[:3]:0<3}"
    return int(digits) if digits.isdecimal() and digits.isascii() else 0
