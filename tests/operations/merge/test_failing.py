"""A merge that was begun and does not come about: trunk, its checkout and the branch are as they were."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.run import MergeChoices, MergeResult
from sidecar.operations.run import Control
from tests.harness import commit, git, init, write
from tests.operations.merge.deeds import assert_nothing_left, hook, merged, only, planned, seen, tip

MERGE_HOOKS = ("pre-merge-commit", "prepare-commit-msg", "commit-msg")


def failed(main: Path, code: str, choices: MergeChoices | None = None, control: Control | None = None) -> str:
    """It fails for this reason; nothing of anybody's is touched and nothing is left."""
    feat = main.parent / "feat"
    before = seen(main, feat)
    result = merged(main, choices=choices, control=control or Control())
    assert (result.outcome, result.after, result.receipt) == ("failed", None, None), result
    (found,) = [one for one in result.findings if one.severity == "blocks" or one.code == "cancelled"]
    assert found.code == code, found
    assert seen(main, feat) == before
    assert_nothing_left(main)
    return found.message


@pytest.mark.parametrize("name", MERGE_HOOKS)
def test_a_hook_that_refuses(main: Path, feat: Path, name: str) -> None:
    hook(main, name, "echo 'No, says the hook.' >&2\nexit 1")
    assert "No, says the hook." in failed(main, "merge-failed")


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_a_hook_that_refuses_another_strategy(main: Path, feat: Path, strategy: str) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"f.txt": "f\n"}, "Trunk")
    hook(main, {"squash": "pre-commit", "rebase": "pre-rebase"}[strategy], "echo 'No.' >&2\nexit 1")
    assert "No." in failed(main, "merge-failed", MergeChoices(strategy))  # type: ignore[arg-type]


@pytest.mark.parametrize("checked_out", [True, False])
def test_a_reference_transaction_hook_that_refuses_trunk(main: Path, feat: Path, checked_out: bool) -> None:
    """Git has written the files and the index of trunk's checkout by then."""
    if not checked_out:
        git(main, "switch", "-q", "-c", "elsewhere")
    hook(main, "reference-transaction", '[ "$1" = prepared ] && grep -q refs/heads/main && exit 1\nexit 0')
    assert "did not move" in failed(main, "landing-failed")


def test_a_post_merge_hook_that_fails_changes_nothing_any_more(main: Path, feat: Path) -> None:
    hook(main, "post-merge", "exit 1")
    assert merged(main).outcome == "merged"
    assert_nothing_left(main)


def test_hooks_that_change_the_message_and_the_tree_are_obeyed(main: Path, feat: Path) -> None:
    hook(main, "commit-msg", 'echo "Change-Id: I1" >> "$1"')
    hook(main, "pre-commit", "echo generated > generated.txt && git add generated.txt")
    assert merged(main, choices=MergeChoices("squash")).outcome == "merged"
    assert "Change-Id: I1" in git(main, "log", "-1", "--format=%B")
    assert (main / "generated.txt").read_text() == "generated\n"
    assert_nothing_left(main)


def test_a_hook_adds_a_file_that_stands_in_the_checkout(main: Path, feat: Path) -> None:
    """What the plan could not know is found out before trunk moves."""
    hook(main, "pre-commit", "echo generated > notes.md && git add notes.md")
    assert "notes.md" in failed(main, "would-overwrite", MergeChoices("squash"))


def test_a_signature_that_fails(main: Path, feat: Path) -> None:
    git(main, "config", "gpg.program", "false")
    git(main, "config", "commit.gpgSign", "true")
    assert "gpg failed" in failed(main, "merge-failed")


def test_a_commit_that_a_hook_refuses_leaves_the_index_as_it_was(main: Path, feat: Path) -> None:
    write(feat, {"a.txt": "staged\n", "late.txt": "late\n"})
    git(feat, "add", "a.txt")
    write(feat, {"a.txt": "staged, and more\n"})
    hook(main, "pre-commit", "echo 'Not clean.' >&2; exit 1")
    assert "Not clean." in failed(main, "commit-refused", MergeChoices(commit="All"))


@pytest.mark.parametrize("stage", ["verify", "prepare"])
def test_a_verify_that_fails_shows_its_last_lines(main: Path, feat: Path, stage: str) -> None:
    if stage == "prepare":
        git(main, "config", "sidecar.prepare", "echo bad; exit 3")
    line = "for n in $(seq 50); do echo line $n; done; echo broken >&2; exit 7"
    said = failed(main, f"{stage}-failed", MergeChoices(verify=line))
    assert ("(status 3)" in said and "bad" in said) if stage == "prepare" else "(status 7)" in said
    assert stage == "prepare" or ("broken" in said and "line 50" in said and "line 5\n" not in said)


