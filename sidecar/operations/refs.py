"""Refs below `refs/sidecar/`, by which git keeps what an operation must not lose; a change is on the disk when done."""

from __future__ import annotations

from sidecar.git.acting import DURABLE
from sidecar.git.process import run, run_for_status
from sidecar.git.repository import Repository

_UPDATE = (*DURABLE, "update-ref", "--no-deref")


def keep(repository: Repository, ref: str, commit: str) -> None:
    """Have a new ref hold a commit; GitError when there is one of this name already."""
    run(repository.place, *_UPDATE, ref, commit, "0" * len(commit))


def keep_instead(repository: Repository, ref: str, commit: str) -> None:
    """Have a ref hold a commit, whatever it held; GitError when it can't be written."""
    run(repository.place, *_UPDATE, ref, commit)


def holds(repository: Repository, ref: str, commit: str) -> bool:
    """Whether a ref holds this very commit."""
    name = ("rev-parse", "--verify", "-q", "--end-of-options", ref)
    status, said = run_for_status(repository.place, *name, accept=(0, 1, 128))
    return status == 0 and said.decode("ascii", "replace").strip() == commit


def let_go(repository: Repository, ref: str) -> None:
    """Drop a ref; one that is gone is fine."""
    run_for_status(repository.place, *_UPDATE, "-d", ref, accept=(0, 1, 128))
