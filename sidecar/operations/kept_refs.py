"""Write refs below `refs/sidecar/`, by which git keeps what must not be lost; a change is on the disk when done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.git.process import Conversation, GitError, run, run_for_status
from sidecar.git.repository import Repository
from sidecar.git.user_git import DURABLE

PATIENT = tuple(
    word
    for key in ("core.filesRefLockTimeout", "core.packedRefsTimeout", "reftable.lockTimeout")
    for word in ("-c", f"{key}=5000")
)
"""Has git wait for who writes the same refs right now, in milliseconds (git-config(1)): the usual 100 are few."""

_UPDATE = (*DURABLE, *PATIENT, "update-ref", "--no-deref")


@dataclass(frozen=True, slots=True)
class Move:
    """A ref that is to hold another commit: `new` is None to drop it, `old` what it holds now, None for a new one."""

    ref: str
    new: str | None
    old: str | None


class RefWriter:
    """Moves refs in one git that stays (git-update-ref(1), --stdin): all of a call's, or none. For one thread."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._git: Conversation | None = None

    def move(self, moves: Sequence[Move]) -> None:
        """Move these refs by compare-and-swap; GitError with git's own word when one of them can't be."""
        if not moves:
            return
        orders = "".join(["start\n", *map(self._order, moves), "commit\n"]).encode("ascii")
        try:
            self._git = self._git or Conversation(self._repository.place, *_UPDATE, "--stdin")
            self._git.ask(orders, b"commit: ok\n")
        except GitError:  # it has ended, and kept to itself why
            self.close()
            run(self._repository.place, *_UPDATE, "--stdin", stdin=orders)

    def close(self) -> None:
        """End git; closing twice is fine."""
        if self._git is not None:
            self._git.close()
            self._git = None

    def _order(self, move: Move) -> str:
        null = "0" * (40 if self._repository.object_format == "sha1" else 64)
        if move.new is None:
            return f"delete {move.ref} {move.old or ''}\n"
        return f"update {move.ref} {move.new} {move.old or null}\n"


def ref_of(operation_or_receipt: str) -> str:
    """Name the ref that holds what a release or a receipt keeps; what it is of stands first in its id."""
    return f"refs/sidecar/{operation_or_receipt.partition('-')[0]}/{operation_or_receipt}"


def keep(repository: Repository, ref: str, commit: str) -> None:
    """Have a new ref hold a commit; GitError when there is one of this name already."""
    run(repository.place, *_UPDATE, ref, commit, "0" * len(commit))


def holds(repository: Repository, ref: str, commit: str) -> bool:
    """Tell whether a ref holds this very commit."""
    return _object_of(repository, ref) == commit


def _object_of(repository: Repository, ref: str) -> str:
    """Give the object that a ref holds; '' when there is no such ref."""
    name = ("rev-parse", "--verify", "-q", "--end-of-options", ref)
    status, said = run_for_status(repository.place, *name, accept=(0, 1, 128))
    return said.decode("ascii", "replace").strip() if status == 0 else ""


def let_go(repository: Repository, ref: str) -> None:
    """Drop a ref; one that is gone is fine."""
    run_for_status(repository.place, *_UPDATE, "-d", ref, accept=(0, 1, 128))


def set_ref(repository: Repository, ref: str, new: str, old: str, reason: str) -> None:
    """Move a ref from one object to another, '' being none, if it is there or has moved already; else GitError."""
    none = "0" * len(new or old)
    if _object_of(repository, ref) == new:
        return
    if new:
        run(repository.place, *_UPDATE, "-m", reason, "--create-reflog", ref, new, old or none)
    else:
        run(repository.place, *_UPDATE, "-m", reason, "-d", ref, old)


def keep_all(repository: Repository, prefix: str, objects: Sequence[str]) -> None:
    """Have refs below a prefix hold these objects, in one step; GitError when they can't be written."""
    said = "".join(f"update {prefix}/{number} {oid}\n" for number, oid in enumerate(objects))
    run(repository.place, *_UPDATE, "--stdin", stdin=said.encode())


def let_go_all(repository: Repository, prefix: str, count: int | None = None) -> None:
    """Drop the refs that `keep_all` made below a prefix: so many, else all there are; those that are gone are fine."""
    if count is None:
        orders = run(repository.place, "for-each-ref", "--format=delete %(refname)", f"{prefix}/")
    else:
        orders = "".join(f"delete {prefix}/{number}\n" for number in range(count)).encode()
    if orders:
        run(repository.place, *_UPDATE, "--stdin", stdin=orders)
