"""What could not be read or judged is never taken for nothing: it is in the answer, people are told, exit is not 0."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Sidecar, spawn
from tests.harness import add_worktree, commit, git, init, write

NINE = "".join(f"{number}\n" for number in range(1, 10))


def nine(**lines: str) -> str:
    """Nine lines; those called `l3="x"` are different."""
    return "".join(f"{lines.get(f'l{number}', number)}\n" for number in range(1, 10))


@pytest.fixture
def pair(repo: Path) -> tuple[Path, Path]:
    """Two worktrees that have nothing to do with each other yet."""
    commit(repo, {"f": NINE, "g": NINE, "x.bin": "1\n", ".gitattributes": "*.bin filter=big\n"})
    return add_worktree(repo, "a"), add_worktree(repo, "b")


def unknown(ended: Ended) -> list[tuple[str | None, str | None]]:
    """(worktree, path) of what is not known in an object."""
    return [(one["worktree"], one["path"]) for one in json.loads(ended.out)["unknown"]]


def settle(*worktrees: Path) -> None:
    """Have git know by the times of x.bin that it is as it was; right after a checkout it can't."""
    for worktree in worktrees:
        os.utime(worktree / "x.bin", (2, 2))
        git(worktree, "update-index", "-q", "--refresh")


def verdicts(ended: Ended) -> list[str]:
    """The verdicts of `overlaps`, or of `check`."""
    said = json.loads(ended.out)
    found = said["overlaps"] if "overlaps" in said else [one for file in said["files"] for one in file["overlaps"]]
    return [overlap["verdict"] for overlap in found]


def git_dir(worktree: Path) -> Path:
    return Path(git(worktree, "rev-parse", "--absolute-git-dir"))


def break_index(worktree: Path) -> None:
    (git_dir(worktree) / "index").write_bytes(b"junk")


def need_filter(home: Path, program: str = "no-such-program") -> None:
    """A filter of the person that every `*.bin` must go through."""
    (home / ".gitconfig").write_text(f'[filter "big"]\n\tclean = {program}\n\tprocess = {program}\n\trequired = true\n')


