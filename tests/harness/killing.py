"""An operation that is ended by SIGKILL: at a step of its journal, in a stage, or at any moment; and its recovery.

`python -m tests.harness.killing WHAT FOLDER ARGUMENT [POINT]` does it in a process of its own and says its stages on
standard output; with a point it ends itself at that journal write (even: before it, odd: after it).
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.user_git import operation_tag
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations import journal
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.recovery import recover_all
from sidecar.operations.run import Control
from tests.harness.repository import Content, Executable, Symlink, add_worktree, commit, git, git_bytes, init, write

ALLOWED = {"lock", "holder", ".journal.new", "receipts", "verified"}
"""What may be in the sidecar directory: `holder` says who had the lock, and a draft is overwritten by the next."""
LANDING = "Moving"
DONE = "done"
HOUSE = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Site:
    """A repository to be killed in: trunk's checkout, the worktree to be merged, and the person's own things."""

    main: Path
    feat: Path
    before: str
    own: dict[str, bytes] = field(default_factory=dict)
    status: bytes = b""
    staged: bytes = b""


def build(root: Path, files: int = 150) -> Site:
    """Trunk and a branch that changes many files in every way, and uncommitted work of all kinds beside them."""
    main = init(root / "shop")
    old: dict[str, Content] = {f"src/{number % 7}/f{number}.txt": f"old {number}\n" * 40 for number in range(files)}
    old |= {
        ".gitignore": "*.log\n",
        ".gitattributes": "*.crlf text eol=crlf\n",
        "w.crlf": "1\n2\n",
        "mode.sh": "echo\n",
    }
    old |= {
        "dir/inner.txt": "inner\n",
        "plain": "plain\n",
        "link": Symlink("plain"),
        "grows.txt": "1\n",
        "own.txt": "o\n",
    }
    old |= {"staged.txt": "s\n", "ends.txt": "1\n2\n3\n"}
    before = commit(main, old, "Begin")
    feat = add_worktree(main, "feat")
    for path in list(old):
        if path.startswith("src/") and int(path.rpartition("/f")[2][:-4]) % 3 == 0:
            write(feat, {path: None})
    new: dict[str, Content] = {path: f"new {path}\n" * 60 for path in old if path.startswith("src/1/")}
    new |= {f"made/{number % 5}/n{number}.txt": f"made {number}\n" * 50 for number in range(files // 2)}
    new |= {"w.crlf": "1\n2\n3\n", "mode.sh": Executable("echo\n"), "grows.txt": "1\n2\n3\n", "ends.txt": "1\n"}
    write(feat, {"dir/inner.txt": None, "plain": None, "link": None})
    (feat / "dir").rmdir() if (feat / "dir").exists() else None
    new |= {"dir": "a file now\n", "plain/now/a/directory.txt": "deep\n", "link": Symlink("own.txt")}
    commit(feat, new, "Change everything")
    write(main, {"own.txt": "being edited\n", "staged.txt": "staged\n", "untracked.txt": "u\n", "x.log": "ignored\n"})
    git(main, "add", "staged.txt")
    write(main, {"src/7/mine.txt": "mine\n"})
    git(main, "config", "user.name", "Ada")
    git(main, "config", "user.email", "ada@example.com")
    return _seen(Site(main, feat, before))


def _seen(site: Site) -> Site:
    names = ("own.txt", "staged.txt", "untracked.txt", "x.log", "src/7/mine.txt")
    own = {name: (site.main / name).read_bytes() for name in names}
    return Site(site.main, site.feat, site.before, own, _status(site.main), _staged(site.main))


def _status(folder: Path) -> bytes:
    return git_bytes(folder, "--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all")


def _staged(folder: Path) -> bytes:
    return git_bytes(folder, "diff-index", "--cached", "--raw", "-z", "HEAD")


@dataclass(frozen=True)
class Killed:
    """How it ended: by the kill or by itself, and in which stage."""

    died: bool
    stage: str


def run_and_kill(
    what: str, folder: Path, argument: str, *, point: int | None = None, chance: random.Random | None = None
) -> Killed:
    """Run an operation in a process of its own and end it: at a point of its journal, or at random.

    At random means anywhere, or (every other time) while trunk moves; every other time git is ended with it.
    """
    command = [sys.executable, "-m", "tests.harness.killing", what, str(folder), argument]
    command += [str(point)] if point is not None else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=HOUSE)
    assert process.stdout is not None
    stage = ""
    aimed = chance is not None and chance.random() < 0.5
    for line in process.stdout:
        stage = line.strip()
        if chance is not None and stage != DONE and (not aimed or stage.startswith(LANDING)):
            time.sleep(chance.uniform(0, 0.12 if aimed else 1.6))  # the moment of the kill is what is random here
            if chance.random() < 0.5:
                _kill_marked(folder)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    return Killed(process.returncode == -signal.SIGKILL, stage)


def _kill_marked(main: Path) -> None:
    """End every git of ours in this repository first, as when the power goes."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("SIDECAR_OPERATION", "").endswith(operation_tag("", str(main / ".git"))):
                process.kill()


