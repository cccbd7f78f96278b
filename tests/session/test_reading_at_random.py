"""A reading that is kept up path by path is the one that reading everything gives."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.git.status import Edit
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.session.reader import open_sources
from sidecar.session.reading import Reading, read_paths, read_worktree
from tests.git.opening import worktree_at
from tests.git.test_status_at_random import DEEDS, FILES, NEW, Deed
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, init
from tests.model.examples import examples

ON_DISK = tuple(deed for deed in DEEDS if deed.__name__ not in ("_stage", "_take_out", "_intend"))
"""What changes the index has everything read again; this is about the rest."""

STEPS = st.lists(st.tuples(st.sampled_from(ON_DISK), st.sampled_from(NEW), st.integers(0, 30)), min_size=1, max_size=3)


@examples(15)
@given(
    begun=st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(NEW), st.integers(0, 30)), max_size=6),
    bursts=st.lists(STEPS, min_size=1, max_size=6),
    autocrlf=st.sampled_from(["false", "false", "input"]),
)
def test_path_by_path_is_as_good_as_whole(
    begun: list[tuple[Deed, str, int]], bursts: list[list[tuple[Deed, str, int]]], autocrlf: str
) -> None:
    with TemporaryDirectory() as place:
        main = init(Path(place) / "main")
        git(main, "config", "core.autocrlf", autocrlf)
        plain: dict[str, Content] = {name: f"{name}\n" for name in FILES}
        commit(main, {**plain, "run.sh": Executable("#!\n"), "link": Symlink("a.txt")})
        worktree = add_worktree(main, "work")
        for deed, name, number in begun:
            deed(worktree, name, number)
        sources = open_sources(main, Options())
        assert not isinstance(sources, Failure)
        try:
            found = worktree_at(sources.repository, worktree)
            kept = read_worktree(sources, found)
            for burst in bursts:
                before = _seen(worktree)
                for deed, name, number in burst:
                    note(f"{deed.__name__} {name!r} {number}")
                    deed(worktree, name, number)
                after = _seen(worktree)
                changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
                whole = read_worktree(sources, found)
                if any(path in (".gitattributes", ".gitignore") for path in changed):
                    kept = whole  # what a session does, too
                elif changed:
                    kept = read_paths(sources, kept, sorted(changed))
                assert _edits(kept) == _edits(whole)
                assert kept.uncommitted.skipped == whole.uncommitted.skipped
        finally:
            sources.close()


def _seen(worktree: Path) -> dict[str, object]:
    """Every path in it, directories too, with what tells that it changed: a watcher tells no less."""
    found: dict[str, object] = {}
    for folder, names, leaves in os.walk(worktree):
        here = Path(folder)
        for name in [*names, *leaves]:
            status = (here / name).lstat()
            leaf = None if name in names and not (here / name).is_symlink() else (status.st_mtime_ns, status.st_ino)
            found[str((here / name).relative_to(worktree))] = (status.st_mode, leaf)
    found.pop(".git", None)
    return found


def _edits(reading: Reading) -> dict[str, Edit]:
    assert reading.problem is None
    return {edit.path: edit for edit in reading.uncommitted.edits}
