"""`plan_move` and `apply_move`: what is not committed on trunk goes into a worktree whole, and nothing is lost."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations import move as moving
from sidecar.operations.merge import backup as moving_files
from sidecar.operations.move import MovePlan, apply_move, plan_move
from sidecar.operations.open import OpenResult
from sidecar.operations.recovery import recover_all
from tests.git.test_status_at_random import FILES, STEPS, Deed
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, git_bytes, init, write
from tests.harness import state_of as everything_of
from tests.harness.ending import run_and_end
from tests.model.examples import THOROUGH, examples

PLAIN: dict[str, Content] = {name: f"{name}\n" for name in FILES}
TRACKED: dict[str, Content] = {**PLAIN, "run.sh": Executable("#!\n"), "link": Symlink("a.txt"), ".gitignore": "*.tmp\n"}

STRIDE = 1 if THOROUGH else 13
"""How many steps there are between two points at which it is killed."""

Seen = tuple[bytes, bytes, dict[str, tuple[int, bytes]]]


@pytest.fixture
def main(tmp_path: Path) -> Path:
    return edited(tmp_path / "shop")


def edited(main: Path) -> Path:
    """Trunk's checkout with something of every kind that is not committed, and an ignored file."""
    init(main)
    commit(main, TRACKED, "Begin")
    write(main, {"b c.txt": None})
    write(main, {"a.txt": "staged\n", "d/a.txt": "taken out\n"})
    write(main, {"kept.log": Executable("kept.log\n")})
    git(main, "add", "a.txt")
    git(main, "rm", "--quiet", "--cached", "d/a.txt")
    write(main, {"link": Symlink("nowhere")})
    write(main, {"a.txt": "staged, and more\n", "new/deep/er.txt": "new\n", "x.tmp": "x\n"})
    shutil.rmtree(main / "d/e")
    write(main, {"added": "added\n", "meant": "meant\n", "d/e": "a file now\n"})
    git(main, "add", "added")
    git(main, "add", "--intent-to-add", "meant")
    return main


def planned(folder: Path, name: str | None = "task") -> MovePlan:
    plan = plan_move(folder, name, Options(trusted=True))
    assert isinstance(plan, MovePlan), plan
    return plan


def moved(folder: Path, name: str = "task") -> Path:
    result = apply_move(planned(folder, name))
    assert (result.outcome, result.findings) == ("opened", ()), result
    return Path(str(result.path))


