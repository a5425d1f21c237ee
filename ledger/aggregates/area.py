"""A pooling area (统筹区) as its setup stands: funds, institutions, users and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.domain.fund import leaves
from ledger.errors import RuleRefused
from ledger.events import setup
from ledger.events.base import Fact

ROLES = ("clerk", "reviewer", "auditor", "administrator")

#: What each role may do; reading needs none on the terminal, and any of them over the API.
PERMISSIONS: dict[str, frozenset[str]] = {
    "intake": frozenset({"clerk"}),
    "post": frozenset({"clerk"}),
    "reverse": frozenset({"clerk"}),
    "refuse": frozenset({"clerk"}),
    "clear": frozenset({"clerk"}),
    "pay": frozenset({"clerk"}),
    "institution": frozenset({"clerk"}),
    "close": frozenset({"clerk", "reviewer"}),
    "reopen": frozenset({"clerk", "reviewer"}),
    "approve": frozenset({"reviewer"}),
    "reject": frozenset({"reviewer"}),
    "reconcile": frozenset({"clerk"}),
    "propose_policy": frozenset({"clerk", "administrator"}),
    "reject_policy": frozenset({"clerk", "administrator", "reviewer"}),
    "setup": frozenset({"administrator"}),
    "token": frozenset({"administrator"}),
    "keys": frozenset({"administrator"}),
}


class UnknownUser(RuleRefused):
    """Nobody of that name is enrolled in this book."""

    code = "unknown_user"
    zh = "账簿中没有用户 {user}。"
    en = "The book knows no user {user}."
    hint_zh = "请由管理员在 setup 文件中登记该用户。"
    hint_en = "Have an administrator enrol the user in the setup file."


class RoleMissing(RuleRefused):
    """The user lacks the role for this step (不相容岗位分离)."""

    code = "role_missing"
    zh = "用户 {user} 没有执行“{action}”的岗位权限,需要:{needed}。"
    en = "User {user} may not {action}; one of these roles is needed: {needed}."
    hint_zh = "请由具备该岗位的人员操作。"
    hint_en = "Let somebody with that role do it."


class NobodyNamed(RuleRefused):
    """Writing needs a name (--as)."""

    code = "nobody_named"
    zh = "写入操作须用 --as 指明操作人。"
    en = "Writing needs to know who does it (--as USER)."
    hint_zh = "例如:medfund --as clerk1 …"
    hint_en = "For example: medfund --as clerk1 …"


class AreaUnknown(RuleRefused):
    """The book has no such pooling area (统筹区不存在)."""

    code = "area_unknown"
    zh = "账簿中没有统筹区 {area},已有:{areas}。"
    en = "The book has no area {area}; it has: {areas}."
    hint_zh = "请用 --area 指定已设置的统筹区,或先运行 setup。"
    hint_en = "Name one of them with --area, or run setup first."


class AreaNotChosen(RuleRefused):
    """The book has several areas, or none, and the question names none."""

    code = "area_not_chosen"
    zh = "未指定统筹区,账簿中有:{areas}。"
    en = "No area was named; the book has: {areas}."
    hint_zh = "请用 --area 指定。"
    hint_en = "Choose one with --area."


@dataclass(slots=True)
class Token:
    """An API token as the book knows it: its hash, never itself."""

    role: str
    token_hash: str
    revoked: bool = False


@dataclass(slots=True)
class Area:
    """The folded setup of one pooling area."""

    code: str
    name: str = ""
    options: dict[str, object] = field(default_factory=dict)
    funds: dict[str, str | None] = field(default_factory=dict)  # fund → first month named
    institutions: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    targets: dict[tuple[str, str, int], tuple[str | None, str | None]] = field(default_factory=dict)
    policies: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    version: int = 0

    @property
    def leaf_funds(self) -> frozenset[str]:
        """Every sub-fund (or fund without any) that this area keeps a book for."""
        return frozenset(leaf for fund in self.funds for leaf in leaves(fund))

    @property
    def tax_collects(self) -> bool:
        """Tell whether the tax office collects contributions into 国库 (征收入库)."""
        return self.options.get("tax_collects") is True

    def allow(self, user: str | None, action: str) -> str:
        """Give the user's name if the user may do this, else refuse.

        Refusals in order: nobody named, user unknown, role missing.
        """
        if not user:
            raise NobodyNamed(action=action)
        if user not in self.users:
            raise UnknownUser(user=user)
        needed = PERMISSIONS[action]
        if not needed.intersection(self.users[user]):
            raise RoleMissing(user=user, action=action, needed=", ".join(sorted(needed)))
        return user

    def has_administrator(self) -> bool:
        return any("administrator" in roles for roles in self.users.values())


def fold_area(code: str, facts: Iterable[Fact]) -> Area:
    """Fold the stream of an area's setup."""
    area = Area(code)
    for fact in facts:
        area.version += 1
        _apply(area, fact)
    return area


def _apply(area: Area, fact: Fact) -> None:
    match fact:
        case setup.AreaConfigured():
            area.name, area.options = fact.name, fact.options
        case setup.FundOpened():
            area.funds[fact.fund] = fact.first
        case setup.InstitutionRegistered():
            area.institutions[fact.code] = (fact.name, fact.level)
        case setup.UserEnrolled():
            area.users[fact.user] = fact.roles
        case setup.TargetSet():
            key = (fact.indicator, fact.fund, fact.year)
            area.targets[key] = (fact.at_most, fact.at_least)
        case setup.PolicyAdopted():
            area.policies[(fact.name, fact.effective)] = fact.content
        case setup.TokenIssued():
            area.tokens[fact.name] = Token(fact.role, fact.token_hash)
        case setup.TokenRevoked():
            area.tokens[fact.name].revoked = True
        case setup.KeyRotated() | setup.KeyDestroyed():
            pass  # kept for the trace only: keys lie outside the log
        case _:
            raise TypeError(f"not a fact of an area: {type(fact).__name__}")
