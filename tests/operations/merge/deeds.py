"""Planning and merging in one go, and what has to be true afterwards."""

import os
from pathlib import Path

from sidecar.model.findings import Failure, Finding
from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices, MergePlan, MergeResult
from sidecar.operations.records import sidecar_path
from sidecar.operations.recovery import recover_all
from sidecar.operations.run import QUIET, Control
from tests.harness import git, git_bytes
from tests.harness.killing import left_in_cache

TRUSTED = Options(trusted=True)


def tip(folder: Path, ref: str = "main") -> str:
    return git(folder, "rev-parse", ref)


def planned(folder: Path, name: str = "feat", choices: MergeChoices | None = None) -> MergePlan:
    plan = plan_merge(folder, name, TRUSTED, choices or MergeChoices())
    assert not isinstance(plan, Failure), plan
    return plan


def merged(
    folder: Path, name: str = "feat", choices: MergeChoices | None = None, control: Control = QUIET
) -> MergeResult:
    return apply_merge(planned(folder, name, choices), control)


def only(findings: tuple[Finding, ...], severity: str = "blocks") -> Finding:
    """The one finding of a severity."""
    (found,) = [one for one in findings if one.severity == severity]
    return found


def assert_nothing_left(main: Path) -> None:
    """no lock, journal, ref, landing repository or directory of a merge, and nothing broken."""
    common = Path(git(main, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    left = [str(path.relative_to(common)) for path in common.rglob("*") if path.name.endswith(".lock")]
    assert left == []
    sidecar_dir = sidecar_path(str(common))
    if sidecar_dir.exists():
        assert {path.name for path in sidecar_dir.iterdir()} <= {"lock", "receipts", "verified"}
    listed = git(main, "worktree", "list", "--porcelain")
    assert "sidecar-merge" not in listed
    assert "sidecar-undo" not in listed
    assert left_in_cache(Path(os.environ["XDG_CACHE_HOME"])) == []
    assert git(main, "for-each-ref", "refs/sidecar", "refs/worktree") == ""
    git(main, "fsck", "--strict")
    assert recover_all(main) == ()


Seen = tuple[object, ...]


def seen(*folders: Path) -> Seen:
    """Everything about these worktrees that a merge which does not come about must leave alone."""
    return tuple(
        part
        for folder in folders
        for part in (
            git(folder, "for-each-ref"),
            git(folder, "rev-parse", "HEAD"),
            git_bytes(folder, "--no-optional-locks", "status", "--porcelain=v2", "-z", "--ignored"),
            git(folder, "ls-files", "--stage", "-v"),
            {str(path.relative_to(folder)): _content(path) for path in sorted(folder.rglob("*")) if _is_own(path)},
        )
    )


def _is_own(path: Path) -> bool:
    return ".git" not in path.parts and (path.is_symlink() or not path.is_dir())


def _content(path: Path) -> tuple[int, bytes]:
    if path.is_symlink():
        return 0, os.fsencode(os.readlink(path))
    return path.stat().st_mode, path.read_bytes() if path.is_file() else b""


def hook(main: Path, name: str, text: str) -> Path:
    """A hook of the repository, in shell."""
    path = main / ".git/hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
