"""An institution's month of any figures, and any policy of settling it: for laws of the lines."""

from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from settlement.clearing.deposit import DepositOrder
from settlement.clearing.month.lines import DueOf, OpenOffset, Rules, Standing
from settlement.clearing.policies.policy import Basis, Deposit, Monthly, PrepaymentOffset, Unapplied

H1 = "H33060400001"
FUND = "310.pooled"


def standing(booked=0, declared=0, refused=0, *, otherwise=0, settled=0, **more):
    """What the accounts of a month say where so much was booked, and so much of it went on."""
    left = booked - declared - refused - otherwise - settled
    owed = {
        "claims.incurred": -booked,
        "claims.refused": refused,
        "owed.booked": left,
        "owed.declared": declared,
    }
    return Standing(institution=H1, owed=owed, **more)


slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
fen = st.integers(min_value=0, max_value=10**12)
signed = st.integers(min_value=-(10**12), max_value=10**12)


@st.composite
def months(draw):
    booked = draw(signed)
    declared = draw(st.integers(0, max(booked, 0)))
    refused = draw(st.integers(0, declared))
    return standing(
        booked,
        declared - refused,
        refused,
        otherwise=draw(st.integers(0, max(booked - declared, 0))),
        stays_booked_fen=draw(st.integers(0, max(booked - declared, 0))),
        approved_elsewhere_fen=draw(signed),
        prepaid_fen=draw(fen),
        offsets=[
            OpenOffset(doc_no=f"R{n}", left_fen=left, same_year=bool(n % 2))
            for n, left in enumerate(draw(st.lists(st.integers(1, 10**12), max_size=3)))
        ],
        due=DueOf(due_fen=draw(fen), counted_fen=draw(fen), standing_fen=draw(fen)),
    )


policies = st.builds(
    Rules,
    monthly=st.builds(
        Monthly,
        basis=st.sampled_from(Basis),
        share=st.sampled_from([Fraction(1), Fraction(85, 100), Fraction(1, 3)]),
        without_application=st.sampled_from(Unapplied),
        prepayment_offset=st.sampled_from(PrepaymentOffset),
        prepayment_share=st.sampled_from([Fraction(1), Fraction(1, 4)]),
        insurer_share=st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 3)]),
    ),
    deposit=st.none()
    | st.builds(
        Deposit,
        share=st.sampled_from([Fraction(1, 20), Fraction(0)]),
        order=st.sampled_from(DepositOrder),
    ),
)
