"""Histories of a branch and of trunk, told deed by deed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.history import find_trunk
from sidecar.git.repository import list_worktrees
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk
from sidecar.model.proof import Proof
from sidecar.model.settings import Options
from sidecar.session.proof import Receipts, prove
from sidecar.session.reader import open_sources
from tests.harness import Content, add_worktree, commit, commit_index, git, init, tick

LINES = [f"line {number}\n" for number in range(1, 31)]


def text(changes: Mapping[int, str] | None = None, **more: str) -> str:
    """Thirty lines, some of them changed by their number; None takes a line out."""
    lines = list(LINES)
    for number, line in (changes or {}).items():
        lines[number - 1] = line
    return "".join(lines)


@dataclass(frozen=True)
class Story:
    """Trunk `main` in the main worktree, branch `work` in a linked one."""

    main: Path
    work: Path

    def on_trunk(self, files: Mapping[str, Content] | None = None, message: str = "Trunk") -> str:
        return commit(self.main, files, message)

    def on_work(self, files: Mapping[str, Content] | None = None, message: str = "Work") -> str:
        return commit(self.work, files, message)

    def squash(self, name: str = "work", message: str = "Squashed") -> str:
        git(self.main, "merge", "--quiet", "--squash", name, env=tick(self.main))
        return commit_index(self.main, message)

    def merge(self, *options: str, name: str = "work") -> str:
        git(self.main, "merge", "--quiet", "--no-ff", "--no-edit", *options, name, env=tick(self.main))
        return self.tip()

    def merge_trunk(self, *options: str) -> str:
        git(self.work, "merge", "--quiet", "--no-edit", *options, "main", env=tick(self.work))
        return self.head()

    def pick(self, *commits: str) -> str:
        for one in commits:
            git(self.main, "cherry-pick", "--allow-empty", "--keep-redundant-commits", one, env=tick(self.main))
        return self.tip()

    def revert(self, one: str, *options: str) -> str:
        git(self.main, "revert", "--no-edit", *options, one, env=tick(self.main))
        return self.tip()

    def rebased_copy(self, name: str = "copy") -> None:
        """A branch with the same commits on top of trunk."""
        copy = add_worktree(self.main, name, start="work")
        git(copy, "rebase", "--quiet", "main", env=tick(copy))

    def tip(self) -> str:
        return git(self.main, "rev-parse", "main")

    def head(self) -> str:
        return git(self.work, "rev-parse", "HEAD")

    def proof(self, *, branch: str | None = "work", receipts: Receipts = ()) -> Proof:
        return proof_of(self.main, self.head(), branch=branch, receipts=receipts)


def begin(place: Path, files: Mapping[str, Content] | None = None) -> Story:
    """A story with these files, or a few, on trunk."""
    main = init(place / "main")
    commit(main, files or {"a.txt": text(), "b.txt": text(), "d/c.txt": text()}, "Begin")
    return Story(main, add_worktree(main, "work"))


def proof_of(
    folder: Path,
    head: str,
    *,
    branch: str | None = None,
    receipts: Receipts = (),
    cancelled: Callable[[], bool] = lambda: False,
) -> Proof:
    """What is proved of a head in the repository of a folder."""
    sources = open_sources(folder, Options())
    assert not isinstance(sources, Failure), sources
    try:
        trunk = find_trunk(sources.repository, list_worktrees(sources.repository), str(sources.settings["trunk"]))
        assert isinstance(trunk, Trunk), trunk
        return prove(sources, trunk, head, branch=branch, receipts=receipts, cancelled=cancelled)
    finally:
        sources.close()


Tale = Callable[[Story], object]

IN_TRUNK: dict[str, tuple[Tale, str]] = {}
"""Tales of work that trunk has: what shows it."""

TAKEN_BACK: dict[str, tuple[Tale, str, tuple[str, ...]]] = {}
"""Tales of work that trunk has in its history, but these paths of it not any more, or not really."""

NOT_PROVEN: dict[str, Tale] = {}


def yes(how: str) -> Callable[[Tale], Tale]:
    """Told of work that trunk has."""

    def take(tale: Tale) -> Tale:
        IN_TRUNK[tale.__name__] = (tale, how)
        return tale

    return take


def warned(how: str, *missing: str) -> Callable[[Tale], Tale]:
    """Told of work that trunk took, but lacks at these paths."""

    def take(tale: Tale) -> Tale:
        TAKEN_BACK[tale.__name__] = (tale, how, missing)
        return tale

    return take


def no(tale: Tale) -> Tale:
    """Told of work that trunk has not, or that nothing proves to be there."""
    NOT_PROVEN[tale.__name__] = tale
    return tale


def two_commits(story: Story) -> tuple[str, str]:
    """Line 3 of a.txt, then line 20 of it and a new file."""
    first = story.on_work({"a.txt": text({3: "three\n"})}, "First")
    return first, story.on_work({"a.txt": text({3: "three\n", 20: "twenty\n"}), "new.txt": "new\n"}, "Second")


def overlapping(story: Story) -> tuple[str, str]:
    """Line 3 of a.txt, twice."""
    first = story.on_work({"a.txt": text({3: "three\n"})}, "First")
    return first, story.on_work({"a.txt": text({3: "THREE\n"})}, "Second")
