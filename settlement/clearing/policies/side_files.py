"""CSV files beside a policy: long tables of groups (病种、病组目录) and of heads (签约人数)."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Heads of a groups file: code, points where the area publishes them, average cost in yuan.
_GROUPS = {
    "code": "code",
    "病种编码": "code",
    "病组编码": "code",
    "points": "points",
    "分值": "points",
    "基准点数": "points",
    "权重": "points",
    "average": "average",
    "次均费用": "average",
}

#: Columns of a heads file: institution, heads, monthly rate in yuan, factor, first and last month.
_HEADS = {
    "institution": "institution",
    "机构编码": "institution",
    "heads": "heads",
    "人数": "heads",
    "签约人数": "heads",
    "rate": "rate",
    "月标准": "rate",
    "factor": "factor",
    "系数": "factor",
    "since": "since",
    "起始月": "since",
    "until": "until",
    "截止月": "until",
    "person_class": "person_class",
    "人员类别": "person_class",
}


def take_files_in(content: dict[str, Any], folder: Path) -> list[str]:
    """Put the tables of the files beside the policy into its content; give what is wrong with them."""
    problems: list[str] = []
    for where, table in _tables(content):
        for key in ("groups_file", "heads_file"):
            name = table.get(key)
            if isinstance(name, str):
                problems += _take_in(table, key, f"{where}.{key}", folder, name)
    return problems


def _tables(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the methods and their catalogues, as far as they have the form of tables."""
    methods = content.get("methods")
    for number, method in enumerate(methods if isinstance(methods, list) else []):
        if isinstance(method, dict):
            yield f"methods.{number}", method
            catalogues = method.get("catalogues")
            for place, one in enumerate(catalogues if isinstance(catalogues, list) else []):
                if isinstance(one, dict):
                    yield f"methods.{number}.catalogues.{place}", one


def _take_in(table: dict[str, Any], key: str, where: str, folder: Path, name: str) -> list[str]:
    if Path(name).name != name:
        return [f"{where}: 须为同目录下的文件名 / a name in the same folder ({name!r})"]
    try:
        text = (folder / name).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return [f"{where}: {name}: {error}"]
    if key == "groups_file":
        groups, wrong = _groups_of(text)
        own = table.get("groups", {})
        table["groups"] = {**groups, **own} if isinstance(own, dict) else own
    else:
        heads, wrong = _heads_of(text)
        own = table.get("heads", [])
        table["heads"] = [*heads, *own] if isinstance(own, list) else own
    del table[key]
    return [f"{name}: {one}" for one in wrong]


def _groups_of(text: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    rows, problems = _rows_of(text, _GROUPS, ("code", "average"))
    groups: dict[str, dict[str, str]] = {}
    for line, row in rows:
        code = row.get("code", "")
        if not code or code in groups:
            said = "编码重复 / twice" if code else "缺少编码 / no code"
            problems.append(f"第 {line} 行 / line {line}: {said} ({code!r})")
            continue
        own = {"points": row["points"]} if row.get("points") else {}
        groups[code] = {**own, "average": row.get("average", "")}
    return groups, problems


def _heads_of(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    rows, problems = _rows_of(text, _HEADS, ("institution", "heads", "rate"))
    found = []
    for line, row in rows:
        count = row.get("heads", "")
        if not (count.isascii() and count.isdigit()):
            problems.append(
                f"第 {line} 行 / line {line}: 人数须为整数 / heads are whole ({count!r})"
            )
            continue
        given: dict[str, Any] = {name: value for name, value in row.items() if value}
        found.append(given | {"heads": int(count)})
    return found, problems


def _rows_of(
    text: str, names: dict[str, str], needed: tuple[str, ...]
) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Give the rows by the names of their columns with their lines; other columns are read over."""
    rows = csv.reader(io.StringIO(text))
    heads = [names.get(cell.strip()) for cell in next(rows, [])]
    if missing := [head for head in needed if head not in heads]:
        return [], [f"缺少列 / columns missing: {', '.join(missing)}"]
    found = []
    for cells in rows:
        row = {head: cell.strip() for head, cell in zip(heads, cells, strict=False) if head}
        if any(row.values()):
            found.append((rows.line_num, row))
    return found, []