def test_with_a_broken_index_what_is_committed_is_judged(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    for worktree in pair:
        commit(worktree, {"f": nine(l5=worktree.name)})
    break_index(pair[0])
    for arguments in (("overlaps",), ("check", str(pair[1] / "f")), ("check", str(pair[0] / "f"))):
        ended = sidecar(repo, *arguments, "--json")
        assert (ended.status, verdicts(ended), unknown(ended)) == (2, ["conflict"], [("a", None)])
    ended = sidecar(repo, "check", pair[1] / "g", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (1, [], [("a", None)])


def test_people_are_told_what_is_not_known(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    break_index(pair[0])
    said = sidecar(repo, "check", pair[1] / "f")
    assert (said.status, said.err) == (1, "")
    nobody = f"Nobody else is known to have changed {pair[1]}/f.\n\nNot known\n  What is not committed in a"
    assert said.out.startswith(nobody)
    said = sidecar(repo, "overlaps")
    assert said.out.startswith("No overlaps are known.\n\nNot known\n  What is not committed in a is not known. ")
    assert (said.status, said.err) == (1, "")
    said = sidecar(repo, "status")
    assert "No overlaps are known." in said.out and "not read" in said.out and "index" in said.out
    assert said.status == 0
    states = json.loads(sidecar(repo, "status", "--json").out)["worktrees"]
    assert [state["integration"]["state"] for state in states] == ["integrated", "not-integrated", "no-work"]


def test_what_is_asked_about_decides(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    add_worktree(repo, "c")
    break_index(pair[0])
    assert sidecar(repo, "overlaps", "b", "c").status == 0
    assert sidecar(repo, "overlaps", "b", "main").status == 0
    for asked in (("a",), ("b",), ("a", "b"), ("b", "a")):
        ended = sidecar(repo, "overlaps", *asked, "--json")
        assert (ended.status, unknown(ended)) == (1, [("a", None)]), asked


def test_where_a_filter_is_missing_only_its_files_are_unknown(
    repo: Path, home: Path, pair: tuple[Path, Path], sidecar: Sidecar
) -> None:
    for worktree in pair:
        write(worktree, {"f": nine(l5=worktree.name)})
    settle(repo, *pair)
    need_filter(home)
    for change in ("written in the second of the index", "touched", "edited"):
        if change == "written in the second of the index":
            os.utime(git_dir(pair[0]) / "index", (2, 2))
        elif change == "touched":
            os.utime(pair[0] / "x.bin", (1, 1))
        else:
            write(pair[0], {"x.bin": "another size\n"})
        ended = sidecar(repo, "overlaps", "--json")
        assert (ended.status, verdicts(ended), unknown(ended)) == (2, ["conflict"], [("a", "x.bin")]), change
        ended = sidecar(repo, "check", pair[1] / "x.bin", "--json")
        assert (ended.status, unknown(ended)) == (1, [("a", "x.bin")])
        assert sidecar(repo, "check", pair[1] / "g").status == 0
        assert sidecar(repo, "check", pair[1], "--json").status == 2


@pytest.mark.parametrize("way", ["clean", "process"])
def test_a_filter_that_fails_is_told_in_its_own_words(
    repo: Path, home: Path, pair: tuple[Path, Path], sidecar: Sidecar, way: str
) -> None:
    tool = home / "big-tool"
    tool.write_text('#!/bin/sh\necho "big-tool: licence not found" >&2\nexit 1\n')
    tool.chmod(0o755)
    (home / ".gitconfig").write_text(f'[filter "big"]\n\t{way} = {tool}\n\trequired = true\n')
    os.utime(pair[0] / "x.bin", (1, 1))
    said = sidecar(repo, "overlaps").out
    assert "x.bin in a is not known" in said and "filter 'big'" in said and "big-tool: licence not found" in said
    assert "hung up" not in said


def test_many_files_behind_a_filter_that_fails_cost_little(
    repo: Path, home: Path, pair: tuple[Path, Path], sidecar: Sidecar
) -> None:
    commit(pair[0], {f"{number}.bin": "1\n" for number in range(200)})
    settle(repo, *pair)
    log = home / "runs"
    tool = home / "tool"
    tool.write_text(f"#!/bin/sh\necho run >> {log}\nexit 1\n")
    tool.chmod(0o755)
    need_filter(home, str(tool))
    write(pair[0], {f"{number}.bin": "another size\n" for number in range(200)})
    assert len(unknown(sidecar(repo, "overlaps", "--json"))) == 200
    assert len(log.read_text().splitlines()) < 100


def test_a_merge_that_git_does_not_make_is_not_known(
    repo: Path, tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for worktree in pair:
        commit(worktree, {"f": nine(l5=worktree.name)})
    real = shutil.which("git")
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nfor x; do [ "$x" != merge-tree ] || exit 128; done\nexec {real} "$@"\n')
    shim.chmod(0o755)
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"
    for asked in (("overlaps",), ("overlaps", "a"), ("overlaps", "a", "b"), ("check", str(pair[1] / "f"))):
        ended = spawn(repo, *asked, "--json", PATH=path)
        assert (ended.status, unknown(ended)) == (1, [("b" if asked == ("overlaps", "a") else "a", "f")]), asked
    assert spawn(repo, "check", pair[1] / "g", PATH=path).status == 0


def test_a_worktree_whose_folder_is_away(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    """What it has committed counts; what else it had is not known."""
    commit(pair[0], {"f": nine(l5="a")})
    write(pair[1], {"f": nine(l5="b")})
    pair[0].rename(pair[0].with_name("elsewhere"))
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (2, ["conflict"], [("a", None)])
    ended = sidecar(repo, "check", pair[1] / "g")
    assert ended.status == 1
    remedy = "If it was moved, run git worktree repair there. If it was deleted, git worktree prune forgets it."
    assert f"The folder of a is not there. {remedy}" in ended.out
    assert "missing" in sidecar(repo, "status").out
    git(repo, "worktree", "prune")
    assert sidecar(repo, "check", pair[1] / "g").status == 0


def test_a_worktree_whose_link_is_broken(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    for worktree in pair:
        commit(worktree, {"f": nine(l5=worktree.name)})
    (pair[0] / ".git").write_text("gitdir: /nowhere\n")
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (2, ["conflict"], [("a", None)])


def test_a_head_that_is_no_commit(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    write(pair[1], {"f": nine(l5="b")})
    (git_dir(pair[0]) / "HEAD").write_text("1" * 40 + "\n")
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, unknown(ended)) == (1, [("a", None)])


def test_a_file_that_is_too_large_is_a_change_that_is_not_compared(
    repo: Path, pair: tuple[Path, Path], sidecar: Sidecar
) -> None:
    git(repo, "config", "sidecar.maxFileSize", "1")
    write(pair[0], {"f": "x" * 1_100_000, "new": "y" * 1_100_000})
    state = json.loads(sidecar(repo, "status", "--json").out)["worktrees"][1]
    assert state["changes"] == {"committed": 0, "staged": 0, "unstaged": 1, "untracked": 1}
    assert state["integration"]["state"] == "not-integrated" and "f, new" in state["problem"]
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (0, [], []), "nobody else has changed them"
    assert "Changed elsewhere\n  f   a\n" in sidecar(repo, "check", pair[1] / "f").out
    write(pair[1], {"f": nine(l5="b"), "new": "small\n", "g": nine(l5="b")})
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (1, [], [("a", "f"), ("a", "new")])
    ended = sidecar(repo, "check", pair[1] / "f", "--json")
    assert (ended.status, unknown(ended)) == (1, [("a", "f")])
    assert sidecar(repo, "check", pair[1] / "g").status == 0
    commit(repo, {"f": nine(l5="main")})
    ended = sidecar(repo, "overlaps", "a", "main", "--json")
    assert (ended.status, unknown(ended)) == (1, [("a", "f")])


def test_a_large_file_may_be_what_was_renamed(repo: Path, pair: tuple[Path, Path], sidecar: Sidecar) -> None:
    """Where one deleted a file and has a new one that was not read, git may see a rename."""
    commit(repo, {"big": "x\n" * 600_000})
    git(repo, "config", "sidecar.maxFileSize", "1")
    for worktree in pair:
        git(worktree, "merge", "--quiet", "main")
    (pair[0] / "big").rename(pair[0] / "moved")
    write(pair[1], {"big": "changed\n" + "x\n" * 400_000})
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, unknown(ended)) == (1, [("a", "moved")])


def test_a_chain_of_alternates_as_long_as_git_takes_it(tmp_path: Path, sidecar: Sidecar) -> None:
    first = init(tmp_path / "0")
    commit(first, {"f": NINE})
    for number in range(1, 7):
        git(tmp_path, "clone", "--quiet", "--shared", str(number - 1), str(number))
    last = tmp_path / "6"
    pair = add_worktree(last, "a"), add_worktree(last, "b")
    for worktree in pair:
        commit(worktree, {"f": nine(l5=worktree.name)})
    ended = sidecar(last, "overlaps", "--json")
    assert (ended.status, verdicts(ended), unknown(ended)) == (2, ["conflict"], [])