def test_verify_runs_on_the_very_files_that_land(main: Path, feat: Path, tmp_path: Path) -> None:
    git(main, "config", "sidecar.prepare", f"cat b.txt > {tmp_path}/seen; pwd >> {tmp_path}/seen")
    git(main, "config", "sidecar.verify", f"git rev-parse HEAD^{{tree}} >> {tmp_path}/seen; env > {tmp_path}/env")
    lines: list[str] = []
    stages: list[str] = []
    git(main, "config", "--add", "sidecar.verify", git(main, "config", "sidecar.verify") + "; echo passed")
    assert merged(main, control=Control(stages.append, lines.append)).outcome == "merged"
    content, folder, tree = (tmp_path / "seen").read_text().splitlines()
    assert (content, tree) == ("b", git(main, "rev-parse", "main^{tree}"))
    assert Path(folder).name == "sidecar-landing"
    assert not Path(folder).is_relative_to(main)
    assert "passed" in lines
    assert [stage.split(" ")[0] for stage in stages] == ["Merging", "Running", "Running", "Moving", "Cleaning"]
    variables = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert variables["SIDECAR_WORKTREE"] == str(feat)
    assert variables["SIDECAR_CHECKOUT"] == str(main)
    assert (variables["SIDECAR_BRANCH"], variables["SIDECAR_TRUNK"]) == ("feat", "main")


def test_a_tree_that_passed_is_not_verified_again(main: Path, feat: Path, tmp_path: Path) -> None:
    once = MergeChoices(verify=f"echo ran >> {tmp_path}/runs; exit 0")
    hook(main, "reference-transaction", '[ "$1" = prepared ] && grep -q refs/heads/main && exit 1\nexit 0')
    failed(main, "landing-failed", once)
    (main / ".git/hooks/reference-transaction").unlink()
    result = merged(main, choices=once)
    assert result.outcome == "merged"
    assert "verified-before" in {one.code for one in result.findings}
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_a_verify_that_changes_files_does_not_change_what_lands(main: Path, feat: Path) -> None:
    choices = MergeChoices(verify="echo formatted > a.txt; git commit -qam Formatted; echo more > a.txt; rm b.txt")
    result = merged(main, choices=choices)
    assert result.outcome == "merged"
    assert only(result.findings, "info").code == "verify-changed-files"
    assert (main / "a.txt").read_text() == "one\n2\nthree\n"
    assert git(main, "log", "-1", "--format=%s") == "Merge branch 'feat'"
    assert_nothing_left(main)


def test_a_verify_that_hangs_is_ended_with_all_that_it_started(main: Path, feat: Path, tmp_path: Path) -> None:
    git(main, "config", "sidecar.verifyTimeout", "3")  # in which a busy machine has started all of it
    line = f"(setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 1000' &); echo waiting; sleep 1000"
    said = failed(main, "verify-failed", MergeChoices(verify=line))
    assert "longer than 3 seconds" in said
    assert _is_over(int((tmp_path / "pid").read_text()))


def _is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_verify_that_is_cancelled(main: Path, feat: Path) -> None:
    heard: list[str] = []
    control = Control(output=heard.append, cancelled=lambda: "waiting" in heard)
    failed(main, "cancelled", MergeChoices(verify="echo waiting; sleep 1000"), control)


def test_a_cancelled_merge(main: Path, feat: Path) -> None:
    hook(main, "commit-msg", "echo waiting; sleep 1000")
    heard: list[str] = []
    failed(main, "cancelled", None, Control(output=heard.append, cancelled=lambda: "waiting" in heard))


Meanwhile = Callable[[], object]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("trunk moved", "trunk-moved"),
        ("checkout switched", "checkout-switched"),
        ("branch moved", "branch-moved"),
        ("a file came", "would-overwrite"),
        ("a file was edited", "would-overwrite"),
        ("a merge began", "trunk-in-operation"),
    ],
)
def test_the_world_changes_during_verify(main: Path, feat: Path, tmp_path: Path, what: str, code: str) -> None:
    """The command itself is what changes it, in the name of somebody else."""
    empty = "$(git commit-tree -p main -m Other main^{tree})"
    line = {
        "trunk moved": f"cd {main} && git update-ref refs/heads/main {empty}",
        "checkout switched": f"cd {main} && git switch -q -c elsewhere",
        "branch moved": f"cd {main} && git update-ref refs/heads/feat {empty.replace('main', 'feat')}",
        "a file came": f"mkdir {main}/new && echo mine > {main}/new/d.txt",
        "a file was edited": f"echo mine > {main}/a.txt",
        "a merge began": f"cd {main} && git rev-parse feat > .git/MERGE_HEAD",
    }[what]
    before = tip(main)
    result = merged(main, choices=MergeChoices(verify=line))
    assert result.outcome == "failed"
    assert only(result.findings).code == code
    assert (main / "a.txt").read_text() == ("mine\n" if what == "a file was edited" else "one\ntwo\nthree\n")
    assert what == "trunk moved" or tip(main) == before
    (main / ".git/MERGE_HEAD").unlink(missing_ok=True)
    assert_nothing_left(main)


