"""Facts of an area's setup (基础设置): the area, its books, institutions, users, policies, tokens."""

from ledger.events.base import Fact


class AreaFact(Fact, frozen=True, kw_only=True):
    """A fact on the stream of a pooling area (统筹区)."""

    area: str
    by: str


class AreaConfigured(AreaFact, frozen=True, kw_only=True):
    """统筹区: its name and options."""

    TOPIC = "area.configured.v1"

    name: str
    options: dict[str, object]  # tax_collects, money_account_control, chart codes, claim parts


class FundOpened(AreaFact, frozen=True, kw_only=True):
    """建账: a fund's book is opened, from the month it names or from the beginning."""

    TOPIC = "fund.opened.v1"

    fund: str
    first: str | None  # month


class InstitutionRegistered(AreaFact, frozen=True, kw_only=True):
    """定点医药机构 registered, or its particulars changed."""

    TOPIC = "institution.registered.v1"

    code: str
    name: str
    level: int | None = None


class UserEnrolled(AreaFact, frozen=True, kw_only=True):
    """A user and all roles (clerk 经办, reviewer 复核, auditor 审计, administrator 管理员)."""

    TOPIC = "user.enrolled.v1"

    user: str
    roles: tuple[str, ...]


class TargetSet(AreaFact, frozen=True, kw_only=True):
    """年度指标: a target for an indicator, with its direction."""

    TOPIC = "target.set.v1"

    indicator: str
    fund: str
    year: int
    at_most: str | None = None
    at_least: str | None = None


class PolicyAdopted(AreaFact, frozen=True, kw_only=True):
    """A dated policy (政策参数): data that differs from place to place and year to year."""

    TOPIC = "policy.adopted.v1"

    name: str
    effective: str  # date
    content: dict[str, object]


class TokenIssued(AreaFact, frozen=True, kw_only=True):
    """An API token for a downstream system; only its hash is kept."""

    TOPIC = "token.issued.v1"

    name: str
    role: str
    token_hash: str


class TokenRevoked(AreaFact, frozen=True, kw_only=True):
    """An API token is void from here on."""

    TOPIC = "token.revoked.v1"

    name: str


class KeyRotated(AreaFact, frozen=True, kw_only=True):
    """密钥轮换: new tokens are made under a new version; older versions stay to recognise repeats."""

    TOPIC = "key.rotated.v1"

    name: str
    version: int


class KeyDestroyed(AreaFact, frozen=True, kw_only=True):
    """密钥销毁: what it protected can no longer be read or linked; the books are untouched."""

    TOPIC = "key.destroyed.v1"

    name: str
    version: int
    reason: str
