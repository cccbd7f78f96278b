"""The user's `git gc` under a session: what it deleted must not take up space until the session ends."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git, init
from tests.session.watching import watching

FILES = {"a.txt": "1\n2\n3\n", "d/b.txt": "x\n"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see which deleted files are open")


def held_packs() -> set[str]:
    """Packs that are open, by descriptor or in memory, here or in a git of ours; Linux tells which are deleted."""
    held: set[str] = set()
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        place = Path(f"/proc/{process.pid}")
        with suppress(OSError):  # it has just ended
            held |= {line.split(None, 5)[-1] for line in (place / "maps").read_text().splitlines()}
            for number in os.listdir(place / "fd"):
                with suppress(OSError):
                    held.add(os.readlink(place / "fd" / number))
    return {name for name in held if "/objects/pack/" in name}


def deleted_packs(main: Path) -> set[str]:
    """Those that take up space for nothing."""
    return {name for name in held_packs() if name.startswith(str(main)) and name.endswith(" (deleted)")}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_deleted_packs_are_let_go(tmp_path: Path, object_format: str) -> None:
    main = init(tmp_path / "main", f"--object-format={object_format}")
    commit(main, FILES)
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    git(main, "repack", "-a", "-d", "-q")
    with watching(main) as live:
        assert any(name.startswith(str(main)) for name in held_packs()), "else there is nothing to let go"
        for number in range(3):
            commit(one, {"a.txt": f"{number}\n2\n3\n"})
            commit(two, {"a.txt": f"two {number}\n2\n3\n"})
            live.until_fresh()
            git(main, "-c", "gc.reflogExpire=never", "gc", "--quiet", "--prune=now")
        commit(one, {"a.txt": "at last\n2\n3\n"})
        live.until_fresh()
        eventually(lambda: not deleted_packs(main))
        assert [overlap.path for overlap in live.pictures[-1].overlaps] == ["a.txt"]