@contextmanager
def _disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of that size, where one may be mounted."""
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        done = subprocess.run(mounting, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with _disk(tmp_path / "small", "24m") as place:
        yield place


def _fill(place: Path, leave: int) -> None:
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    (place / "filler").write_bytes(b"\0" * (free - leave))


@pytest.mark.parametrize("leave", [0, 4096, 65536, 300_000, 700_000, 1_100_000])
def test_a_full_disk(small_disk: Path, leave: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository fills up between the plan and the landing, at one point or another."""
    main = init(small_disk / "shop")
    commit(main, {"big.txt": os.urandom(100_000), "a.txt": b"a\n"}, "Begin")
    git(main, "worktree", "add", "-q", "-b", "feat", str(small_disk / "feat"))
    commit(small_disk / "feat", {"big.txt": os.urandom(400_000), "new.txt": os.urandom(300_000)}, "Work")
    before = seen(main, small_disk / "feat")
    plan = planned(main, choices=MergeChoices(verify="true"))
    assert not plan.blocked
    monkeypatch.setattr("sidecar.operations.merge.blockers.LEAST_FREE", 0)
    _fill(small_disk, leave)
    result = apply_merge(plan)
    if result.outcome != "merged":
        assert only(result.findings).message
        (small_disk / "filler").unlink()
        assert seen(main, small_disk / "feat") == before
    else:
        (small_disk / "filler").unlink()
        assert git(main, "status", "--porcelain") == ""
    assert_nothing_left(main)


def test_a_disk_that_is_too_small_is_told_before(small_disk: Path) -> None:
    main = init(small_disk / "shop")
    commit(main, {"a.txt": "a\n"}, "Begin")
    git(main, "worktree", "add", "-q", "-b", "feat", str(small_disk / "feat"))
    commit(small_disk / "feat", {"a.txt": "b\n"}, "Work")
    _fill(small_disk, 2**20)
    assert only(planned(main).findings).code == "disk"


def test_a_disk_that_counts_no_blocks_is_not_taken_for_a_full_one(tmp_path: Path) -> None:
    with _disk(tmp_path / "unlimited", "0") as place:
        main = init(place / "shop")
        commit(main, {"a.txt": "a\n"}, "Begin")
        git(main, "worktree", "add", "-q", "-b", "feat", str(place / "feat"))
        commit(place / "feat", {"a.txt": "b\n"}, "Work")
        assert planned(main).findings == ()


def test_someone_reads_the_status_of_trunks_checkout_all_the_while(main: Path, feat: Path) -> None:
    """`git status` takes the index's lock for a moment, again and again; the merge comes about, or is refused."""
    end = threading.Event()

    def ask() -> None:
        while not end.is_set():
            git(main, "status", check=False)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        deadline = time.monotonic() + 60
        while (result := _try(main)).outcome != "merged" and time.monotonic() < deadline:
            assert result.outcome in ("failed", "refused")
    finally:
        end.set()
        asking.join()
    assert result.outcome == "merged"
    assert git(main, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]
    assert_nothing_left(main)


def _try(main: Path) -> MergeResult:
    return merged(main)


def test_what_another_repository_runs_at_the_same_second_is_not_ended(main: Path, feat: Path, tmp_path: Path) -> None:
    """Ids are of a second; what an operation starts is known by its repository too."""
    from sidecar.git.user_git import operation_tag

    line = f"echo $SIDECAR_OPERATION > {tmp_path}/mark; echo waiting; sleep 1000"
    heard: list[str] = []
    control = Control(output=heard.append, cancelled=lambda: "waiting" in heard)
    bystander = subprocess.Popen(
        ["sleep", "1000"], env=os.environ | {"SIDECAR_OPERATION": operation_tag("merge-1", "/other")}
    )
    try:
        failed(main, "cancelled", MergeChoices(verify=line), control)
        operation, _, repository = (tmp_path / "mark").read_text().strip().partition("@")
        assert operation_tag(operation, str(main / ".git")) == f"{operation}@{repository}"
        assert operation_tag(operation, "/other/.git") != f"{operation}@{repository}"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
