"""Every code that a merge can give is in the table as it is given, and the table of merges has no other."""

import re
from pathlib import Path

from sidecar.model.finding_codes import FINDING_CODES
from sidecar.model.operation_codes import MERGE_CODES
from sidecar.operations import merge

CODE = re.compile(r'\b(blocks|info)\(\s*"([a-z-]+)"')
ELSEWHERE = {"busy": "blocks", "unfinished": "blocks", "prepare-failed": "blocks", "verify-failed": "blocks"}
"""From the lock and the journal, and put together from the command's name."""


def said() -> dict[str, set[str]]:
    """Code -> its severities, as the source of the operation has them."""
    found: dict[str, set[str]] = {code: {severity} for code, severity in ELSEWHERE.items()}
    for path in Path(str(merge.__file__)).parent.glob("*.py"):
        for severity, code in CODE.findall(path.read_text("utf-8")):
            found.setdefault(code, set()).add(severity)
    return found


def test_the_table_is_what_the_operation_says() -> None:
    assert {code: set(FINDING_CODES[code].severities) for code in said()} == said()


def test_the_table_of_merges_has_no_other() -> None:
    assert {code.code for code in MERGE_CODES} - said().keys() == set()
