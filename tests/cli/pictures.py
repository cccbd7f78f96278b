"""Pictures by hand, for what tables make of them."""

from sidecar.model.changes import COMMITTED, FILE, SUBMODULE, SYMLINK, Change, ChangeSet, Entry
from sidecar.model.overlaps import Overlap, Side, Verdict, region
from sidecar.model.picture import Integration, Picture, Trunk, Worktree, WorktreeState

CONTENT, LINK, MODULE = Entry(FILE, "a" * 40), Entry(SYMLINK, "b" * 40), Entry(SUBMODULE, "c" * 40)
TRUNK = Trunk("main", "refs/heads/main", "d" * 40)


def side(
    name: str | None,
    path: str,
    *lines: tuple[int, int],
    ref: str | None = None,
    sources: tuple[str, ...] = (COMMITTED,),
    before: Entry | None = CONTENT,
    after: Entry | None = CONTENT,
) -> Side:
    """A side with these (first, count) of lines, as where it is met and as what it changed; no name: trunk."""
    regions = tuple(region(first, count) for first, count in lines)
    return Side(
        f"/r/{name}" if name else "", name, ref or name or "main", path, regions, regions, sources, before, after
    )


def overlap(
    verdict: Verdict,
    first: Side,
    second: Side,
    *,
    kind: str = "content",
    path: str | None = None,
    note: str | None = None,
) -> Overlap:
    return Overlap(path or first.path, verdict, kind, (first, second), note)


def change_set(**counts: int) -> ChangeSet:
    """So many changes of each source."""
    names = [(f"{source}{index}", source) for source, count in counts.items() for index in range(count)]
    changes = {path: Change(path, CONTENT, CONTENT, (source,)) for path, source in names}
    return ChangeSet("e" * 40, "f" * 40, changes, changes)


def worktree(name: str, branch: str | None = "", *, main: bool = False, locked: str | None = None) -> Worktree:
    """A worktree that can be read, on the branch of its name unless another is given; None: detached."""
    return Worktree(f"/r/{name}", name, f"/r/.git/{name}", main, name if branch == "" else branch, "1" * 40, locked)


def state(
    tree: Worktree,
    changes: ChangeSet | None = None,
    ahead: int = 0,
    behind: int = 0,
    *,
    integrated: bool | None = False,
) -> WorktreeState:
    """Its state; `integrated` None: no work."""
    known = (
        Integration("no-work") if integrated is None else Integration("integrated" if integrated else "not-integrated")
    )
    return WorktreeState(tree, "9" * 40, changes or change_set(), ahead, behind, known)


def picture(*states: WorktreeState, overlaps: tuple[Overlap, ...] = (), trunk: Trunk | None = TRUNK) -> Picture:
    return Picture(1, "/r/.git", trunk, states, overlaps)
