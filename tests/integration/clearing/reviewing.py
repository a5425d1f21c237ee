"""What a process of its own does to the reviews of a book; imported by name."""

from datetime import date
from pathlib import Path

from support.office import open_office


def bring_reviews(url, folder, rows, both_are_there, told):
    """Bring a file of reviews in when the other is there too; tell what was posted and what was not."""
    with open_office(url, Path(folder), today=date(2024, 3, 1)) as office:
        path = office.write_file("reviews.csv", rows)
        both_are_there.wait(timeout=120)
        outcome = office.bring(path, kind="case_reviews")
        told.put((outcome.posted, [one.code for one in outcome.rejections]))
