"""`plan_open` and `apply_open`: where a worktree goes, what is refused, and how one ends that was killed half-way."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations import journal
from sidecar.operations.open import OpenPlan, OpenResult, apply_open, plan_open
from sidecar.operations.recovery import recover_all
from sidecar.operations.run import Control, hold
from tests.git.opening import opened as repository_of
from tests.git.opening import worktree_at
from tests.harness import add_worktree, commit, git, init, state_of

HOUSE = Path(__file__).parent.parent.parent


def planned(folder: Path, name: str, start: str | None = None) -> OpenPlan:
    plan = plan_open(folder, name, start, Options(trusted=True))
    assert isinstance(plan, OpenPlan), plan
    return plan


def opened(folder: Path, name: str, start: str | None = None) -> OpenResult:
    return apply_open(planned(folder, name, start))


def codes(plan: OpenPlan) -> list[str]:
    return [finding.code for finding in plan.findings]


def test_it_begins_at_trunk_beside_the_main_worktree(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "-b", "elsewhere")
    commit(repo, {"README.md": "elsewhere\n"})
    result = opened(repo, "feat-1")
    where = repo.parent / "repo.worktrees" / "feat-1"
    assert result == OpenResult("opened", str(where), ())
    assert git(where, "branch", "--show-current") == "feat-1"
    assert git(where, "rev-parse", "HEAD") == git(repo, "rev-parse", "main")
    assert git(where, "status", "--porcelain") == ""
    assert not (repo / ".git" / "sidecar" / "journal").exists()


def test_it_begins_where_one_says(repo: Path) -> None:
    tip = commit(add_worktree(repo, "other", branch="ada/other"), {"a": "a\n"})
    for name, start in (("a", "other"), ("b", "ada/other"), ("c", tip[:12]), ("d", "main~0")):
        where = opened(repo, name, start).path
        assert where is not None
        assert (git(Path(where), "rev-parse", "HEAD") == tip) == (name != "d")


def test_no_branch_is_followed(repo: Path) -> None:
    git(repo, "update-ref", "refs/remotes/origin/feat-1", "main")
    git(repo, "config", "branch.autoSetupMerge", "always")
    result = opened(repo, "feat-1", "origin/feat-1")
    assert [finding.code for finding in result.findings] == ["branch-at-origin"]
    assert git(repo, "config", "branch.feat-1.merge", check=False) == ""


def test_a_name_with_a_slash_is_one_folder(repo: Path) -> None:
    assert opened(repo, "ada/feat").path == str(repo.parent / "repo.worktrees" / "ada-feat")


def test_from_a_linked_worktree_and_a_folder_below(repo: Path) -> None:
    first = Path(str(opened(repo, "one").path))
    (first / "below").mkdir()
    assert opened(first / "below", "two").path == str(first.parent / "two")


@pytest.mark.parametrize("folder", ["../trees", "/absolute", "~/trees"])
def test_the_folder_can_be_chosen(repo: Path, tmp_path: Path, home: Path, folder: str) -> None:
    chosen = folder.replace("/absolute", str(tmp_path / "absolute"))
    git(repo, "config", "sidecar.worktreeFolder", chosen)
    expected = {"../trees": tmp_path / "trees", "/absolute": tmp_path / "absolute", "~/trees": home / "trees"}[folder]
    assert opened(repo, "one").path == str(expected / "one")


@pytest.mark.parametrize(("bare", "place"), [("shop.git", "shop.worktrees/one"), ("shop/.bare", "shop/one")])
def test_beside_a_bare_repository(repo: Path, tmp_path: Path, bare: str, place: str) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", repo, tmp_path / bare)
    assert opened(tmp_path / bare, "one").path == str(tmp_path / place)


@pytest.mark.parametrize("name", ["", "-x", "a..b", "a b", "HEAD", "@{-1}", "a\0b", "x.lock", "/x", "a\nb", "@"])
def test_a_bad_name(repo: Path, name: str) -> None:
    assert codes(planned(repo, name)) == ["bad-name"]


@pytest.mark.parametrize("tool", [".claude", ".cursor", ".codex"])
def test_never_where_another_tool_deletes(repo: Path, tool: str) -> None:
    assert codes(planned(repo, "agents/one")) == ["swept-place"]  # VS Code's own are called so
    git(repo, "config", "sidecar.worktreeFolder", f"{tool}/worktrees")
    assert codes(planned(repo, "one")) == ["swept-place"]
    assert not (repo / tool).exists()


def test_what_is_taken(repo: Path, tmp_path: Path) -> None:
    git(repo, "branch", "taken")
    git(repo, "branch", "deep/er")
    (tmp_path / "repo.worktrees" / "there").mkdir(parents=True)
    add_worktree(repo, "named", branch="other")
    shutil.rmtree(str(opened(repo, "gone").path))
    git(repo, "branch", "--move", "gone", "went")
    expected = {
        "taken": ["branch-exists"],
        "deep": ["branch-exists"],
        "taken/below": ["branch-exists"],
        "there": ["path-exists"],
        "named": ["name-taken"],
        "gone": ["path-exists"],
        "free": [],
    }
    assert {name: codes(planned(repo, name)) for name in expected} == expected


def test_names_that_a_file_system_takes_for_the_same(repo: Path) -> None:
    git(repo, "branch", "Taken")
    assert codes(planned(repo, "taken")) == []
    git(repo, "config", "core.ignorecase", "true")
    assert codes(planned(repo, "taken")) == ["branch-exists"]


def test_an_unknown_start(repo: Path, tmp_path: Path) -> None:
    for start in ("nope", "", "-x", "a\0b", "main:README.md"):
        assert codes(planned(repo, "one", start)) == ["unknown-ref"], start
    plan = planned(init(tmp_path / "new"), "one")
    assert codes(plan) == ["unknown-ref"]
    assert plan.findings[0].message == "There is no commit yet, and a worktree begins at one. Commit something first."
    assert isinstance(plan_open(tmp_path / "nowhere", "one", None, Options()), Failure)


def test_planning_leaves_no_trace_and_a_blocked_plan_is_refused(repo: Path) -> None:
    git(repo, "branch", "taken")
    before = state_of(repo)
    plan = planned(repo, "taken")
    assert (plan.blocked, apply_open(plan).outcome) == (True, "refused")
    planned(repo, "free")
    assert state_of(repo) == before


def test_what_was_taken_meanwhile_is_refused(repo: Path) -> None:
    plan = planned(repo, "one")
    git(repo, "branch", "one")
    result = apply_open(plan)
    assert (result.outcome, [finding.code for finding in result.findings]) == ("refused", ["branch-exists"])
    result = apply_open(replace(planned(repo, "two"), commit="0" * 40))
    assert result.outcome == "refused"


def test_a_failing_hook_does_not_undo_it(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no dependencies; exit 1\n")
    hook.chmod(0o755)
    result = opened(repo, "one")
    assert result.outcome == "opened"
    assert [(finding.code, finding.message) for finding in result.findings] == [("git-said", "no dependencies")]


def test_what_git_can_not_make_leaves_nothing(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "repo.worktrees").write_text("a file stands here\n")
    before = git(repo, "for-each-ref")
    result = opened(repo, "one")
    assert (result.outcome, result.path) == ("failed", None)
    assert (git(repo, "for-each-ref"), len(git(repo, "worktree", "list").splitlines())) == (before, 1)
    assert not (repo / ".git" / "worktrees").exists()
    assert not (repo / ".git" / "sidecar" / "journal").exists()


def open_and_be_killed(repo: Path, tmp_path: Path, wrapper: str) -> None:
    """Run `sidecar open one` with a git that does something else for `worktree add`, until all of it is killed."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    real = shutil.which("git")
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *"worktree add"*)\n{wrapper.replace("GIT", str(real))}\n;; esac\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", "open", "one"],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(HOUSE), "PATH": f"{fake.parent}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (repo / ".git" / "sidecar" / "journal").exists()


