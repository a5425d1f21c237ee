"""Copies of a whole book (备份): made while it is in use, with its anchor; brought back and verified."""
