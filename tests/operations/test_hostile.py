"""Somebody hostile has been at the repository: nothing outside the worktree is touched, and nothing of theirs runs."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.operations import journal
from sidecar.operations.guard.states import history_of
from sidecar.operations.keep import apply_keep, plan_keep
from sidecar.operations.kept_refs import keep, let_go, set_ref
from sidecar.operations.records import open_sidecar_dir, write_receipt
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import apply_empty, list_restorable, plan_empty, restore
from sidecar.session.once import look
from tests.git.opening import opened
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, init, write
from tests.harness.states import Standing, allows, build_standing

ID = "release-20260101-000000"
VANISHED = "vanished-20260101-000000"


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    standing = build_standing(tmp_path)
    write(standing.worktree, {".env": "SECRET=1\n", "node_modules/x/index.js": "x\n", "data/own.db": "mine\n"})
    write(standing.outside, {"precious": "precious\n", "deep/precious": "precious\n"})
    return standing


def sidecar_dir_of(at: Standing) -> Path:
    sidecar_dir = open_sidecar_dir(str(at.main / ".git"))
    assert isinstance(sidecar_dir, Path)
    return sidecar_dir


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


def _hook_files(at: Standing, event: str, command: str) -> None:
    write(at.main / ".git/hooks", {event: Executable(f"#!/bin/sh\n{command}\n")})


def _configured_hooks(at: Standing, event: str, command: str) -> None:
    git(at.main, "config", f"hook.{event} of theirs.event", event)
    git(at.main, "config", f"hook.{event} of theirs.command", f"{command} #")


def _included_hooks(at: Standing, event: str, command: str) -> None:
    """Of which nobody knows who asks on another branch."""
    git(at.main, "config", "--file", str(at.main / ".git/more"), f"hook.my {event}.event", event)
    git(at.main, "config", "--file", str(at.main / ".git/more"), f"hook.my {event}.command", f"{command} #")
    git(at.main, "config", "includeIf.onbranch:**.path", "more")


HOOKED = [
    _hook_files,
    pytest.param(_configured_hooks, marks=pytest.mark.needs_git(2, 54)),
    pytest.param(_included_hooks, marks=pytest.mark.needs_git(2, 54)),
]


@pytest.mark.parametrize("lay", HOOKED)
def test_no_hook_runs_where_work_is_kept_or_brought_back(
    lay: Callable[[Standing, str, str], None], at: Standing
) -> None:
    for event in ("reference-transaction", "post-index-change", "post-checkout"):
        lay(at, event, f"echo {event} >> {at.outside}/ran")
    git(at.main, "update-ref", "refs/heads/x", "main")
    ran = (at.outside / "ran").read_text()
    assert "reference-transaction" in ran, "the trap works"
    repository = opened(at.main)
    trunk, work = (git(at.main, "rev-parse", name) for name in ("main", "feat-1"))
    keep(repository, "refs/sidecar/x", trunk)
    set_ref(repository, "refs/sidecar/x", work, trunk, "instead")
    let_go(repository, "refs/sidecar/x")
    assert (at.outside / "ran").read_text() == ran
    plan = plan_release(at.main, "feat-1", Options(), frozenset({"untracked"}))
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    back = restore(at.main, released.receipt or "", Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert (at.outside / "ran").read_text() == ran


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
    place = sidecar_dir_of(at) / "trash" / released.receipt / "files/data"
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


def test_planted_records_and_refs_of_the_guard(at: Standing) -> None:
    """Plain commits, and states that name what no worktree of this repository can be: none is told."""
    sidecar_dir = sidecar_dir_of(at)
    head = git(at.main, "rev-parse", "main")
    gone = str(at.outside / "deep/gone")
    known = {"name": "x", "branch": "x", "git_dir": "/x", "commit": head, "time": 1.0, "bytes": 1}
    write(sidecar_dir / "guard", {"gone.json": json.dumps({"schema": 1, "path": gone, **known})})
    write(sidecar_dir / "guard", {"wrong.json": "[]", "long.json": "[" * 100_000})
    for ref in ("feed", f"{history_of('', '')}/20260101T00.000", "0123456789abcdef/20260101T00.000"):
        git(at.main, "update-ref", f"refs/sidecar/guard/{ref}", head)
    facts: dict[str, object] = {
        "name": "x",
        "path": gone,
        "branch": "x",
        "head": None,
        "made": "1",
        "time": 1.0,
        "why": "",
    }
    facts |= {"safe": False, "work": True, "trusted": True, "beside": False, "bytes": 0, "depth": 1, "sum": 0}
    facts |= {"common": (at.main / ".git").stat().st_ino, "left_out": [], "index": head, "stages": [], "before": None}
    for home in ("../../outside", "worktrees/..", "worktrees/../../outside", "/etc", "worktrees/"):
        text = json.dumps({"schema": 1, "home": home, **facts})
        commit = git(at.main, "commit-tree", "main^{tree}", "-p", head, "-m", f"State\n\n{text}")
        git(at.main, "update-ref", f"refs/sidecar/guard/{history_of(home, '1')}/20260101T00.000", commit)
    before = seen(at.outside)
    assert list_restorable(at.main, Options()) == ()
    assert seen(at.outside) == before
    assert git(at.main, "rev-parse", "refs/sidecar/guard/feed") == head


def test_what_is_no_state_is_refused_and_stays(at: Standing) -> None:
    """A receipt that names another commit, whoever wrote it: nothing is made of that, and what is kept stays kept."""
    sidecar_dir, gone = sidecar_dir_of(at), str(at.outside / "gone")
    work = git(at.main, "hash-object", "-w", "--stdin", input="work\n")
    tree = git(at.main, "mktree", input=f"100644 blob {work}\tmine.txt\n")
    commit = git(at.main, "commit-tree", tree, "-m", "No state")
    git(at.main, "update-ref", f"refs/sidecar/vanished/{VANISHED}", commit)
    facts = {"snapshot": commit, "path": gone, "kept": 1.0, "safe": False}
    write_receipt(sidecar_dir, Receipt(VANISHED, "vanished", "old", "old", 1.0, 1, facts))
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [(one.what, one.worktree) for one in listed] == [("vanished", "old")]
    git(at.main, "gc", "--quiet", "--prune=now")
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert (back.outcome, [one.code for one in back.findings]) == ("refused", ["bad-snapshot"])
    assert not Path(gone).exists()
    assert git(at.main, "cat-file", "blob", f"{commit}:mine.txt") == "work"


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


@pytest.mark.parametrize("what", ["open", "move", "update"])
def test_a_planted_journal_runs_nothing_for_who_only_looks(at: Standing, what: str) -> None:
    """Whoever acts in a repository trusts it; whoever looks at one that came with a journal does not."""
    trap = Executable(f"#!/bin/sh\necho ran >> {at.outside}/ran\n")
    write(at.main / ".git/hooks", {"post-index-change": trap, "reference-transaction": trap})
    (at.administrative / "locked").write_text("initializing")
    (at.administrative / "index").unlink()
    head = git(at.main, "rev-parse", "feat-1")
    facts = {"path": str(at.worktree), "branch": "feat-1", "commit": head, "source": str(at.main), "paths": ["x"]}
    facts |= {"worktree": str(at.worktree), "head": head}
    journal.begin(sidecar_dir_of(at), f"{what}-20260101-000000", what, "merge" if what == "update" else "add", facts)
    assert recover_all(at.main, acting=False) == ()
    assert not (at.outside / "ran").exists()
    assert (sidecar_dir_of(at) / "journal").exists()
    recover_all(at.main)
    assert (at.outside / "ran").exists() or what == "update", "the trap works"


@pytest.mark.parametrize("name", ["holder", "guard", "landing", "receipts", "agents"])
def test_a_link_in_the_sidecar_directory_is_refused_and_not_followed(name: str, tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    commit(main, {"a.txt": "a\n"}, "Begin")
    add_worktree(main, "feat")
    precious = tmp_path / "precious"
    precious.mkdir()
    write(precious, {"file": "precious\n", ".x.new": "x\n"})
    (main / ".git/sidecar").mkdir(mode=0o700)
    (main / ".git/sidecar" / name).symlink_to(precious / "file" if name == "holder" else precious)
    plan = plan_keep(main, "feat", Options())
    assert not isinstance(plan, Failure)
    kept = apply_keep(plan)
    assert [one.code for one in kept.findings] == ["bad-state"]
    assert "is a link" in kept.findings[0].message
    assert {one.name: one.read_text() for one in precious.iterdir()} == {"file": "precious\n", ".x.new": "x\n"}


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_attributes_that_are_no_file_are_not_written_through(kind: str, tmp_path: Path) -> None:
    """A person's own merge driver takes part, so the files around the merge are laid out."""
    main = init(tmp_path / "main")
    precious = tmp_path / "precious"
    precious.write_text("precious\n")
    (tmp_path / "attributes").write_text("*.txt merge=mine\n")
    git(main, "config", "merge.mine.driver", "git merge-file %A %O %B")
    git(main, "config", "core.attributesFile", str(tmp_path / "attributes"))
    commit(main, {"a.txt": "1\n2\n3\n"}, "Begin")
    other: dict[str, Content] = {".gitattributes": Symlink(str(precious))}
    commit(main, other if kind == "link" else {".gitattributes/inside": "x\n"}, "Attributes")
    commit(add_worktree(main, "feat"), {"a.txt": "one\n2\n3\n"}, "Theirs")
    commit(main, {"a.txt": "1\n2\nthree\n"}, "Ours")
    found = look(main, Options(trusted=True))
    assert not isinstance(found, Failure)
    assert [(one.path, one.verdict) for one in found.overlaps] in ([("a.txt", "clean")], [("a.txt", "conflict")])
    assert found.unknown == ()
    assert precious.read_text() == "precious\n"