@pytest.mark.parametrize("before", ["", "GIT branch one main;"], ids=["nothing made", "the branch made"])
def test_killed_before_there_is_a_worktree_it_is_undone(repo: Path, tmp_path: Path, before: str) -> None:
    open_and_be_killed(repo, tmp_path, f"{before} kill -9 $PPID; exit 1")
    (finding,) = recover_all(repo)
    assert finding.message == "The opening of one was ended half-way; it is undone. Open it again."
    assert git(repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert not (tmp_path / "repo.worktrees").exists()
    assert recover_all(repo) == ()
    assert opened(repo, "one").outcome == "opened"


def test_a_branch_on_which_somebody_has_worked_meanwhile_stays(repo: Path, tmp_path: Path) -> None:
    open_and_be_killed(repo, tmp_path, "GIT branch one main; kill -9 $PPID; exit 1")
    git(repo, "worktree", "add", "--quiet", tmp_path / "mine", "one")
    tip = commit(tmp_path / "mine", {"mine.txt": "mine\n"})
    recover_all(repo)
    assert git(repo, "rev-parse", "one") == tip


def test_killed_while_the_files_are_written_it_is_finished(repo: Path, tmp_path: Path, home: Path) -> None:
    commit(repo, {"a.txt": "a\n", "slow.txt": "slow\n", "z.txt": "z\n", ".gitattributes": "slow.txt filter=slow\n"})
    git(repo, "config", "filter.slow.smudge", f"kill -9 $(cat {tmp_path}/pid); cat")
    open_and_be_killed(
        repo,
        tmp_path,
        f'echo $PPID $$ > {tmp_path}/pid; exec GIT "$@"',
    )
    git(repo, "config", "--remove-section", "filter.slow")
    where = tmp_path / "repo.worktrees" / "one"
    (where / "z.txt").unlink(missing_ok=True)
    (where / "mine.txt").write_text("of somebody\n")
    findings = recover_all(repo)
    assert findings[0].message == f"The opening of one was ended half-way; it is finished at {where}."
    assert git(where, "status", "--porcelain") == "?? mine.txt"
    assert git(where, "branch", "--show-current") == "one"
    assert "locked" not in git(repo, "worktree", "list", "--porcelain")
    assert recover_all(repo) == ()


def test_a_planted_journal_makes_nothing_happen(repo: Path, tmp_path: Path) -> None:
    sidecar_dir = repo / ".git" / "sidecar"
    sidecar_dir.mkdir(mode=0o700)
    victim = add_worktree(repo, "victim")
    head = git(victim, "rev-parse", "HEAD")
    for facts in ({"path": 3}, {"path": "relative", "branch": "victim", "commit": head}, {}):
        journal.begin(sidecar_dir, "open-20260101-000000", "open", "add", facts)
        assert [finding.code for finding in recover_all(repo)] == ["bad-journal"]
    facts = {"path": str(victim), "branch": "victim", "commit": head}
    journal.begin(sidecar_dir, "open-20260101-000000", "open", "add", facts)
    recover_all(repo)
    assert (git(victim, "status", "--porcelain"), git(victim, "branch", "--show-current")) == ("", "victim")


ANNEX = """#!/bin/sh
cat
cd "$(git rev-parse --show-toplevel)"
if [ -f .git ]; then ln -sfn "$(sed 's/gitdir: //' .git)" .git; fi
"""


def test_a_filter_may_put_a_link_in_place_of_the_git_file(repo: Path) -> None:
    """As git-annex does while `git worktree add` checks out."""
    program = repo / ".git" / "fix"
    program.write_text(ANNEX)
    program.chmod(0o755)
    git(repo, "config", "filter.annex.smudge", str(program))
    git(repo, "config", "filter.annex.clean", "cat")
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* filter=annex\n")
    result = opened(repo, "one")
    assert (result.outcome, result.path) == ("opened", str(repo.parent / "repo.worktrees" / "one"))
    where = Path(str(result.path))
    assert (where / ".git").is_symlink()
    assert git(where, "status", "--porcelain", "--branch") == "## one"
    assert worktree_at(repository_of(repo), where).problem is None


def test_what_is_left_of_a_worktree_that_can_not_be_used_is_named(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nmv .git moved\n")
    hook.chmod(0o755)
    result = opened(repo, "one")
    where = repo.parent / "repo.worktrees" / "one"
    assert (result.outcome, result.path) == ("failed", None)
    assert [finding.code for finding in result.findings] == ["not-opened", "half-written"]
    assert str(where) in result.findings[1].message and "the branch one" in result.findings[1].message
    assert where.is_dir() and git(repo, "rev-parse", "one")


def test_beside_the_main_worktree_wherever_its_git_directory_is(tmp_path: Path) -> None:
    """From a linked worktree it may not be known: then nothing is guessed."""
    (tmp_path / "store").mkdir()
    work = init(tmp_path / "work", "--separate-git-dir", str(tmp_path / "store/r.git"))
    commit(work, {"a.txt": "a\n"})
    linked = tmp_path / "linked"
    git(work, "worktree", "add", "--quiet", str(linked))
    assert opened(work, "one").path == str(tmp_path / "work.worktrees/one")
    assert codes(planned(linked, "two")) == ["unknown-place"]
    git(work, "config", "sidecar.worktreeFolder", str(tmp_path / "trees"))
    assert opened(linked, "two").path == str(tmp_path / "trees/two")
    assert not (tmp_path / "store/r.worktrees").exists()


def test_beside_a_main_worktree_whose_git_directory_is_behind_a_link(tmp_path: Path) -> None:
    work = init(tmp_path / "work")
    commit(work, {"a.txt": "a\n"})
    (work / ".git").rename(work / ".git.nosync")
    (work / ".git").symlink_to(".git.nosync")
    git(work, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    for folder, name in ((work, "one"), (tmp_path / "linked", "two")):
        assert opened(folder, name).path == str(tmp_path / "work.worktrees" / name)


def test_beside_the_superproject_of_a_submodule(repo: Path, tmp_path: Path) -> None:
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "lib\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    commit(repo)
    assert opened(repo / "lib", "one").path == str(tmp_path / "repo-lib.worktrees/one")
    assert git(repo, "status", "--porcelain") == ""


def test_ten_at_once_wait_for_one_another(repo: Path, tmp_path: Path) -> None:
    (repo / ".worktreeinclude").write_text(".env\n")
    (repo / ".env").write_text("SECRET=1\n")
    commit(repo, {".gitignore": ".env\n"})
    names = [f"task-{number}" for number in range(10)]
    command = [sys.executable, "-m", "sidecar", "open"]
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen([*command, name], cwd=repo, env=environment, stdout=pipe, stderr=pipe, text=True)
        for name in names
    ]
    said = [one.communicate(timeout=100) for one in running]
    assert [one.returncode for one in running] == [0] * 10, said
    where = tmp_path / "repo.worktrees"
    assert [out.strip() for out, _ in said] == [str(where / name) for name in names]
    for name in names:
        assert git(where / name, "status", "--porcelain", "--branch") == f"## {name}"
        assert (where / name / ".env").exists()
    assert not (repo / ".git/sidecar/journal").exists() and recover_all(repo) == ()


def test_what_a_hook_of_it_opens_does_not_wait_for_it(repo: Path, tmp_path: Path) -> None:
    """It waits for its hook: either would wait for the other."""
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    said, python = tmp_path / "said", f"PYTHONPATH={HOUSE} {sys.executable}"
    hook.write_text(f"#!/bin/sh\n{python} -m sidecar open two >{said} 2>&1\nexit 0\n")
    hook.chmod(0o755)
    assert opened(repo, "one").outcome == "opened"
    assert "It has started this itself, from a hook say, and waits for it." in said.read_text()
    assert not (tmp_path / "repo.worktrees/two").exists()
    hook.unlink()
    assert opened(repo, "two").outcome == "opened"


def test_a_merge_is_not_waited_for(repo: Path) -> None:
    plan = planned(repo, "one")
    with hold(str(repo / ".git"), "merging feat-1 into main"):
        result = apply_open(plan)
    assert [finding.code for finding in result.findings] == ["busy"]
    with hold(str(repo / ".git"), "opening two", passing=True):
        result = apply_open(plan, Control(cancelled=lambda: True))
    assert [finding.code for finding in result.findings] == ["busy"]
    assert apply_open(plan).outcome == "opened"
