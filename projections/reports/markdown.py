"""Tables as Markdown, for reports that are written as text."""

from projections.reports.csv import csv_text
from projections.reports.model import Kind, Table


def to_markdown(table: Table) -> str:
    """Write title, notes and rows; figures stand right."""
    heads = table.heads()
    rule = [":---" if column.kind is Kind.TEXT else "---:" for column in table.columns]
    level = "###" if table.below else "##"
    lines = [f"{level} {table.title}", "", *table.notes, "", _row(heads), _row(rule)]
    for row in table.rows:
        pairs = zip(row, table.columns, strict=True)
        lines.append(_row([csv_text(cell, column.kind) for cell, column in pairs]))
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
