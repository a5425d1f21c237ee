"""Roles of an area in settlements, column by column: what ``places.py`` says of one row (异地就医)."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from settlement.intake.claim_columns import ClaimColumns
from settlement.intake.places import Places


def roles_of(places: Places, claims: ClaimColumns) -> tuple[pa.Array, pa.Array]:
    """Tell of every settlement whether its person is insured here, and whether treated here."""
    registered = _each(claims, "fixmedins_code", places.institutions.__contains__)
    by_code = _each(claims, "fixmedins_code", places.code_is_ours)
    by_place = _each(claims, "mdtrtarea_admvs", places.ours)
    treated = pc.or_(registered, pc.coalesce(by_place, by_code))
    return pc.coalesce(_each(claims, "insuplc_admdvs", places.ours), True), treated


def _each(claims: ClaimColumns, key: str, holds: Callable[[str], bool]) -> pa.Array:
    """Ask a question once for each value of a column; null where the cell is empty."""
    if key not in claims.values:
        return pa.nulls(len(claims), pa.bool_())
    column = claims.values[key]
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    answers = pa.array([holds(value) for value in column.dictionary.to_pylist()], pa.bool_())
    return answers.take(column.indices)


def places_of_care(claims: ClaimColumns) -> pa.Array:
    """Give the place of care of every settlement."""
    by_code = pc.utf8_slice_codeunits(claims.plain("fixmedins_code"), 1, 7)
    return pc.coalesce(claims.plain("mdtrtarea_admvs"), by_code)
