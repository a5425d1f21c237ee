"""The CSV file with a long table of groups (病种、病组目录) beside a policy."""

import csv
import io
from pathlib import Path
from typing import Any

#: Heads of a groups file: code, points, average cost in yuan.
_HEADS = {
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


def take_groups_in(content: dict[str, Any], folder: Path) -> list[str]:
    """Put the groups of a CSV file beside the policy into its content."""
    problems: list[str] = []
    methods = content.get("methods")
    for number, method in enumerate(methods if isinstance(methods, list) else []):
        name = method.get("groups_file") if isinstance(method, dict) else None
        if not isinstance(name, str):
            continue
        where = f"methods.{number}.groups_file"
        if Path(name).name != name:
            problems.append(f"{where}: 须为同目录下的文件名 / a name in the same folder ({name!r})")
            continue
        try:
            text = (folder / name).read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{where}: {name}: {error}")
            continue
        groups, wrong = _groups_of(text)
        problems += [f"{name}: {one}" for one in wrong]
        method["groups"] = {**groups, **method.get("groups", {})}
        del method["groups_file"]
    return problems


def _groups_of(text: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    rows = csv.reader(io.StringIO(text))
    heads = [_HEADS.get(cell.strip()) for cell in next(rows, [])]
    if missing := [head for head in ("code", "points", "average") if head not in heads]:
        return {}, [f"缺少列 / columns missing: {', '.join(missing)}"]
    groups: dict[str, dict[str, str]] = {}
    problems = []
    for cells in rows:
        row = {head: cell.strip() for head, cell in zip(heads, cells, strict=False) if head}
        if not any(row.values()):
            continue
        code = row.get("code", "")
        if not code or code in groups:
            said = "编码重复 / twice" if code else "缺少编码 / no code"
            problems.append(f"第 {rows.line_num} 行 / line {rows.line_num}: {said} ({code!r})")
            continue
        groups[code] = {"points": row.get("points", ""), "average": row.get("average", "")}
    return groups, problems
