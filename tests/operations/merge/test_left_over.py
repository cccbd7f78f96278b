"""Nothing new begins where an operation was ended half-way, whatever is begun, and however strange what it left is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.operations import journal
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.undo import undo_merge
from sidecar.operations.merge.update import apply_update, plan_update
from sidecar.operations.open import apply_open, plan_open
from sidecar.operations.records import open_sidecar_dir
from tests.harness import commit
from tests.operations.merge.deeds import TRUSTED, merged, only, planned, seen

Begin = Callable[[], tuple[str, tuple[Finding, ...]]]


def merging(main: Path) -> Begin:
    plan = planned(main)

    def begin() -> tuple[str, tuple[Finding, ...]]:
        result = apply_merge(plan)
        return result.outcome, result.findings

    return begin


def updating(main: Path) -> Begin:
    commit(main, {"c.txt": "new in trunk\n"}, "Go on")
    plan = plan_update(main, "feat", TRUSTED)
    assert not isinstance(plan, Failure)

    def begin() -> tuple[str, tuple[Finding, ...]]:
        result = apply_update(plan)
        return result.outcome, result.findings

    return begin


def opening(main: Path) -> Begin:
    plan = plan_open(main, "other", None, TRUSTED)
    assert not isinstance(plan, Failure)

    def begin() -> tuple[str, tuple[Finding, ...]]:
        result = apply_open(plan)
        return result.outcome, result.findings

    return begin


def undoing(main: Path) -> Begin:
    receipt = merged(main).receipt
    assert receipt is not None

    def begin() -> tuple[str, tuple[Finding, ...]]:
        result = undo_merge(main, receipt, TRUSTED)
        assert not isinstance(result, Failure)
        return result.outcome, result.findings

    return begin


@pytest.mark.parametrize("what", [merging, updating, opening, undoing])
@pytest.mark.parametrize("code", ["unfinished", "bad-journal"])
def test_nothing_new_begins(main: Path, feat: Path, what: Callable[[Path], Begin], code: str) -> None:
    begin = what(main)
    sidecar_dir = open_sidecar_dir(str(main / ".git"))
    assert isinstance(sidecar_dir, Path)
    if code == "unfinished":
        journal.begin(sidecar_dir, "release-20260101-000000", "release", "prove", {})
    else:
        (sidecar_dir / "journal").write_text("{}")
    before, left = seen(main, feat), (sidecar_dir / "journal").read_bytes()
    outcome, findings = begin()
    assert (outcome, only(findings).code) == ("refused", code)
    assert seen(main, feat) == before
    assert (sidecar_dir / "journal").read_bytes() == left
