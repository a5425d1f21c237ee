"""A month's claims file as a platform exports it: 40 columns, refunds, pooled and personal parts."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from settlement.intake.columns import CLAIMS, Form

INSTITUTIONS = tuple(f"H330604{number:05d}" for number in range(1, 201))
KEYS = tuple(column.key for column in CLAIMS)
_MIRRORED = tuple(column.key for column in CLAIMS if column.form is Form.AMOUNT)
_REFUNDED_LATER = 500  # settlements that may still be refunded at any time

Cells = dict[str, str]


def write_claims(path: Path, rows: int, *, seed: int = 1) -> None:
    """Write a file with so many rows, always the same for the same seed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(KEYS) + "\n")
        for cells in _rows(rows, Random(seed)):
            file.write(",".join([cells[key] for key in KEYS]) + "\n")


def _rows(rows: int, random: Random) -> Iterator[Cells]:
    """Two in a hundred are refunds (退费) of an earlier row."""
    refundable: list[Cells] = []
    for number in range(rows):
        if refundable and random.random() < 0.02:
            yield _refund(refundable.pop(random.randrange(len(refundable))))
            continue
        cells = _settlement(number, random)
        if len(refundable) < _REFUNDED_LATER:
            refundable.append(cells)
        yield cells


def _refund(original: Cells) -> Cells:
    mirrored = {key: f"-{original[key]}" for key in _MIRRORED if original[key] not in ("", "0.00")}
    return original | mirrored | {"refd_setl_flag": "1"}


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _settlement(number: int, random: Random) -> Cells:
    """Make one settlement: employees with a personal account, residents, some with assistance."""
    employee, inpatient = random.random() < 0.55, random.random() < 0.3
    pooled, cash = random.randrange(1_000, 900_000), random.randrange(300_000)
    account = random.randrange(60_000) if employee and random.random() < 0.7 else 0
    large = random.randrange(90_000) if random.random() < 0.05 else 0
    assistance = random.randrange(40_000) if random.random() < 0.08 else 0
    own, hospital = random.randrange(80_000), random.choice((0, 0, 0, 1_500))
    fund, day = pooled + large + assistance, random.randrange(1, 29)
    clock = f"{random.randrange(24):02d}:{random.randrange(60):02d}:{random.randrange(60):02d}"
    amounts = {
        "medfee_sumamt": fund + account + cash + hospital,
        "fulamt_ownpay_amt": own,
        "preselfpay_amt": own // 2,
        "inscp_scp_amt": fund + cash // 2,
        "act_pay_dedc": 60_000 if inpatient else 0,
        "hifp_pay": pooled,
        "hifob_pay": large,
        "maf_pay": assistance,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        "psn_cash_pay": cash,
        "hosp_part_amt": hospital,
    }
    return {
        **dict.fromkeys(KEYS, ""),
        **dict.fromkeys(_MIRRORED, "0.00"),
        "setl_id": f"330604S202310{number:09d}",
        "mdtrt_id": f"330604M202310{number:09d}",
        "psn_no": f"33060400{random.randrange(300_000):012d}",
        "insutype": "310" if employee else "390",
        "fixmedins_code": random.choice(INSTITUTIONS),
        "med_type": "21" if inpatient else "11",
        "clr_type": "21" if inpatient else "11",
        "clr_way": "3" if inpatient else "1",
        "setl_time": f"2023-10-{day:02d} {clock}",
        "begndate": f"2023-10-{max(1, day - 5):02d}",
        "enddate": f"2023-10-{day:02d}",
        **{key: _yuan(fen) for key, fen in amounts.items()},
        "refd_setl_flag": "0",
        "psn_type": "11" if employee else "15",
        "mdtrt_cert_type": "03",
        "pay_chnl": "1",
        "pay_loc": "2",
        "insuplc_admdvs": "330604",
        "mdtrtarea_admvs": "330604",
        "dise_code": random.choice(("ET15", "BR23", "FU15")) if inpatient else "",
        "days": str(random.randrange(1, 20)) if inpatient else "",
    }
