"""What is kept stays until a person, or the setting, says otherwise; and then goes as a whole."""

import time
from dataclasses import replace
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.operations.records import read_receipt, write_receipt
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import apply_empty, list_restorable, plan_empty, restore
from tests.harness import git, write
from tests.harness.states import Standing, build_standing

DAY = 24 * 60 * 60


def released(tmp_path: Path, days_ago: float) -> tuple[Standing, Receipt]:
    at = build_standing(tmp_path)
    write(at.worktree, {".env": "SECRET=1\n"})
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    receipt_id = apply_release(plan).receipt
    assert receipt_id is not None
    receipt = read_receipt(at.main / ".git/sidecar", receipt_id)
    assert receipt is not None
    write_receipt(at.main / ".git/sidecar", replace(receipt, time=time.time() - days_ago * DAY))
    return at, receipt


def listed(at: Standing) -> list[str]:
    found = list_restorable(at.main, Options())
    assert not isinstance(found, Failure)
    return [one.id for one in found]


def nothing_left(at: Standing) -> bool:
    sidecar_dir = at.main / ".git/sidecar"
    return not (sidecar_dir / "trash").exists() and git(at.main, "for-each-ref", "refs/sidecar") == ""


def test_by_default_it_stays_for_ever(tmp_path: Path) -> None:
    at, receipt = released(tmp_path, 10_000)
    assert listed(at) == [receipt.id]


def test_what_is_older_than_the_setting_goes(tmp_path: Path) -> None:
    at, receipt = released(tmp_path, 29)
    git(at.main, "config", "sidecar.retention", "30")
    assert listed(at) == [receipt.id]
    git(at.main, "config", "sidecar.retention", "28")
    assert listed(at) == []
    assert nothing_left(at)


def test_emptying_that_was_ended_is_done_the_next_time(tmp_path: Path) -> None:
    """Half of what was kept is never restored."""
    at, receipt = released(tmp_path, 1)
    marked = replace(receipt, facts={**receipt.facts, "emptied": 1.0})
    write_receipt(at.main / ".git/sidecar", marked)
    refused = restore(at.main, receipt.id, Options())
    assert not isinstance(refused, Failure)
    assert refused.outcome == "refused"
    assert listed(at) == []
    assert nothing_left(at)


def test_emptying_takes_what_was_agreed_to(tmp_path: Path) -> None:
    at, receipt = released(tmp_path, 1)
    plan = plan_empty(at.main, receipt.id, Options())
    assert not isinstance(plan, Failure)
    assert plan.bytes == receipt.bytes > 0
    assert apply_empty(at.main, plan, Options()) == ()
    assert listed(at) == []
    assert nothing_left(at)
