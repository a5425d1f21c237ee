"""Persons' numbers to tokens, many at once: only tokens go any further."""

import pyarrow as pa

from ledger.store.vault import Vault


def tokens(vault: Vault, numbers: pa.Array, version: int) -> list[str]:
    """Give the token of each number under one version of the person key."""
    return [vault.person_token(number, version)[0] for number in numbers.to_pylist()]