def violations(site: Site) -> Iterator[str]:
    """What is not as promised after a kill and the next command, by git itself."""
    main, common = site.main, site.main / ".git"
    now = git(main, "rev-parse", "main")
    if now != site.before and git(main, "rev-parse", "main^@", "--").splitlines()[:1] != [site.before]:
        yield f"trunk is at {now}"
    if git(main, "symbolic-ref", "HEAD") != "refs/heads/main":
        yield "trunk's checkout is on another branch"
    if _status(main) != site.status:
        yield f"status is {_status(main)!r}"
    if _staged(main) != site.staged:
        yield "the index differs"
    for name, content in site.own.items():
        if (main / name).read_bytes() != content:
            yield f"{name} has changed"
    for path in common.rglob("*.lock"):
        yield f"{path} is left"
    if unknown := {path.name for path in (common / "sidecar").glob("*")} - ALLOWED:
        yield f"the sidecar directory has {unknown}"
    if "sidecar-" in git(main, "worktree", "list", "--porcelain"):
        yield "a temporary worktree is listed"
    if left := left_in_cache(Path(os.environ["XDG_CACHE_HOME"])):
        yield f"the cache has {left[:3]}"
    receipts = list((common / "sidecar" / "receipts").glob("*.json")) if now == site.before else []
    if receipts:
        yield "a receipt tells of a merge that did not come about"
    checked = subprocess.run(["git", "fsck", "--strict"], cwd=main, capture_output=True, text=True, check=False)
    if checked.returncode:
        yield f"fsck says {checked.stderr}"


def start_over(site: Site) -> None:
    """Trunk as it was at first, if it moved."""
    if git(site.main, "rev-parse", "main") != site.before:
        git(site.main, "read-tree", "-m", "-u", "HEAD", site.before)
        git(site.main, "update-ref", "refs/heads/main", site.before)
    shutil.rmtree(site.main / ".git/sidecar/receipts", ignore_errors=True)


def _main(what: str, folder: str, argument: str, point: str | None) -> None:
    if point is not None:
        _end_at(int(point))

    def stage(sentence: str) -> None:
        print(sentence, flush=True)

    stage("ready")
    options = Options(trusted=True)
    if what == "recover":
        recover_all(Path(folder))
    elif what == "undo":
        from sidecar.operations.merge.undo import undo_merge

        undo_merge(Path(folder), argument, options, Control(stage))
    elif what == "update":
        from sidecar.operations.merge.update import apply_update, plan_update

        update = plan_update(Path(folder), argument, options)
        assert not isinstance(update, Failure), update
        apply_update(update, Control(stage))
    elif what == "continue":
        from sidecar.operations.merge.continue_merge import apply_continue, plan_continue

        ending = plan_continue(Path(folder), argument, options)
        assert not isinstance(ending, Failure), ending
        apply_continue(ending, Control(stage))
    else:
        choices = MergeChoices(regenerate=True) if what == "regenerate" else MergeChoices(strategy=what)  # type: ignore[arg-type]
        plan = plan_merge(Path(folder), argument, options, choices)
        assert not isinstance(plan, Failure), plan
        result = apply_merge(plan, Control(stage))
        assert result.outcome == "merged", result
    stage(DONE)


def _end_at(point: int) -> None:
    """End this process at its n-th journal write: before (even) or after (odd) it is on the disk."""
    written = journal._write
    finished = journal.finish
    count = 0

    def passing() -> None:
        nonlocal count
        if count == point:
            os.killpg(os.getpgid(0), signal.SIGKILL)
        count += 1

    def write_and_pass(sidecar_dir: Path, journal: journal.Journal) -> None:
        passing()
        written(sidecar_dir, journal)
        passing()

    def finish_and_pass(sidecar_dir: Path) -> None:
        passing()
        finished(sidecar_dir)
        passing()

    journal._write = write_and_pass
    for module in [module for name, module in sys.modules.items() if name.startswith("sidecar.operations")]:
        if getattr(module, "finish", None) is finished:
            vars(module)["finish"] = finish_and_pass


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)


LANDING_WORKTREE = {"sidecar-landing", "sidecar-landing.index", "sidecar-landing.json"}


def left_in_cache(cache: Path) -> list[Path]:
    """What operations have left in the user's cache directory, besides landing worktrees that can be used again."""
    left = []
    for folder in cache.glob("worktree-sidecar/*"):
        names = {path.name for path in folder.iterdir()}
        if names != LANDING_WORKTREE or os.path.lexists(folder / "sidecar-landing/.git"):
            left += [folder, *folder.iterdir()]
    return left
