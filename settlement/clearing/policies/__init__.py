"""Policies (结算政策) of the clearing: the file, its tables, and the values the rest reads."""
