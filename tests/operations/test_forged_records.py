"""Somebody has written into the sidecar's own records: what does not fit is not obeyed, and nothing else is touched."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sidecar.model.findings import Failure
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.operations import journal
from sidecar.operations.records import write_receipt
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import plan_empty, restore
from tests.harness import git, write
from tests.harness.states import Standing
from tests.operations.test_hostile import at, seen, sidecar_dir_of

__all__ = ["at"]

ID = "release-20260101-000000"


def facts_of(at: Standing, **other: object) -> dict[str, Any]:
    head = git(at.main, "rev-parse", "main")
    known = {
        "path": str(at.worktree),
        "name": "feat-1",
        "administrative": "feat-1",
        "branch": "feat-1",
        "tip": head,
        "head": head,
        "anchor": head,
        "inode": at.worktree.stat().st_ino,
        "output": ["node_modules"],
        "modules": [],
        "freed": 0,
        "kept": 0,
    }
    return {**known, **other}


FORGERIES: Mapping[str, Mapping[str, object]] = {
    "a path that is not absolute": {"path": "../outside"},
    "a path with dots": {"path": "/tmp/../tmp"},
    "the repository's own path": {"path": None},
    "an administrative directory elsewhere": {"administrative": "../../outside"},
    "a branch that is none": {"branch": "../../outside", "tip": "0" * 40},
    "a branch like an option": {"branch": "--all"},
    "an id that is none": {"anchor": "HEAD"},
    "a number for a list": {"output": 7},
    "a size that is none": {"kept": -1},
    "a submodule that is none": {"modules": [["../outside", "modules/x"]]},
    "output outside": {"output": ["../outside", "../../outside/precious", "/etc", "data/out/precious", ".."]},
    "an anchor that is none": {},
}


@pytest.mark.parametrize("step", ["prove", "keep", "move", "branch", "receipt", "thin"])
@pytest.mark.parametrize("forged", FORGERIES)
def test_a_forged_journal(forged: str, step: str, at: Standing) -> None:
    sidecar_dir = sidecar_dir_of(at)
    facts = facts_of(at, **FORGERIES[forged])
    if facts["path"] is None:
        facts["path"] = str(at.main)
    (at.worktree / "data/out").symlink_to(at.outside)
    journal.begin(sidecar_dir, ID, "release", step, facts)
    before, inside, refs = seen(at.outside), seen(at.worktree), git(at.main, "for-each-ref", "refs/heads")
    findings = recover_all(at.main)
    assert findings
    assert seen(at.outside) == before
    assert seen(at.worktree) == inside
    assert git(at.main, "for-each-ref", "refs/heads") == refs


@pytest.mark.parametrize("step", ["move", "branch", "receipt", "thin"])
@pytest.mark.parametrize("link", ["trash", f"trash/{ID}", f"trash/{ID}/files", f"trash/{ID}/admin"])
def test_a_trash_that_leads_elsewhere(link: str, step: str, at: Standing) -> None:
    sidecar_dir = sidecar_dir_of(at)
    (sidecar_dir / link).parent.mkdir(parents=True, exist_ok=True)
    write(at.outside, {f"{ID}/files/node_modules/precious": "x", "files/node_modules/precious": "x", "gitdir": "x"})
    write(at.outside, {"node_modules/precious": "x"})
    (sidecar_dir / link).symlink_to(at.outside)
    journal.begin(sidecar_dir, ID, "release", step, facts_of(at))
    before = seen(at.outside)
    findings = recover_all(at.main)
    assert [one.severity for one in findings] == ["blocks"]
    assert seen(at.outside) == before


def test_a_repository_that_comes_with_a_journal(at: Standing, tmp_path: Path) -> None:
    """What was unpacked from an archive puts nothing anywhere, though all in it fits together."""
    sidecar_dir = sidecar_dir_of(at)
    target = tmp_path / "home/.ssh"
    (sidecar_dir / f"trash/{ID}/files").mkdir(parents=True)
    write(sidecar_dir / f"trash/{ID}", {"files/authorized_keys": "evil\n", "admin/gitdir": f"{target}/.git\n"})
    target.parent.mkdir()
    journal.begin(sidecar_dir, ID, "release", "move", facts_of(at, path=str(target)))
    copy = tmp_path / "copy"
    shutil.copytree(at.main, copy, symlinks=True)
    findings = recover_all(copy)
    assert [one.code for one in findings] == ["bad-journal"]
    assert not target.exists()


MANIFESTS: Mapping[str, Mapping[str, object]] = {
    "a file outside": {"files": [["../outside/evil", "0" * 40, 0o100644, 1, 1, 1, 1]], "directories": [["", 0o755, 1]]},
    "a file in git's own": {"files": [[".git", "0" * 40, 0o100644, 1, 1, 1, 1]], "directories": [["", 0o755, 1]]},
    "through a link": {
        "files": [["data/out/evil", None, 0o100644, 1, 1, 1, 1]],
        "directories": [["data/out", 0o755, 1]],
    },
    "a directory outside": {"files": [], "directories": [["../outside/evil", 0o755, 1]]},
    "a mode that is none": {"files": [], "directories": [["", "x", 1]]},
    "no list": {"files": 7},
    "an id that is none": {"files": [["new", "--help", 0o100644, 1, 1, 1, 1]], "directories": [["", 0o755, 1]]},
}


@pytest.mark.parametrize("forged", MANIFESTS)
def test_a_forged_manifest_writes_nothing_elsewhere(forged: str, at: Standing) -> None:
    (at.worktree / "data/out").symlink_to(at.outside)
    plan = plan_release(at.main, "feat-1", Options(), frozenset({"ignored-unique"}))
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.receipt is not None
    blob = git(at.main, "rev-parse", "main:run.sh")
    text = json.dumps({"schema": 1, **MANIFESTS[forged]}).replace("null", f'"{blob}"')
    (sidecar_dir_of(at) / "trash" / released.receipt / "thinned.json").write_text(text)
    before = seen(at.outside)
    back = restore(at.main, released.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "failed"
    assert seen(at.outside) == before
    assert recover_all(at.main) == ()


@pytest.mark.parametrize("path", ["../outside/evil", ".git/hooks/evil", None])
def test_a_forged_journal_of_a_restoration(path: str | None, at: Standing) -> None:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    where = path if path is None or path.startswith(("/", "..")) else str(at.main / path)
    facts = {"receipt": released.receipt, "path": where or str(at.outside / "deep"), "git_dir": "../../evil"}
    journal.begin(sidecar_dir_of(at), "restore-20260101-000000", "restore", "place", facts)
    before = seen(at.outside)
    recover_all(at.main)
    assert seen(at.outside) == before
    assert not (at.main / ".git/evil").exists()
    assert not (at.main / ".git/hooks/evil").exists()


@pytest.mark.parametrize("receipt_path", ["../outside", "", "/", "/proc/1", None])
def test_a_planted_receipt(receipt_path: str | None, at: Standing) -> None:
    sidecar_dir = sidecar_dir_of(at)
    where = str(at.main / ".git/hooks/evil") if receipt_path is None else receipt_path
    facts = {**facts_of(at), "path": where}
    write_receipt(sidecar_dir, Receipt(ID, "release", "feat-1", "feat-1", 1.0, 0, facts))
    before, inside = seen(at.outside), seen(at.worktree)
    result = restore(at.main, ID, Options())
    assert isinstance(result, Failure) or result.outcome != "restored"
    assert recover_all(at.main) == () or not os.path.lexists(where) or receipt_path in ("/", "/proc/1", "")
    assert (seen(at.outside), seen(at.worktree)) == (before, inside)
    assert not (at.main / ".git/hooks/evil").exists()


@pytest.mark.parametrize("name", ["../../outside/x", "release-1", "..", "", "release-20260101-000000/../x"])
def test_an_id_that_is_a_path(name: str, at: Standing) -> None:
    (sidecar_dir_of(at) / "receipts").mkdir()
    write(at.outside, {"x.json": json.dumps({"schema": 1})})
    assert isinstance(restore(at.main, name, Options()), Failure)
    assert isinstance(plan_empty(at.main, name or "x", Options()), Failure)
