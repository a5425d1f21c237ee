"""The catalogue of every fact that may ever be stored, one file per subject.

A stored topic (``contribution.received.v1``) is a public contract: it never changes meaning. A new
form of a fact is a new version with an upcaster in ``registry``; samples of every version ever
released are kept in ``tests/contract/events``.
"""
