"""From checked settlements to events as they are stored, many at once; persons only as tokens.

The bytes are exactly those that the codec writes for ``ClaimSettled`` and ``ClaimRefunded``; a test
holds the two together. Every JSON member is made for a whole column, and members are joined row by
row, so that no object is made for a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ledger.domain.entry import Entry, sides
from ledger.domain.identity import claim_streams
from ledger.domain.period import Period
from ledger.domain.posting_rules import RULES_VERSION, claim_entry
from ledger.events.claim import DETAILS, ClaimAmounts, ClaimRefunded, ClaimSettled
from ledger.store.commit import BookKey, Total, TotalKey
from settlement.booking import Books, booking_date, books_touched
from settlement.intake.claim_columns import ClaimColumns, exact_sum
from settlement.intake.claim_rows import ClaimRow
from settlement.intake.owing import Owed, Owing

_SAID = tuple(sorted(ClaimRow.__struct_fields__[1:]))
_AMOUNTS = ClaimAmounts.__struct_fields__
_MONTH = 7  # characters of YYYY-MM


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _quoted(texts: pa.Array) -> pa.Array:
    """Write texts as JSON; printable text has only two characters that need a mark."""
    for mark in ("\\", '"'):
        if pc.any(pc.match_substring(texts, mark)).as_py():
            texts = pc.replace_substring(texts, mark, f"\\{mark}")
    return pc.binary_join_element_wise('"', texts, '"', "")


def _member(key: str, column: pa.Array) -> pa.Array:
    """Write a column as JSON members ``"key":value``; null stays null, for it is left out."""
    if pa.types.is_dictionary(column.type):
        return _member(key, column.dictionary).take(column.indices)
    value = column.cast(pa.string()) if pa.types.is_integer(column.type) else _quoted(column)
    return pc.binary_join_element_wise(f'"{key}":', value, "")


def _members(claims: ClaimColumns, persons: pa.Array) -> dict[str, pa.Array]:
    """Write every column that has something to say, persons as tokens."""
    values = {**claims.values, "psn_no": persons}
    return {key: _member(key, column) for key, column in values.items()}


def _object(members: Mapping[str, pa.Array], keys: Iterable[str]) -> pa.Array:
    """Join members to the inside of a JSON object."""
    present = [members[key] for key in keys if key in members]
    return pc.binary_join_element_wise(*present, ",", null_handling="skip")


def _hashes(members: Mapping[str, pa.Array]) -> list[str]:
    said = _object(members, _SAID).cast(pa.binary()).to_pylist()
    return [sha256(b"{%b}" % one).hexdigest()[:32] for one in said]


def contents(claims: ClaimColumns, persons: pa.Array) -> list[str]:
    """Hash what each row says with the person's token in place of the number.

    Empty cells say nothing: the hash is that of the sorted JSON of all others.
    """
    return _hashes(_members(claims, persons)) if len(claims) else []


def streams(area: str, claims: ClaimColumns) -> list[bytes]:
    """Name the stream of each settlement."""
    ids = claims.plain("setl_id").cast(pa.binary())
    refunds = claims.is_refund
    if not pc.any(refunds).as_py():
        return claim_streams(area, ids.to_pylist(), refund=False)
    normal = iter(claim_streams(area, ids.filter(pc.invert(refunds)).to_pylist(), refund=False))
    refunded = iter(claim_streams(area, ids.filter(refunds).to_pylist(), refund=True))
    return [next(refunded if refund else normal) for refund in refunds.to_pylist()]


class Encoded(NamedTuple):
    """Events of some settlements, in the order of the file, and what goes with their commit."""

    topics: list[str]
    states: list[bytes]
    contents: list[str]
    booked: frozenset[tuple[BookKey, Period]]
    totals: dict[TotalKey, Total]


class ClaimEncoder:
    """Writes the events of one intake."""

    def __init__(self, *, area: str, owing: Owing, intake: str, user: str, person_key: int) -> None:
        self._area = area
        self._owing = owing
        self._intake = intake
        self._user = user
        self._person_key = person_key

    def encode(self, claims: ClaimColumns, persons: Sequence[str], states: Books) -> Encoded:
        """Write the facts of settlements, booked on the dates that the open months allow."""
        tokens = pa.array(persons, pa.string())
        members = _members(claims, tokens)
        hashes = _hashes(members)
        days = pc.utf8_slice_codeunits(claims.plain("setl_time"), 0, 10).dictionary_encode()
        booking = _Booking(self._area, days, states)
        for owed in self._owing.owed(claims):
            booking.book(owed)
        booked_on, postings = booking.in_order()
        amounts, details = _object(members, _AMOUNTS), self._details(members, claims)
        pieces = (
            f'{{"area":{_json(self._area)},"booked_on":"',
            booked_on,
            '","postings":[',
            postings,
            f'],"rules_version":{RULES_VERSION},"prepared_by":{_json(self._user)},',
            members["setl_id"],
            ',"person":"',
            tokens,
            f'","person_key":{self._person_key},',
            members["insutype"],
            ',"institution":"',
            claims.plain("fixmedins_code"),
            '",',
            members["med_type"],
            ",",
            members["clr_type"],
            ',"setl_date":"',
            days.dictionary_decode(),
            '","belongs_to":"',
            pc.utf8_slice_codeunits(days.dictionary, 0, _MONTH).take(days.indices),
            '","amounts":{',
            amounts,
            '},"details":{',
            details,
            '},"content":"',
            pa.array(hashes, pa.string()),
            f'","source":{{"intake":{_json(self._intake)},"line":',
            claims.lines.cast(pa.string()),
            "}}",
        )
        bodies = pc.binary_join_element_wise(*pieces, "").cast(pa.binary()).to_pylist()
        refunds = claims.is_refund.to_pylist()
        topics = [ClaimRefunded.TOPIC if one else ClaimSettled.TOPIC for one in refunds]
        return Encoded(topics, bodies, hashes, frozenset(booking.months), booking.totals)

    @staticmethod
    def _details(members: Mapping[str, pa.Array], claims: ClaimColumns) -> pa.Array:
        """Join the other columns as given: all of them are text there."""
        if "days" not in claims.values:
            return _object(members, DETAILS)
        as_text = _member("days", claims.plain("days").cast(pa.string()))
        return _object({**members, "days": as_text}, DETAILS)


def _sample(owed: Owed, party: str) -> Entry:
    """Ask the posting rule once for settlements that are owed alike, a fen for each fund."""
    return claim_entry(dict.fromkeys(owed.funds, 1), party, owed.role)


class _Booking:
    """Entries and booking dates of settlements, group by group."""

    def __init__(self, area: str, days: pa.Array, states: Books) -> None:
        self._area = area
        self._days = days
        self._states = states
        self._places: list[pa.Array] = []
        self._booked_on: list[pa.Array] = []
        self._postings: list[pa.Array] = []
        self.months: set[tuple[BookKey, Period]] = set()
        self.totals: dict[TotalKey, Total] = {}

    def book(self, owed: Owed) -> None:
        """Book settlements that the same funds owe."""
        books = books_touched(self._area, _sample(owed, ""))
        indices = self._days.indices.take(owed.places)
        present = pc.unique(indices).to_pylist()
        booked: list[date | None] = [None] * len(self._days.dictionary)
        for index in present:
            day = date.fromisoformat(self._days.dictionary[index].as_py())
            booked[index] = booking_date(day, books, self._states) if books else day
        months = [day and Period.of(day).ordinal for day in booked]
        self._add_up(owed, pa.array(months, pa.int64()).take(indices))
        self.months |= {
            (book, Period.from_ordinal(month)) for month in months if month for book in books
        }
        dates = pa.array([day and day.isoformat() for day in booked], pa.string())
        self._places.append(owed.places)
        self._booked_on.append(dates.take(indices))
        self._postings.append(self._entries(owed))

    def _entries(self, owed: Owed) -> pa.Array:
        """Write the entries as JSON, one posting by fund."""
        if not owed.funds:
            return pa.array([""] * len(owed.places), pa.string())
        # The rule itself writes one entry, whose amounts and party then give way to each row's own.
        postings = []
        for posting in _sample(owed, "?"):
            before, after = _json(posting).split('"fen":1,"party":"?"')
            fens = owed.funds[posting.fund].cast(pa.string())
            postings.append(
                pc.binary_join_element_wise(
                    f'{before}"fen":', fens, ',"party":"', owed.parties, f'"{after}', ""
                )
            )
        return pc.binary_join_element_wise(*postings, ",")

    def _add_up(self, owed: Owed, months: pa.Array) -> None:
        """Add to the running totals, as ``settlement.booking.totals_of`` does fact by fact."""
        for month in pc.unique(months).to_pylist():
            here = pc.equal(months, month)
            for posting in _sample(owed, ""):
                fens = owed.funds[posting.fund].filter(here)
                fen = exact_sum(fens)
                for side in sides([posting]):
                    key = TotalKey(self._area, side.fund, side.account, month)
                    before = self.totals.get(key, Total(0, 0, 0))
                    self.totals[key] = Total(
                        before.debit_fen + side.debit_fen * fen,
                        before.credit_fen + side.credit_fen * fen,
                        before.lines + len(fens),
                    )

    def in_order(self) -> tuple[pa.Array, pa.Array]:
        """Give booking dates and entries in the order of the settlements."""
        order = pc.sort_indices(pa.concat_arrays(self._places))
        dates, entries = pa.concat_arrays(self._booked_on), pa.concat_arrays(self._postings)
        return dates.take(order), entries.take(order)
