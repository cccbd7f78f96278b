"""Every code that a merge can give is in the table as it is given, and the table of merges has no other."""

import ast
from pathlib import Path

from sidecar.model.findings import codes_by_operation, finding_codes
from sidecar.operations import landing_repository, merge, merge_check

COMMANDS = ("prepare", "verify", "regenerate")
ELSEWHERE = {"busy": "blocks", "unfinished": "blocks", **{f"{name}-failed": "blocks" for name in COMMANDS}}
"""From the lock and the journal, and put together from the command's name."""


def said() -> dict[str, set[str]]:
    """Code -> its severities, as the source of the operation has them."""
    found: dict[str, set[str]] = {code: {severity} for code, severity in ELSEWHERE.items()}
    folders = [Path(str(package.__file__)).parent for package in (merge, merge_check, landing_repository)]
    for path in (path for folder in folders for path in folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "finding":
                other = [key.value for key in node.keywords if key.arg == "severity"]
                code = node.args[0]
                for one in (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,):
                    if isinstance(one, ast.Constant):
                        usual = finding_codes()[str(one.value)].severity
                        found.setdefault(str(one.value), set()).add(ast.literal_eval(other[0]) if other else usual)
    return found


def test_the_table_is_what_the_operation_says() -> None:
    assert {code: set(finding_codes()[code].severities) for code in said()} == said()


def test_the_table_of_merges_has_no_other() -> None:
    assert {code.code for code in codes_by_operation()["Merge, and update from trunk"]} - said().keys() == set()
