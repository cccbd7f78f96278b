"""One story in repositories of every kind: two worktrees that meet in three ways, held against git's own merges."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sidecar.model.picture import Picture
from sidecar.model.schema import overlap_object
from sidecar.model.settings import Options
from sidecar.session.once import look
from tests.harness import add_worktree, commit, environment, git, write
from tests.harness import state_of as everything_of
from tests.harness.truth import disagreements
from tests.session.pictures import overlaps_of, pictured
from tests.session.watching import watching


def numbered(**lines: str) -> str:
    """Twelve lines; those called `l3="x"` are different."""
    return "".join(lines.get(f"l{number}", f"line {number}") + "\n" for number in range(1, 13))


FILES = {"hot.txt": numbered(), "cold.txt": numbered(), "deep/er/same.txt": numbered(), "other/alone.txt": numbered()}

MEETINGS = [
    "clean content cold.txt one:cold.txt:10-10 | two:cold.txt:2-2",
    "identical content deep/er/same.txt one:deep/er/same.txt:6-6 | two:deep/er/same.txt:6-6",
    "conflict content hot.txt one:hot.txt:3-3 | two:hot.txt:3-3",
]


def begin(main: Path) -> tuple[Path, Path]:
    """The first commit, and two worktrees that have not done anything yet."""
    commit(main, FILES, "Begin")
    return add_worktree(main, "one"), add_worktree(main, "two")


def work(one: Path, two: Path) -> None:
    """What they do: committed, staged, and on disk only."""
    commit(one, {"hot.txt": numbered(l3="one")})
    write(one, {"cold.txt": numbered(l2="one"), "deep/er/same.txt": numbered(l6="alike")})
    git(one, "add", "cold.txt")
    write(two, {"hot.txt": numbered(l3="two"), "new.txt": "new\n"})
    commit(two, {"cold.txt": numbered(l10="two"), "deep/er/same.txt": numbered(l6="alike")})


def agree(
    main: Path,
    expected: Sequence[str],
    *,
    home: Path | None = None,
    trusted: bool = False,
    problems: Mapping[str, str] | None = None,
) -> Picture:
    """The Picture is as expected, git's merges say the same, and nothing was written; a live one keeps up with a save.

    `problems` has a part of what is said of a worktree, by its name; of all others, nothing is said.
    """
    options = Options(trusted=trusted)
    before = everything_of(main)
    picture = pictured(look(main, options))
    assert overlaps_of(picture) == list(expected)
    said = {state.worktree.name: state.problem or state.worktree.problem for state in picture.worktrees}
    assert {name for name, problem in said.items() if problem} == {*(problems or {})}, said
    for name, part in (problems or {}).items():
        assert part in (said[name] or "")
    assert everything_of(main) == before
    everyone = (
        {name: environment(home)[name] for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")} if home else {}
    )
    overlaps = [overlap_object(overlap) for overlap in picture.overlaps]
    assert disagreements(main, main.parent / f"scratch of {main.name}", overlaps, everyone) == []
    return picture


def keeps_up(main: Path, one: Path, path: str = "hot.txt", *, trusted: bool = False) -> None:
    """A live session is right after a save, after a commit, and after the save is taken back."""
    with watching(main, Options(trusted=trusted)) as live:
        live.until_fresh()
        before = (one / path).read_bytes()
        write(one, {path: before + b"another line\n"})
        assert live.until_fresh().overlaps
        commit(one, {"later.txt": "later\n"})
        live.until_fresh()
        write(one, {path: before})
        live.until_fresh()


def all_problems(picture: Picture) -> str:
    """All that is said to be wrong, of the repository and of its worktrees."""
    found = [picture.problem, *(state.problem or state.worktree.problem for state in picture.worktrees)]
    found += [unknown.reason for unknown in picture.unknown]
    return " ".join(problem for problem in found if problem)
