"""One view per subject; each writes what a page of the log adds to its own tables."""
