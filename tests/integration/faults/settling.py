"""A small fund that is settled with its hospitals: every command of it, from applications to the year.

Fund 390, year 2023, by the policy of ``tests/integration/clearing/test_year.py``::

    S1  H1  November  A  cost 10,000.00  booked  7,000.00
    S2  H1  December  A  cost 25,000.00  booked 15,000.00
    S3  H2  December  A  cost  5,000.00  booked  3,000.00
    S4  H2  December  -  cost 10,000.00  booked  6,000.00, grouped when the year is over
"""

from integration.faults.dying import ADMINISTRATOR, CLERK, REVIEWER

Words = tuple[str, ...]

H1, H2 = "H33060400001", "H33060400002"
_POLICY = """
[policy]
name = "resident"
title = "2023年度住院支付"
fund = "390"
effective = 2023-01-01
until = 2024-12-31

[budget]
year = "30000.00"

[[methods]]
name = "inpatient"
kind = "dip"
clr_types = ["21"]
groups = { "A" = { points = "1000", average = "10000.00" } }
coefficients = { H33060400001 = "1", H33060400002 = "0.85" }

[deposit]
share = "5%"
release = [{ from_score = "90", share = "100%" }, { from_score = "80", below = "90" }]

[bands]
ratio = "booked/due"
band = [
    { upto = "80%", owns_edge = false, booked = "1" },
    { upto = "100%", due = "1" },
    { upto = "110%", due = "0.3", booked = "0.7" },
    { due = "1.07" },
]
"""


def _history() -> str:
    """Two flows in every month of the year, so that the fund may prepay."""
    rows = ["doc_no,date,area,fund,item,amount,counterparty_fund"]
    for month in range(1, 13):
        for item, yuan in (("subsidy.city", 50_000), ("benefit.outpatient", 10_000)):
            day = f"2023-{month:02d}-15"
            rows.append(f"{item}-{month},{day},330604,390,{item},{yuan}.00,")
    return "\n".join(rows) + "\n"


_CLAIMS = """\
setl_id,psn_no,insutype,fixmedins_code,med_type,clr_type,setl_time,medfee_sumamt,hifp_pay,\
fund_pay_sumamt,acct_pay,psn_cash_pay,dise_code
S1,P1,390,H33060400001,21,21,2023-11-05 10:00:00,10000.00,7000.00,7000.00,0.00,3000.00,A
S2,P2,390,H33060400001,21,21,2023-12-31 10:00:00,25000.00,15000.00,15000.00,0.00,10000.00,A
S3,P3,390,H33060400002,21,21,2023-12-01 10:00:00,5000.00,3000.00,3000.00,0.00,2000.00,A
S4,P4,390,H33060400002,21,21,2023-12-31 10:00:00,10000.00,6000.00,6000.00,0.00,4000.00,
"""
_APPLICATION = """\
fixmedins_code,insutype,clr_type,setlym,medfee_sumamt,fund_appy_sum,cash_payamt,acct_pay,note
H33060400001,390,21,202312,25000.00,15000.00,10000.00,0.00,{note}
"""

_APPLIED = f"330604-application-{H1}-390-21-2023-12-1"
_NOVEMBER, _DECEMBER, _YEAR = (f"330604-clear-390-{one}" for one in ("2023-11", "2023-12", "2023"))
_BATCH = "330604-payout-390-2024-03"
_RESULTS = f"""\
order_no,result,date,bank_ref,reason
{_BATCH}-2-0001,paid,2024-03-05,B2,
{_BATCH}-2-0002,failed,2024-03-05,,户名不符
"""
FILES = {
    "resident.toml": _POLICY,
    "year-of-flows.csv": _history(),
    "year-of-claims.csv": _CLAIMS,
    "application-1.csv": _APPLICATION.format(note="误报"),
    "application-2.csv": _APPLICATION.format(note="重报"),
    "results.csv": _RESULTS,
    "groupings.csv": "setl_id,dise_code,reason\nS4,A,首页补传\n",
    "assessments.csv": f"fixmedins_code,year,score\n{H1},2023,92.5\n{H2},2023,85\n",
}

BOOKED: tuple[Words, ...] = (
    ("db", "upgrade"),
    ("setup", "setup.toml", *ADMINISTRATOR),
    ("intake", "year-of-flows.csv", *CLERK),
    ("intake", "year-of-claims.csv", *CLERK),
    ("policy", "propose", "resident.toml", *CLERK),
    ("policy", "approve", "resident@1", *REVIEWER),
)

_REFUSED = ("--reason-code", "0102", "--reason", "重复收费")
_RECOVERED = ("--amount", "600.00", "--original-year", "2023", "--note", "重复收费")
_PLAN = ("--fund", "390", "--period", "2024-03")
_TODAY = ("--date", "2024-03-05")

