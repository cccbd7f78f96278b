"""Every code that a merge can give is in the table, and the table has no other."""

import re
from pathlib import Path

from sidecar.model.merge_codes import MERGE_CODES
from sidecar.operations import merge

CODE = re.compile(r'\b(blocks|info)\(\s*"([a-z-]+)"')
ELSEWHERE = {"busy": "blocks", "prepare-failed": "blocks", "verify-failed": "blocks"}
"""From the lock, and put together from the command's name."""


def test_the_table_is_what_the_operation_says() -> None:
    said: dict[str, set[str]] = {code: {severity} for code, severity in ELSEWHERE.items()}
    for path in Path(str(merge.__file__)).parent.glob("*.py"):
        for severity, code in CODE.findall(path.read_text("utf-8")):
            said.setdefault(code, set()).add(severity)
    assert {code: " or ".join(sorted(severities)) for code, severities in said.items()} == {
        code.code: code.severity for code in MERGE_CODES.values()
    }


def test_each_is_told_in_sentences() -> None:
    for code in MERGE_CODES.values():
        assert code.meaning.endswith(".")
        assert code.advice
        assert "|" not in code.meaning + code.advice
