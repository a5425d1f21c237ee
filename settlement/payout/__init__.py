"""Paying what institutions are owed (拨付): plan, order, bank, prepayment."""
