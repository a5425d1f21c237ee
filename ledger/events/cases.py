"""Facts about single cases and about institutions that come after the settlement (入组、单议、考核).

None of them posts anything and none changes what was settled: a clearing run reads them beside the
settlements, up to its watermark. Groupings and reviews lie on the stream of their case, assessments
and the count of reviews on one stream each per institution and year; of each kind the latest counts.
"""

from ledger.events.base import Fact, Source


class CaseFact(Fact, frozen=True, kw_only=True):
    """A fact about one settlement, long after the counter."""

    area: str
    setl_id: str
    institution: str  # fixmedins_code of the settlement
    period: str  # month in which it was settled, YYYY-MM
    reason: str
    by: str
    source: Source


class CaseGrouped(CaseFact, frozen=True, kw_only=True):
    """入组: the group (病种、病组) of a case that came without one, or with another."""

    TOPIC = "case.grouped.v1"

    dise_code: str
    auxiliary: str = ""  # 辅助目录: the entries that were hit, sorted and joined by +


class CaseReviewed(CaseFact, frozen=True, kw_only=True, omit_defaults=True):
    """特例单议: experts decided about a case; accepted, it counts the points or the amount they gave."""

    TOPIC = "case.reviewed.v1"

    decision: str  # accepted 通过, rejected 不通过
    points4: int | None  # points in 1/10,000; None where it was not accepted, or counts as normal
    review_no: str  # 评议单号
    amount_fen: int | None = None  # 认定金额: of a case that is priced by itself


class AssessmentRecorded(Fact, frozen=True, kw_only=True):
    """年度考核: an institution's score of a year, and what is deducted by it."""

    TOPIC = "assessment.recorded.v1"

    area: str
    fund: str | None  # leaf fund it speaks for, None: every fund
    institution: str
    year: str  # YYYY
    score: str  # decimal text, 0 to 100
    deduction_fen: int  # 考核扣款
    by: str
    source: Source


class CasesPutUp(Fact, frozen=True, kw_only=True):
    """特例单议计数: the cases of an institution's year that one file put up, whatever was decided.

    All of them lie on one stream per institution and year: of two files that are brought in at one
    moment the second is counted after the first.
    """

    TOPIC = "cases.put_up.v1"

    area: str
    institution: str
    year: str
    setl_ids: tuple[str, ...]
    by: str
    source: Source
