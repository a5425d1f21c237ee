"""What year-end transfers (年终结转) posted: no flow of income or expense, so figures of flows put it back."""

from ledger.application import FundLedger
from ledger.domain.entry import sides
from ledger.domain.identity import month_stream
from ledger.domain.period import Period
from ledger.events.month import YearTransferred
from ledger.store.commit import BookKey, TotalKey

_DECEMBER = 12


def year_transfers(ledger: FundLedger, book: BookKey, *, through: Period) -> dict[TotalKey, int]:
    """Give debit less credit, in fen, that the transfers of this year and the two before posted.

    A December that was reopened and closed again has several; they add up.
    """
    posted: dict[TotalKey, int] = {}
    for year in range(through.year - 2, through.year + 1):
        december = Period(year, _DECEMBER)
        if december > through:
            break
        for _, item in ledger.history(month_stream(book.area, book.fund, str(december))):
            if isinstance(item.fact, YearTransferred):
                for side in sides(item.fact.postings):
                    key = TotalKey(book.area, side.fund, side.account, december.ordinal)
                    posted[key] = posted.get(key, 0) + side.debit_fen - side.credit_fen
    return posted
