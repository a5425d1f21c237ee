"""A run cut into parts that workers count each by itself: by method and institution (分区计算).

A part is named by what it is asked, so whoever counts it needs nothing but the books: the same key
gives the same answer, however often it is delivered. What the parts count is put together by the run,
whose result is the same as if it had been counted in one go: no case is in two parts, and what
concerns all cases of a method (sizes of groups, readmissions) is looked at by every part.
"""

import json
import re
from dataclasses import dataclass, replace
from hashlib import sha256

from ledger.errors import InputRejected, RuleRefused
from settlement.clearing.cases.counting import TEXTS, Answer, Asked, count_cases, merged
from settlement.clearing.cases.insured_elsewhere import census_of, scope_of
from settlement.clearing.cases.kernel import Standing, text_hash
from settlement.clearing.cases.run import Tally
from settlement.clearing.cases.scoring import Scope
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.policies.policy import Method

_SEPARATOR = "/"
#: Area, leaf fund, month or year, position, policy; place of the method, number of the part, of how many.
_KEY = re.compile(
    r"([0-9]{6})/([0-9a-z.]+)/([0-9]{4}(?:-(?:0[1-9]|1[0-2]))?)/([0-9]{1,18})/([^/\s]+@[0-9]+)"
    r"/([0-9]{1,6})/([0-9]{1,6})/([1-9][0-9]{0,5})"
)


class UnknownPart(InputRejected):
    """A message names no part of a run (分区编号无法识别)."""

    code = "clearing_part_unknown"
    zh = "无法识别清算分区 {part}。"
    en = "{part} names no part of a clearing."
    hint_zh = "请将发送方与 worker 升级到同一版本后重新清算;该消息不再处理。"
    hint_en = "Bring sender and workers to one version and clear again; this message is dropped."


class PartsDiffer(RuleRefused):
    """Workers counted parts of one run by other rules (各分区规则不一致)."""

    code = "clearing_parts_differ"
    zh = "分区 {part} 由另一版本的规则计算({kernel}),不能合并。"
    en = "The part {part} was counted by other rules ({kernel}); the run cannot be put together."
    hint_zh = "请将所有 worker 升级到同一版本后重新计算。"
    hint_en = "Bring all workers to one version and compute again."


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One part of the cases of one method of a run."""

    area: str
    fund: str
    period: str
    watermark: int
    policy: str  # name@version
    method: int  # its place in the policy
    number: int
    of: int

    @property
    def key(self) -> str:
        """Name the part in a message."""
        return _SEPARATOR.join(map(str, (*self.run, self.method, self.number, self.of)))

    @property
    def run(self) -> tuple[str, ...]:
        """Name what is asked, whichever part of it."""
        return self.area, self.fund, self.period, str(self.watermark), self.policy

    def takes(self, institution: str) -> bool:
        """Tell whether the cases of an institution are in this part."""
        return int(sha256(institution.encode()).hexdigest()[:8], 16) % self.of == self.number


def parse_key(key: str) -> Partition:
    """Read the key of a message; UnknownPart where it has another form."""
    named = _KEY.fullmatch(key)
    if named is None:
        raise UnknownPart(part=key)
    area, fund, period, watermark, policy, *numbers = named.groups()
    method, number, of = map(int, numbers)
    if number >= of:
        raise UnknownPart(part=key)
    return Partition(area, fund, period, int(watermark), policy, method, number, of)


def cut(question: Question, chosen: Chosen, method: Method, of: int) -> list[Partition]:
    """Name the parts of a method of a run."""
    place = chosen.policy.methods.index(method)
    asked = (question.area, question.fund, str(question.period), question.watermark, chosen.id)
    return [Partition(*asked, place, number, of) for number in range(of)]


def count_here(question: Question, method: Method, scope: Scope) -> Answer:
    """Count all cases of a method in one go, on the engine of the question."""
    if not isinstance(method.rules, Asked):
        raise TypeError(f"{method.name} is not asked of an engine")
    return count_cases(
        question.engine, question.parts, method.rules, scope, watermark=question.watermark
    )


def count_part(question: Question, chosen: Chosen, part: Partition) -> Answer:
    """Count one part, on the engine of the question; UnknownPart where the policy has no such method."""
    methods = chosen.policy.methods
    method = methods[part.method] if part.method < len(methods) else None
    if method is None or not isinstance(method.rules, Asked):
        raise UnknownPart(part=part.key)
    census, *_ = census_of(
        chosen.policy,
        question.engine,
        question.parts,
        question.scope(),
        watermark=question.watermark,
    )
    kinds = frozenset(
        one.kind
        for one in census.kinds
        if chosen.policy.method_of(
            clr_type=one.clr_type, med_type=one.med_type, institution=one.institution
        )
        is method
    )
    return count_cases(
        question.engine,
        question.parts,
        method.rules,
        scope_of(chosen.policy, method.rules, question.scope(kinds)),
        watermark=question.watermark,
        own=frozenset(kind for kind in kinds if part.takes(kind[2])),
    )


def written(answer: Answer) -> bytes:
    """Write the answer of a part, with the hash of the rules by which it was counted."""
    said = {
        "kernel": text_hash(*TEXTS),
        "parameters": answer.parameters,
        "readmitted": answer.readmitted,
        "key_versions": answer.key_versions,
        "uncompared": answer.uncompared,
        "tallies": [
            (
                *(one.institution, int(one.standing), one.group, one.cases, one.points4),
                *(one.cost_fen, one.booked_fen, one.borne_fen, one.first_position, worth_fen),
            )
            for one, worth_fen in answer.tallies
        ],
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def read(part: Partition, content: bytes) -> Answer:
    """Read the answer of a part; PartsDiffer where other rules were followed."""
    said = json.loads(content)
    if said["kernel"] != text_hash(*TEXTS):
        raise PartsDiffer(part=part.key, kernel=said["kernel"][:12])
    return Answer(
        tallies=tuple(
            (Tally(institution, Standing(standing), *rest), worth_fen)
            for institution, standing, *rest, worth_fen in said["tallies"]
        ),
        parameters=said["parameters"],
        readmitted=tuple(said["readmitted"]),
        key_versions=tuple(said["key_versions"]),
        uncompared=said["uncompared"],
    )


def by_parts(question: Question, of: int) -> Question:
    """Let a question be counted part by part, one after the other, in this process."""

    def elsewhere(chosen: Chosen, method: Method, _: object) -> Answer:
        parts = cut(question, chosen, method, of)
        return merged(count_part(question, chosen, part) for part in parts)

    return replace(question, elsewhere=elsewhere)
