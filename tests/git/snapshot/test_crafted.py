"""A snapshot that somebody edited or made up is refused before anything is written."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.git.snapshot.read import read_snapshot
from sidecar.git.snapshot.values import SnapshotFacts
from sidecar.model.findings import Failure
from tests.git.opening import opened
from tests.git.snapshot.portrait import hold, refused, restored
from tests.harness import add_worktree, commit, git, git_bytes, init, state_of, write

Record = dict[str, Any]
Forge = Callable[[Record, list[list[Any]]], object]
FILE, MODE, TIME = "f", 0o644, 1


@pytest.fixture
def held(tmp_path: Path) -> tuple[Path, Path, str]:
    """A repository, where its worktree was, and the snapshot of it."""
    repo = init(tmp_path / "deep/down/repo")
    commit(repo, {"a": "a\n", "d/b": "b\n"})
    worktree = add_worktree(repo, "feat")
    write(worktree, {"new": "new\n"})
    snapshot = hold(repo, worktree)
    shutil.rmtree(worktree)
    git(repo, "worktree", "prune", "--expire=now")
    git(repo, "branch", "--quiet", "-D", "feat")
    return repo, worktree, snapshot.commit


def forge(repo: Path, real: str, edit: Forge) -> str:
    """The snapshot with its header and its files edited; what is counted is counted again."""
    header = json.loads(git_bytes(repo, "cat-file", "blob", f"{real}:snapshot.json"))
    rows = [row for oid in header["lists"] for row in json.loads(git_bytes(repo, "cat-file", "blob", oid))]
    edit(header, rows)
    if isinstance(header.get("lists"), list) and "keep" not in header:
        header["lists"] = [_blob(repo, json.dumps(rows))]
        held = [row for row in rows if isinstance(row, list) and row[0] != "d" and len(row) > 5]
        header["files"], header["bytes"] = len(held), sum(row[5] for row in held if isinstance(row[5], int))
    return _commit(repo, real, json.dumps(header))


def _blob(repo: Path, text: str | bytes) -> str:
    return git(repo, "hash-object", "-w", "--stdin", input=text)


def _commit(repo: Path, real: str, header: str) -> str:
    rows = [row for row in git(repo, "ls-tree", real).splitlines() if not row.endswith("\tsnapshot.json")]
    rows.append(f"100644 blob {_blob(repo, header)}\tsnapshot.json")
    tree = git(repo, "mktree", input="\n".join([*rows, ""]))
    return git(repo, "commit-tree", "-m", "Forged", "-p", f"{real}^", tree)


def _row(path: str, rows: list[list[Any]], kind: str = FILE) -> list[Any]:
    content = next(row for row in rows if row[1] == "a")
    return [kind, path, MODE, TIME, *content[4:6]]


def _add(*paths: str, kind: str = FILE) -> Forge:
    return lambda _header, rows: rows.extend(_row(path, rows, kind) for path in paths)


def _change(index: int, value: Any) -> Forge:
    def edit(_header: Record, rows: list[list[Any]]) -> None:
        next(row for row in rows if row[1] == "a")[index] = value

    return edit


def _header(**values: Any) -> Forge:
    return lambda header, _rows: header.update(values)


def _admin(path: str, kind: str = FILE) -> Forge:
    return lambda header, rows: header["admin"].append(_row(path, rows, kind))


def _branch(index: int, value: Any) -> Forge:
    return lambda header, _rows: header["branches"][0].__setitem__(index, value)


def _head_elsewhere(header: Record, rows: list[list[Any]]) -> None:
    head = next(row for row in header["admin"] if row[1] == "HEAD")
    head[4:6] = _row("x", rows)[4:6]


EDITS: dict[str, Forge] = {
    "up": _add("../escaped"),
    "up in the middle": _add("d/../../escaped"),
    "absolute": _add("/tmp/escaped"),
    "empty name": _add("d//x"),
    "dot": _add("./x"),
    "trailing slash": _add("x/"),
    "NUL": _add("x\0y"),
    "surrogate that is no byte": _add("x\ud800"),
    "bytes that spell the way up": _add("\udc2e\udc2e/x"),
    "too long a name": _add("x" * 256),
    "git's": _add(".git"),
    "git's config": lambda header, rows: rows.extend([["d", ".git", 0o755, TIME, None, 0], _row(".git/config", rows)]),
    "git's in capitals": _add(".GIT"),
    "git's below": lambda header, rows: rows.extend([_row("d/.git", rows)]),
    "below a file": _add("a/x"),
    "below a link": lambda header, rows: rows.extend([_row("l", rows, "l"), _row("l/x", rows)]),
    "below nothing": _add("nowhere/x"),
    "twice": _add("a"),
    "root twice": lambda header, rows: rows.append(["d", "", 0o755, TIME, None, 0]),
    "no root": lambda header, rows: rows.remove(next(row for row in rows if row[1] == "")),
    "root is a file": _add(""),
    "unknown kind": _change(0, "p"),
    "mode too large": _change(2, 0o100644),
    "mode negative": _change(2, -1),
    "mode no number": _change(2, True),
    "time too large": _change(3, 2**80),
    "time no number": _change(3, 1.5),
    "content missing": _change(4, "0" * 40),
    "content no id": _change(4, "HEAD"),
    "content an option": _change(4, "--help"),
    "content a line end": _change(4, "0" * 39 + "\n"),
    "content a list": _change(4, ["x"]),
    "size too large": _change(5, 10**9),
    "size negative": _change(5, -1),
    "path no text": _change(1, 7),
    "row too short": lambda header, rows: rows.append(["f"]),
    "row no list": lambda header, rows: rows.append({"a": 1}),  # type: ignore[arg-type]
    "attribute of the system": lambda header, rows: rows[0].append([["security.capability", "AAAA"]]),
    "attribute no base64": lambda header, rows: rows[0].append([["user.x", "%%%"]]),
    "attribute too large": lambda header, rows: rows[0].append([["user.x", base64.b64encode(b"x" * 70000).decode()]]),
    "another format": _header(format=2),
    "no format": lambda header, rows: header.pop("format"),
    "format true": _header(format=True),
    "relative path": _header(path="feat"),
    "administrative up": _header(administrative=".."),
    "administrative deep": _header(administrative="../../hooks"),
    "administrative none": _header(administrative=""),
    "HEAD missing": _header(head="1" * 40),
    "HEAD an option": _header(head="--all"),
    "branch not there": _header(branch="other"),
    "branch up": lambda header, rows: (header.update(branch="../x"), _branch(0, "../x")(header, rows)),
    "branch a lock": _branch(0, "x.lock"),
    "branch an option": lambda header, rows: header["branches"].append(["-d", None, None, []])
    or header["branches"].append(["a b", None, None, []]),
    "tip no commit": lambda header, rows: _branch(1, _row("x", rows)[4])(header, rows),
    "reflog missing": _branch(2, "2" * 40),
    "key with a dot": _branch(3, [["x.y", "z"]]),
    "key with a line end": _branch(3, [["x\n[core]\nfsmonitor", "z"]]),
    "tag missing": _header(tags=[["3" * 40, "4" * 40]]),
    "index missing": _header(index=["5" * 40, 0o644, TIME]),
    "index a tree": lambda header, rows: header["index"].__setitem__(0, header["head"]),
    "lists no list": _header(lists="x"),
    "list missing": _header(lists=["6" * 40], keep=1),
    "administrative file up": _admin("../../config"),
    "administrative file that leads away": _admin("commondir"),
    "administrative gitdir": _admin("gitdir"),
    "administrative hooks": _admin("hooks"),
    "administrative config": _admin("config"),
    "administrative link": _admin("refs", "l"),
    "administrative lock": _admin("index.lock"),
    "no HEAD file": lambda header, rows: header.update(admin=[row for row in header["admin"] if row[1] != "HEAD"]),
    "HEAD file elsewhere": _head_elsewhere,
    "unheld no list": _header(unheld=[["x"]]),
    "relative no flag": _header(relative=1),
    "link of another mode": _header(link=[0o100644, 1]),
    "locked a number": _header(locked=7),
    "locked that can't be written": _header(locked=["\ud800", 0o644, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_is_refused(name: str, held: tuple[Path, Path, str], tmp_path: Path) -> None:
    repo, worktree, real = held
    forged = forge(repo, real, EDITS[name])
    before = state_of(repo)
    failure = refused(opened(repo), forged, worktree)
    assert failure.code == "bad-snapshot"
    assert "\n" not in failure.message
    assert state_of(repo) == before
    assert not worktree.exists()
    assert {path.name for path in worktree.parent.iterdir()} == {"repo"}
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}


def test_the_forger_can_also_be_honest(held: tuple[Path, Path, str]) -> None:
    repo, worktree, real = held
    restored(opened(repo), forge(repo, real, lambda header, rows: None), worktree)
    assert (worktree / "new").read_text() == "new\n"


@pytest.mark.parametrize(
    "header", ["", "[]", "{}", "null", "[" * 100_000, '{"format": 1' + "0" * 10_000 + "}", '{"format": NaN}', "\xff"]
)
def test_a_header_that_is_none(header: str, held: tuple[Path, Path, str]) -> None:
    repo, worktree, real = held
    forged = _commit(repo, real, header)
    assert refused(opened(repo), forged, worktree).code == "bad-snapshot"
    told = read_snapshot(opened(repo), forged)
    assert isinstance(told, Failure)
    assert told.code == "bad-snapshot"


@pytest.mark.parametrize("what", ["main", "HEAD", "", "--all", "0" * 40, "f" * 64, "main^{tree}", "\n", "é" * 40])
def test_what_is_no_snapshot(what: str, held: tuple[Path, Path, str]) -> None:
    repo, worktree, _ = held
    oid = git(repo, "rev-parse", what) if what.startswith("main") else what
    assert refused(opened(repo), oid, worktree).code == "bad-snapshot"
    told = read_snapshot(opened(repo), oid)
    assert isinstance(told, Failure)
    assert told.code == "bad-snapshot"


def test_a_header_too_large_is_not_read(held: tuple[Path, Path, str]) -> None:
    repo, worktree, real = held
    forged = _commit(repo, real, '{"format": 1, "x": "' + "y" * (65 * 1024 * 1024) + '"}')
    failure = refused(opened(repo), forged, worktree)
    assert "too large" in failure.message


@pytest.mark.parametrize("where", ["", "hooks/x", "refs/heads/x", "objects", "worktrees/feat", "sidecar/x"])
def test_no_worktree_goes_into_the_repository(where: str, held: tuple[Path, Path, str]) -> None:
    repo, _, real = held
    before = state_of(repo)
    assert refused(opened(repo), real, repo / ".git" / where).code == "bad-path"
    assert state_of(repo) == before


def test_the_real_one_is_told(held: tuple[Path, Path, str]) -> None:
    repo, worktree, real = held
    facts = read_snapshot(opened(repo), real)
    assert isinstance(facts, SnapshotFacts)
    assert (facts.name, facts.path, facts.branch) == ("feat", str(worktree), "feat")
    assert facts.time == int(git(repo, "log", "-1", "--format=%ct", real))
