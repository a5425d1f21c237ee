"""Pure values and rules of the field: money, months, funds, accounts, entries. Standard library only."""
