"""Reconciliation (对账): our books against what institutions, banks and other offices say."""