def seen(folder: Path) -> Seen:
    """What git says is not committed, what is staged, and each of these files as it is on disk."""
    status = git_bytes(folder, "status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=all")
    staged = git_bytes(folder, "diff-index", "--cached", "--raw", "-z", "--no-renames", "HEAD")
    listed = git_bytes(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    files = {}
    for name in sorted({os.fsdecode(name) for name in listed if name}):
        path = folder / name
        if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            files[name] = (path.lstat().st_mode, content)
    return status, staged, files


def is_clean(folder: Path) -> bool:
    return git(folder, "status", "--porcelain", "--untracked-files=all") == ""


def codes(result: OpenResult | MovePlan) -> list[str]:
    return [finding.code for finding in result.findings]


def test_all_that_is_not_committed_is_in_the_new_worktree_and_trunk_is_as_committed(main: Path) -> None:
    before = seen(main)
    task = moved(main)
    assert task == main.parent / "shop.worktrees" / "task"
    assert seen(task) == before
    assert is_clean(main)
    assert (main / "x.tmp").read_text() == "x\n"
    assert not (main / "new").exists()
    assert {path.name for path in (main / ".git/sidecar").iterdir()} <= {"lock", "receipts"}
    assert list(main.rglob(".sidecar-*")) == []


def _file_for_directory(main: Path) -> str:
    shutil.rmtree(main / "d/e")
    write(main, {"d/e": "ignored\n"})
    return "d/e"


def _directory_for_file(main: Path) -> str:
    (main / "b c.txt").unlink()
    write(main, {"b c.txt/inside.tmp": "ignored\n"})
    return "b c.txt/inside.tmp"


def _link_for_directory(main: Path) -> str:
    shutil.rmtree(main / "d/e")
    write(main, {"d/e": Symlink("../a.txt")})
    return "d/e"


@pytest.mark.parametrize("how", [_file_for_directory, _directory_for_file, _link_for_directory])
def test_an_ignored_file_in_place_of_something_committed_is_said_before(
    tmp_path: Path, how: Callable[[Path], str]
) -> None:
    """It would stay, and the commit's files could not come back."""
    main = init(tmp_path / "shop")
    commit(main, TRACKED)
    write(main, {".git/info/exclude": "d/e\n", "a.txt": "edited\n"})
    path = how(main)
    before = everything_of(main)
    plan = planned(main)
    assert [(found.code, found.paths) for found in plan.findings] == [("not-moved", (path,))]
    assert apply_move(plan).outcome == "refused"
    assert everything_of(main) == before
    (main / path).unlink()
    if how is _directory_for_file:
        (main / path).parent.rmdir()
    task = moved(main)
    assert is_clean(main) and (task / "a.txt").read_text() == "edited\n"


def test_times_are_kept_and_who_has_a_file_open_writes_on_in_the_new_worktree(main: Path) -> None:
    os.utime(main / "a.txt", (1_000_000, 1_000_000))
    with open(main / "new/deep/er.txt", "a") as log:
        task = moved(main)
        log.write("more\n")
    assert (task / "a.txt").stat().st_mtime == 1_000_000
    assert (task / "new/deep/er.txt").read_text() == "new\nmore\n"


def test_a_name_is_found_where_none_is_given(main: Path) -> None:
    git(main, "branch", "main-edits")
    assert planned(main, None).opening.branch == "main-edits-2"


def test_from_another_worktree_it_is_still_trunks_checkout_that_is_meant(main: Path) -> None:
    other = add_worktree(main, "other")
    write(other, {"a.txt": "mine\n"})
    before = seen(main)
    assert seen(moved(other)) == before
    assert (other / "a.txt").read_text() == "mine\n" and is_clean(main)


@examples(15)
@given(steps=STEPS)
def test_whatever_was_done_is_moved_as_a_whole(steps: list[tuple[Deed, str, int]]) -> None:
    with TemporaryDirectory() as place:
        main = init(Path(place) / "main")
        commit(main, TRACKED)
        for deed, name, number in steps:
            note(f"{deed.__name__} {name!r} {number}")
            deed(main, name, number)
        before = seen(main)
        plan = planned(main)
        if codes(plan) == ["nothing-to-move"]:
            assert not before[1]
            return
        result = apply_move(plan)
        note(f"{result}")
        if result.outcome == "opened":
            assert seen(Path(str(result.path))) == before
            assert is_clean(main) or codes(result) == ["stays"]
        else:
            assert codes(result) == ["not-moved"]
            assert seen(main) == before


def test_what_stands_in_the_way(main: Path, tmp_path: Path) -> None:
    clean = init(tmp_path / "clean")
    commit(clean, {"a": "a\n"})
    assert codes(planned(clean)) == ["nothing-to-move"]
    git(main, "branch", "taken")
    assert codes(planned(main, "taken")) == ["branch-exists"]
    (main / ".git/index.lock").touch()
    assert codes(planned(main)) == ["trunk-in-operation"]
    (main / ".git/index.lock").unlink()
    (main / ".git/MERGE_HEAD").write_text(git(main, "rev-parse", "HEAD") + "\n")
    assert codes(planned(main)) == ["trunk-in-operation"]
    assert codes(apply_move(planned(main))) == ["trunk-in-operation"]
    assert git(main, "worktree", "list").count("\n") == 0


def test_no_checkout_of_trunk_has_nothing_to_move(main: Path) -> None:
    git(main, "checkout", "--quiet", "-b", "elsewhere")
    found = plan_move(main, "task", Options(trusted=True))
    assert isinstance(found, Failure) and found.code == "no-checkout"


def test_a_submodule_at_another_commit_is_not_moved(main: Path, tmp_path: Path) -> None:
    part = init(tmp_path / "part")
    commit(part, {"p": "1\n"})
    git(main, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(part), "part")
    git(main, "commit", "--quiet", "-am", "Add part")
    commit(main / "part", {"p": "2\n"})
    write(main, {"a.txt": "edited\n"})
    assert codes(planned(main)) == ["submodule-edit"]


def test_another_repository_inside_stays_where_it_is(main: Path) -> None:
    commit(init(main / "vendor"), {"v": "v\n"})
    plan = planned(main)
    assert [found.message for found in plan.findings] == ["1 repository of its own inside shop stays there: vendor."]
    assert codes(apply_move(plan)) == ["stays"]
    assert (main / "vendor/v").read_text() == "v\n"


def test_what_changed_since_the_plan_is_refused(main: Path) -> None:
    plan = planned(main)
    write(main, {"one-more": "1\n"})
    before = seen(main)
    assert codes(apply_move(plan)) == ["changed-since"]
    assert seen(main) == before and git(main, "branch", "--list", "task") == ""


def test_what_is_written_while_it_is_moved_stays_in_trunk(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = moving_files.let_go

    def write_and_let_go(*args: object) -> object:
        write(main, {"a.txt": "newer\n", "unexpected": "u\n", "b c.txt": "back\n"})
        return let_go(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(moving, "let_go", write_and_let_go)
    result = apply_move(planned(main))
    task = Path(str(result.path))
    assert (result.outcome, codes(result)) == ("opened", ["stays"])
    assert set(result.findings[0].paths) == {"a.txt", "b c.txt"}
    assert (main / "a.txt").read_text() == "newer\n" and (task / "a.txt").read_text() == "staged, and more\n"
    assert (main / "b c.txt").read_text() == "back\n" and (main / "unexpected").read_text() == "u\n"
    assert (task / "added").read_text() == "added\n" and not (main / "added").exists()


def test_a_hook_that_writes_into_the_new_worktree_leaves_the_edits_where_they_are(main: Path) -> None:
    hook = main / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho hook > a.txt\n")
    hook.chmod(0o755)
    before = seen(main)
    result = apply_move(planned(main))
    assert (result.outcome, codes(result)) == ("failed", ["not-moved"])
    assert seen(main) == before
    assert not (main / ".git/sidecar/journal").exists()


def test_filters_and_line_ends_change_no_byte(tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    commit(main, {".gitattributes": "*.txt text eol=crlf\n*.low filter=low\n", "a.txt": "1\n2\n", "b.low": "x\n"})
    git(main, "config", "filter.low.clean", "tr A-Z a-z")
    git(main, "config", "filter.low.smudge", "tr a-z A-Z")
    write(main, {"a.txt": b"1\r\n2\n3\r\n", "b.low": b"MiXed\n", "c.txt": b"lf\n"})
    before = seen(main)
    task = moved(main)
    assert seen(task) == before and is_clean(main)
    assert (main / "b.low").read_text() == "X\n"


def test_killed_at_any_step_and_its_recovery_too_it_is_wholly_done_or_not_at_all(tmp_path: Path) -> None:
    ends, point = set(), 0
    while run_and_end("move", main := edited(tmp_path / f"shop-{point}"), "task", point, every=True):
        before = seen(edited(tmp_path / f"like-{point}"))
        again = 0
        while run_and_end("recover", main, "", 5 + 17 * again, every=True):
            again += 1
        assert recover_all(main) == ()
        task = main.parent / f"{main.name}.worktrees/task"
        ends.add(task.exists())
        if task.exists():
            assert seen(task) == before and is_clean(main)
        else:
            assert seen(main) == before and git(main, "branch", "--list", "task") == ""
        assert list(main.rglob(".sidecar-*")) == [] and not (main / ".git/sidecar/journal").exists()
        point += STRIDE
    assert ends == {True, False}


def interrupt(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End a move when the first file is on its way."""

    def end(source: str, _target: str, path: str, aside: str) -> None:
        os.rename(os.path.join(source, path), aside)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(moving_files, "_let_go", end)
        apply_move(planned(main))


def test_a_lock_that_a_killed_git_left_is_removed(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = seen(main)
    interrupt(main, monkeypatch)
    (main / ".git/index.lock").touch()
    assert [finding.code for finding in recover_all(main)] == ["recovered"]
    assert seen(main.parent / "shop.worktrees/task") == before and is_clean(main)


def test_what_was_on_its_way_comes_back_when_the_new_worktree_is_gone(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(main)
    interrupt(main, monkeypatch)
    assert seen(main) != before
    shutil.rmtree(main.parent / "shop.worktrees")
    assert [finding.code for finding in recover_all(main)] == ["recovered", "not-moved"]
    assert seen(main) == before


def test_a_committed_file_that_has_become_a_directory(tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    commit(main, {"a": "file\n", "z": "z\n"}, "Begin")
    (main / "a").unlink()
    write(main, {"a/b": "below\n", "z": "edited\n"})
    task = moved(main)
    assert (task / "a/b").read_text() == "below\n"
    assert is_clean(main) and (main / "a").read_text() == "file\n"
