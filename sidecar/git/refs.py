"""Names of refs, and the commits that names stand for; each question is asked in a place."""

from __future__ import annotations

from sidecar.git.process import GitError, Place, run, run_for_status


def is_ref_name(place: Place, ref: str) -> bool:
    """Whether git takes this as the full name of a ref (git-check-ref-format(1))."""
    return _succeeds(place, "check-ref-format", ref)


def is_branch_name(place: Place, name: str) -> bool:
    """Whether git takes this as the short name of a branch."""
    return is_ref_name(place, f"refs/heads/{name}")


def branch_tip(place: Place, name: str) -> str | None:
    """What a branch, by its short name, points at; None when there is no such branch."""
    how = ("rev-parse", "--verify", "-q", "--end-of-options", f"refs/heads/{name}")
    status, said = run_for_status(place, *how, accept=(0, 1))
    return None if status else said.decode("ascii").strip()


def resolve_commit(place: Place, name: str) -> str | None:
    """The commit id that a name stands for (gitrevisions(7)); None when it stands for none."""
    try:
        said = run(place, "rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}")
    except GitError:
        return None
    return said.decode("ascii").strip() or None


def has_commit(place: Place, commit: str) -> bool:
    """Whether a commit is in the object store."""
    return _succeeds(place, "cat-file", "-e", f"{commit}^{{commit}}")


def is_ancestor(place: Place, old: str, new: str) -> bool:
    """Whether a commit is another one or among its ancestors; not where that can't be told."""
    return _succeeds(place, "merge-base", "--is-ancestor", old, new)


def _succeeds(place: Place, *args: str) -> bool:
    try:
        run(place, *args)
    except (GitError, ValueError):  # a NUL is no part of an argument
        return False
    return True
