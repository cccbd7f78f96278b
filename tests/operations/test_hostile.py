"""Somebody hostile has been at the repository: nothing outside the worktree is touched, and nothing of theirs runs."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sidecar.model.findings import Failure
from sidecar.operations import journal
from sidecar.operations.guard.records import guard_ref, guarded
from sidecar.operations.receipts import Receipt, write_receipt
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import apply_empty, list_restorable, plan_empty, restore
from sidecar.operations.state import open_state
from sidecar.session.sources import Options
from tests.harness import git, init, write
from tests.harness.states import Standing, allows, build_standing

ID = "release-20260101-000000"


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    standing = build_standing(tmp_path)
    write(standing.worktree, {".env": "SECRET=1\n", "node_modules/x/index.js": "x\n", "data/own.db": "mine\n"})
    write(standing.outside, {"precious": "precious\n", "deep/precious": "precious\n"})
    return standing


def state_of(at: Standing) -> Path:
    state = open_state(str(at.main / ".git"))
    assert isinstance(state, Path)
    return state


def seen(root: Path) -> dict[str, object]:
    """Everything below a folder: names, kinds, contents and times."""
    found: dict[str, object] = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(folder, name)
            status = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def facts_of(at: Standing, **other: object) -> dict[str, Any]:
    head = git(at.main, "rev-parse", "main")
    known = {
        "path": str(at.worktree),
        "name": "feat-1",
        "administrative": "feat-1",
        "branch": "feat-1",
        "tip": head,
        "head": head,
        "snapshot": head,
        "output": ["node_modules"],
        "total": 0,
    }
    return {**known, **other}


def _swapped(at: Standing) -> None:
    evil = init(at.outside / "evil")
    git(evil, "config", "core.fsmonitor", f"touch {at.outside}/tripped")
    (at.worktree / ".git").write_text(f"gitdir: {evil}/.git\n")


def _crafted(at: Standing) -> None:
    (at.administrative / "gitdir").write_text(f"{at.outside}/.git\n")
    write(at.outside, {".git": f"gitdir: {at.main}/.git\n"})


def _behind_a_link(at: Standing) -> None:
    at.worktree.rename(at.outside / "moved")
    at.worktree.symlink_to(at.outside / "moved")


@pytest.mark.parametrize("how", [_swapped, _crafted, _behind_a_link])
def test_a_worktree_that_is_not_what_it_says_it_is_stays(how: Callable[[Standing], None], at: Standing) -> None:
    how(at)
    before = seen(at.outside)
    codes = frozenset({"identity", "untracked", "missing", "uncommitted", "not-integrated", "nested-repository"})
    for name in ("feat-1", str(at.worktree), str(at.outside)):
        plan = plan_release(at.main, name, Options(), codes)
        assert isinstance(plan, Failure) or plan.blocked
        assert isinstance(plan, Failure) or apply_release(plan).outcome == "refused"
    assert seen(at.outside) == before


def test_swapped_after_the_plan(at: Standing) -> None:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    assert not plan.blocked
    _swapped(at)
    before = seen(at.outside)
    assert apply_release(plan).outcome == "refused"
    assert seen(at.outside) == before


def test_links_inside_are_not_followed(at: Standing) -> None:
    (at.worktree / "data/out").symlink_to(at.outside)
    (at.worktree / "node_modules/out").symlink_to(at.outside)
    (at.worktree / "build").symlink_to(at.outside)
    before = seen(at.outside)
    plan = plan_release(at.main, "feat-1", Options(), frozenset({"untracked"}))
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    assert seen(at.outside) == before
    assert released.receipt is not None
    back = restore(at.main, released.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert (at.worktree / "data/out").is_symlink()
    assert seen(at.outside) == before


@pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")
@pytest.mark.parametrize("where", ["node_modules/x", "data"])
def test_a_mount_that_appears_after_the_plan(where: str, at: Standing) -> None:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    subprocess.run(["mount", "--bind", str(at.outside), str(at.worktree / where)], check=True)
    try:
        before = seen(at.outside)
        refused = apply_release(plan)
        assert refused.outcome == "refused"
        assert seen(at.outside) == before
    finally:
        subprocess.run(["umount", str(at.worktree / where)], check=True)
    assert (at.worktree / "data/own.db").read_text() == "mine\n"


@pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")
def test_a_mount_in_the_trash_is_not_emptied(at: Standing) -> None:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.receipt is not None
    place = state_of(at) / "trash" / released.receipt / "files/data"
    subprocess.run(["mount", "--bind", str(at.outside), str(place)], check=True)
    try:
        before = seen(at.outside)
        emptying = plan_empty(at.main, None, Options())
        assert not isinstance(emptying, Failure)
        left = apply_empty(at.main, emptying, Options())
        assert not isinstance(left, Failure)
        assert [one.code for one in left] == ["not-emptied"]
        assert seen(at.outside) == before
    finally:
        subprocess.run(["umount", str(place)], check=True)


FORGERIES: Mapping[str, Mapping[str, object]] = {
    "a path that is not absolute": {"path": "../outside"},
    "a path with dots": {"path": "/tmp/../tmp"},
    "the repository's own path": {"path": None},
    "an administrative directory elsewhere": {"administrative": "../../outside"},
    "a branch that is none": {"branch": "../../outside", "tip": "0" * 40},
    "a branch like an option": {"branch": "--all"},
    "an id that is none": {"snapshot": "HEAD"},
    "a number for a list": {"output": 7},
    "a size that is none": {"total": -1},
    "output outside": {"output": ["../outside", "../../outside/precious", "/etc", "data/out/precious", ".."]},
    "a snapshot that is none": {},
}


@pytest.mark.parametrize("step", ["prove", "keep", "move", "detach", "branch", "receipt", "thin"])
@pytest.mark.parametrize("forged", FORGERIES)
def test_a_forged_journal(forged: str, step: str, at: Standing) -> None:
    state = state_of(at)
    facts = facts_of(at, **FORGERIES[forged])
    if facts["path"] is None:
        facts["path"] = str(at.main)
    (at.worktree / "data/out").symlink_to(at.outside)
    journal.begin(state, ID, "release", step, facts)
    before, inside, refs = seen(at.outside), seen(at.worktree), git(at.main, "for-each-ref", "refs/heads")
    findings = recover_all(at.main)
    assert findings
    assert seen(at.outside) == before
    assert seen(at.worktree) == inside
    assert git(at.main, "for-each-ref", "refs/heads") == refs


@pytest.mark.parametrize("step", ["move", "detach", "branch", "receipt", "thin"])
@pytest.mark.parametrize("link", ["trash", f"trash/{ID}", f"trash/{ID}/files", f"trash/{ID}/admin"])
def test_a_trash_that_leads_elsewhere(link: str, step: str, at: Standing) -> None:
    state = state_of(at)
    (state / link).parent.mkdir(parents=True, exist_ok=True)
    write(at.outside, {f"{ID}/files/node_modules/precious": "x", "files/node_modules/precious": "x", "gitdir": "x"})
    write(at.outside, {"node_modules/precious": "x"})
    (state / link).symlink_to(at.outside)
    journal.begin(state, ID, "release", step, facts_of(at))
    before = seen(at.outside)
    findings = recover_all(at.main)
    assert [one.severity for one in findings] == ["blocks"]
    assert seen(at.outside) == before


def test_a_repository_that_comes_with_a_journal(at: Standing, tmp_path: Path) -> None:
    """What was unpacked from an archive puts nothing anywhere, though all in it fits together."""
    state = state_of(at)
    target = tmp_path / "home/.ssh"
    (state / f"trash/{ID}/files").mkdir(parents=True)
    write(state / f"trash/{ID}", {"files/authorized_keys": "evil\n", "admin/gitdir": f"{target}/.git\n"})
    target.parent.mkdir()
    journal.begin(state, ID, "release", "move", facts_of(at, path=str(target)))
    copy = tmp_path / "copy"
    shutil.copytree(at.main, copy, symlinks=True)
    findings = recover_all(copy)
    assert [one.code for one in findings] == ["bad-journal"]
    assert not target.exists()


@pytest.mark.parametrize("receipt_path", ["../outside", "", "/", "/proc/1", None])
def test_a_planted_receipt(receipt_path: str | None, at: Standing) -> None:
    state = state_of(at)
    where = str(at.main / ".git/hooks/evil") if receipt_path is None else receipt_path
    facts = {**facts_of(at), "path": where, "snapshot": git(at.main, "rev-parse", "main")}
    write_receipt(state, Receipt(ID, "release", "feat-1", "feat-1", 1.0, 0, facts))
    before, inside = seen(at.outside), seen(at.worktree)
    result = restore(at.main, ID, Options())
    assert isinstance(result, Failure) or result.outcome != "restored"
    assert recover_all(at.main) == () or not os.path.lexists(where) or receipt_path in ("/", "/proc/1", "")
    assert (seen(at.outside), seen(at.worktree)) == (before, inside)
    assert not (at.main / ".git/hooks/evil").exists()


@pytest.mark.parametrize("name", ["../../outside/x", "release-1", "..", "", "release-20260101-000000/../x"])
def test_an_id_that_is_a_path(name: str, at: Standing) -> None:
    (state_of(at) / "receipts").mkdir()
    write(at.outside, {"x.json": json.dumps({"schema": 1})})
    assert isinstance(restore(at.main, name, Options()), Failure)
    assert isinstance(plan_empty(at.main, name or "x", Options()), Failure)


def test_planted_records_and_refs_of_the_guard(at: Standing) -> None:
    """A record says that a worktree has vanished whose snapshot is a plain commit: told, and refused."""
    state = state_of(at)
    head = git(at.main, "rev-parse", "main")
    gone = str(at.outside / "deep/gone")
    known = {"name": "x", "branch": "x", "git_dir": "/x", "commit": head, "time": 1.0, "bytes": 1, "safe": False}
    file = state / "guard" / f"{guard_ref(gone).rsplit('/', 1)[1]}.json"
    write(state / "guard", {file.name: json.dumps({"schema": 1, "path": gone, **known})})
    write(state / "guard", {"other.json": json.dumps({"schema": 1, "path": str(at.worktree), **known})})
    write(state / "guard", {"wrong.json": "[]", "long.json": "[" * 100_000})
    git(at.main, "update-ref", "refs/sidecar/guard/feed", head)
    before = seen(at.outside)
    assert [one.path for one in guarded(state)] == [gone]
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [one.what for one in listed] == ["vanished"]
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "failed"
    assert seen(at.outside) == before


def test_nothing_of_the_repository_runs(at: Standing) -> None:
    """Hooks, filters, fsmonitor, drivers and pagers that would leave a trace, through release and restore."""
    trace = at.outside / "tripped"
    trip = f"touch '{trace}'; cat"
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.external"):
        git(at.main, "config", key, trip)
    git(at.main, "config", "filter.evil.required", "true")
    git(at.main, "config", "core.pager", trip)
    git(at.main, "config", "core.sshCommand", trip)
    write(at.main, {".git/info/attributes": "* filter=evil\n"})
    for hook in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        path = at.main / ".git/hooks" / hook
        path.write_text(f"#!/bin/sh\n{trip}\n")
        path.chmod(0o755)
    trace.unlink(missing_ok=True)
    plan = plan_release(at.main, "feat-1", Options(), frozenset({"hidden-changes", "uncommitted"}))
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    assert released.receipt is not None
    back = restore(at.main, released.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert not trace.exists()