#: What is done one after the other; each may die at every commit and is done again.
JOURNEY: dict[str, Words] = {
    "apply": ("intake", "application-1.csv", *CLERK),
    "withdraw": ("clear", "application", "withdraw", _APPLIED, "--reason", "误报", *CLERK),
    "apply again": ("intake", "application-2.csv", *CLERK),
    "refuse": (
        *("refuse", "--fund", "390", "--institution", H1, "--period", "2023-12", "--amount"),
        *("100.00", *_REFUSED, "--doc-no", "JF1", *CLERK),
    ),
    "approve the refusal": ("approve", "330604-refusal-JF1", *REVIEWER),
    "recover": (
        *("recover", "--from-next-payment", "--fund", "390", "--counterparty", H1),
        *(*_RECOVERED, "--doc-no", "ZH1", *CLERK),
    ),
    "approve the recovery": ("approve", "330604-offset-ZH1", *REVIEWER),
    "prepay": (
        *("payout", "prepay", "--fund", "390", "--period", "2024-01", "--date", "2024-01-05"),
        *("--line", f"{H1}=500.00", *CLERK),
    ),
    "approve the prepayment": ("approve", "330604-prepay-390-2024-01-1", *REVIEWER),
    "prepayment paid": (
        *("payout", "confirm", "330604-prepay-390-2024-01-1", "--bank-ref", "B0", *_TODAY, *CLERK),
    ),
    "clear November": ("clear", "2023-11", "--fund", "390", *CLERK),
    "approve November": ("approve", f"{_NOVEMBER}-1", *REVIEWER),
    "clear December": ("clear", "2023-12", "--fund", "390", *CLERK),
    "reject December": ("reject", f"{_DECEMBER}-1", "--reason", "请核对", *REVIEWER),
    "clear December again": ("clear", "2023-12", "--fund", "390", *CLERK),
    "approve December": ("approve", f"{_DECEMBER}-2", *REVIEWER),
    "plan": ("payout", "plan", *_PLAN, "--add", "390=1000.00", *CLERK),
    "grant": ("payout", "grant", *_PLAN, "--paper", "财社3号", *REVIEWER),
    "draw": ("payout", "draw", *_PLAN, "--doc-no", "BK1", *CLERK),
    "prepare": ("payout", "prepare", "--fund", "390", *_TODAY, *CLERK),
    "order": ("approve", f"{_BATCH}-1", *REVIEWER),
    "confirm": ("payout", "confirm", f"{_BATCH}-1", "--line", "1", *_TODAY, *CLERK),
    "fail": (
        *("payout", "fail", f"{_BATCH}-1", "--line", "2", "--reason", "户名不符"),
        *(*_TODAY, *CLERK),
    ),
    "return": (
        *("payout", "fail", f"{_BATCH}-1", "--returned", "--line", "1", "--reason", "账户注销"),
        *(*_TODAY, *CLERK),
    ),
    "prepare again": ("payout", "prepare", "--fund", "390", *_TODAY, *CLERK),
    "order again": ("approve", f"{_BATCH}-2", *REVIEWER),
    "results": ("intake", "results.csv", *CLERK),
    "groupings": ("intake", "groupings.csv", *CLERK),
    "assessments": ("intake", "assessments.csv", *CLERK),
    "clear the year": ("clear", "2023", "--fund", "390", *CLERK),
    "reject the year": ("reject", f"{_YEAR}-1", "--reason", "请核对", *REVIEWER),
    "clear the year again": ("clear", "2023", "--fund", "390", *CLERK),
    "approve the year": ("approve", f"{_YEAR}-2", *REVIEWER),
    "confirm the year": (
        *("clear", "confirm", f"{_YEAR}-2", "--institution", H1, "--by", "财务科", *CLERK),
    ),
    "dispute the year": (
        *("clear", "dispute", f"{_YEAR}-2", "--institution", H2, "--reason", "病例未计入", *CLERK),
    ),
    "dismiss the dispute": (
        *("clear", "dismiss", f"{_YEAR}-2", "--institution", H2, "--reason", "未通过", *REVIEWER),
    ),
}

_STATEMENT = ("report", "settlement", "--fund", "390", "--format", "md", "--institution")
#: What is asked afterwards: runs, orders, recoveries, plan, and a hospital's statements.
SHOWN: tuple[Words, ...] = (
    ("clear", "list"),
    ("clear", "application", "list"),
    ("clear", "offsets"),
    ("payout", "list"),
    ("payout", "plan", *_PLAN, "--show"),
    ("payout", "prepaid", "--fund", "390"),
    (*_STATEMENT, H1, "2023-12"),
    (*_STATEMENT, H2, "2023"),
)
