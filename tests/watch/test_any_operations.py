"""Whatever is done to files, every path whose content is another one afterwards has been told."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.watch.open import open_watcher
from tests.harness import write
from tests.model.examples import examples
from tests.watch.support import POLL_EVERY, Heard, Watching, plain, tells

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, PATHS),
        st.tuples(st.just("replace"), PATHS, PATHS),
        st.tuples(st.just("move"), PATHS, PATHS),
        st.tuples(st.just("take out"), PATHS, PATHS),
        st.tuples(st.just("bring in"), PATHS, PATHS),
        st.tuples(st.just("remove"), PATHS, PATHS),
        st.tuples(st.just("mkdir"), PATHS, PATHS),
        st.tuples(st.just("chmod"), PATHS, PATHS),
        st.tuples(st.just("link"), PATHS, PATHS),
    ),
    min_size=1,
    max_size=25,
)
START = {"a/a": "1", "a/b/a": "2", "b/c": "3", "c": "4", "a/b/c": "5"}
OUTSIDE = {"a/a": "o1", "b/c/a": "o2"}


def do(place: Path, outside: Path, operation: str, path: str, other: str, number: int) -> None:
    """One operation; one that the file system refuses does nothing, as the refusal is not what is tested."""
    here = place / path
    try:
        match operation:
            case "write":
                here.parent.mkdir(parents=True, exist_ok=True)
                here.write_text(f"{number}")
            case "replace":
                (place / "swap~").write_text(f"r{number}")
                (place / "swap~").replace(here)
            case "move":
                (place / other).parent.mkdir(parents=True, exist_ok=True)
                here.rename(place / other)
            case "take out":
                here.rename(outside / f"taken{number}")
            case "bring in":
                (outside / path).rename(place / other)
            case "remove":
                shutil.rmtree(here) if here.is_dir() and not here.is_symlink() else here.unlink()
            case "mkdir":
                here.mkdir(parents=True)
            case "chmod":
                here.chmod(here.lstat().st_mode ^ 0o100)
            case "link":
                here.symlink_to(other)
    except OSError:
        return


def contents(place: Path) -> dict[str, tuple[object, ...]]:
    """What git would see at each path that is no directory."""
    found: dict[str, tuple[object, ...]] = {}
    for path in place.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(place))] = ("link", str(path.readlink()))
        elif path.is_file():
            found[str(path.relative_to(place))] = (path.read_bytes(), path.stat().st_mode & 0o111)
    return found


@pytest.mark.parametrize(("backend", "number"), [("inotify", 200), ("watchfiles", 15), ("polling", 25)])
def test_every_path_that_differs_is_told(backend: str, number: int, tmp_path: Path) -> None:
    heard = Heard()
    watching = Watching(open_watcher(heard, backend=backend, quiet=0.002, poll_every=POLL_EVERY), heard)
    numbers = iter(range(1_000_000))

    @examples(number)
    @given(OPERATIONS)
    def check(operations: list[tuple[str, str, str]]) -> None:
        top = tmp_path / str(next(numbers))
        place, outside = top / "place", top / "outside"
        write(place, START)
        write(outside, OUTSIDE)
        watching.follow(plain(place))
        since = len(heard.batches)
        before = contents(place)
        for number, (operation, path, other) in enumerate(operations):
            do(place, outside, operation, path, other, number)
        after = contents(place)
        differing = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
        heard.until(lambda told: all(tells(told, path) for path in differing), since)
        (place / "z").write_text("still listening\n")
        heard.until(lambda told: tells(told, "z"), since)
        if after and backend == "inotify":  # and every directory is watched where it is now
            files = [path for path in after if after[path][0] != "link"]
            watching.after(lambda: [(place / path).write_text("new\n") for path in files], *files)
        watching.watcher.follow([])
        shutil.rmtree(top)

    try:
        check()
    finally:
        watching.watcher.close()
