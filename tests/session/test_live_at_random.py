"""Whatever people and agents do to a repository, and in whatever order: the live Picture is what a fresh look shows."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.model.picture import Integration, Picture
from sidecar.model.settings import Options
from sidecar.operations.picture_news import overlap_news
from sidecar.session import once
from sidecar.session.at_paths import cut_to_paths, look_at_paths
from tests.harness import add_worktree, commit, git, init, tick, worktree_paths, write
from tests.model.examples import examples
from tests.session.watching import DEADLINE, Live, watching, what_is_seen

FILES = {f"{folder}{name}.txt": f"{folder}{name}\n" * 8 for folder in ("", "d/", "d/e/") for name in "ab"}

Deed = Callable[[Path, int], object]
"""Something done in a worktree; the number chooses what it is done to."""


def _files(worktree: Path) -> list[str]:
    listed = git(worktree, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [path for path in sorted(set(listed)) if path and (worktree / path).is_file()]


def _file(worktree: Path, number: int) -> Path:
    found = _files(worktree)
    return worktree / found[number % len(found)] if found else worktree / "first.txt"


def _edit(worktree: Path, number: int) -> None:
    path = _file(worktree, number)
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    at = number % (len(lines) + 1)
    path.write_bytes(b"".join([*lines[:at], b"edit %d\n" % (number % 3), *lines[at + number % 2 :]]))


def _edit_as_editors_do(worktree: Path, number: int) -> None:
    """To a new file that then takes the old one's place."""
    path = _file(worktree, number)
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(f"{number % 4}\n" * 3)
    draft.replace(path)


def _add(worktree: Path, number: int) -> None:
    name = ("new.txt", "d/new.txt", "x/y/z.txt", "d/e/f/g.txt", "ignored.log")[number % 5]
    if not any((worktree / above).is_file() for above in Path(name).parents):
        write(worktree, {name: f"{number % 3}\n"})


def _delete(worktree: Path, number: int) -> None:
    _file(worktree, number).unlink(missing_ok=True)


def _rename(worktree: Path, number: int) -> None:
    path = _file(worktree, number)
    if path.exists():
        path.rename(path.with_name(f"renamed-{number % 2}.txt"))


def _move_directory(worktree: Path, number: int) -> None:
    source, target = worktree / ("d", "d/e", "x")[number % 3], worktree / f"moved-{number % 2}"
    if source.is_dir() and not target.exists():
        source.rename(target)


def _delete_directory(worktree: Path, number: int) -> None:
    shutil.rmtree(worktree / ("d", "d/e", "x")[number % 3], ignore_errors=True)


def _chmod(worktree: Path, number: int) -> None:
    path = _file(worktree, number)
    if path.exists():
        path.chmod(0o755 if number % 2 else 0o644)


def _touch(worktree: Path, number: int) -> None:
    path = _file(worktree, number)
    path.write_bytes(path.read_bytes() if path.exists() else b"")


def _ignore(worktree: Path, number: int) -> None:
    write(worktree, {".gitignore": ("*.log\n", "new.txt\nx/\n", "")[number % 3]})


def _attributes(worktree: Path, number: int) -> None:
    write(worktree, {".gitattributes": ("*.txt merge=union\n", "*.txt -merge\n", "* text=auto\n")[number % 3]})


def _stage(worktree: Path, number: int) -> None:
    git(worktree, "add", "--all", *(["."] if number % 2 else ["--", str(_file(worktree, number))]), check=False)


def _commit(worktree: Path, number: int) -> None:
    commit(worktree, message=f"Commit {number}")


def _commit_paths_only(worktree: Path, number: int) -> None:
    git(worktree, "commit", "--quiet", "--all", "--message=Part", check=False, env=tick(worktree))


def _undo(worktree: Path, number: int) -> None:
    commands = (("reset", "--quiet"), ("reset", "--quiet", "--hard"), ("stash", "--quiet", "--include-untracked"))
    more = (("stash", "pop", "--quiet"), ("reset", "--quiet", "--soft", "HEAD~1"), ("checkout", "--quiet", "."))
    git(worktree, *(commands + more)[number % 6], check=False, env=tick(worktree))


def _switch(worktree: Path, number: int) -> None:
    commands = (
        ("switch", "--quiet", "-C", f"other-{worktree.name}"),
        ("switch", "--quiet", "--discard-changes", "--detach", "main"),
        ("switch", "--quiet", "--detach"),
        ("branch", "--move", "--force", f"renamed-{worktree.name}"),
    )
    if git(worktree, "branch", "--show-current") != "main":
        git(worktree, *commands[number % 4], check=False)


def _merge(worktree: Path, number: int) -> None:
    """Which may stop halfway."""
    commands = (("merge", "--no-edit", "main"), ("rebase", "main"), ("merge", "--abort"), ("rebase", "--abort"))
    git(worktree, *commands[number % 4], "--quiet" if number % 4 < 2 else "--", check=False, env=tick(worktree))


def _add_worktree(worktree: Path, number: int) -> None:
    name = ("fresh", ".claude/worktrees/nested")[number % 2]
    main = worktree_paths(worktree)[0]
    place = main / name if "/" in name else main.parent / name
    if not place.exists():
        git(main, "worktree", "add", "--quiet", "--force", "-B", Path(name).name, str(place), "HEAD", check=False)


def _remove_worktree(worktree: Path, number: int) -> None:
    linked = worktree_paths(worktree)[1:]
    if len(linked) > 1:
        chosen = linked[number % len(linked)]
        if number % 3:
            git(worktree_paths(worktree)[0], "worktree", "remove", "--force", "--force", str(chosen), check=False)
        else:
            shutil.rmtree(chosen)


def _lock(worktree: Path, number: int) -> None:
    linked = worktree_paths(worktree)[1:]
    if linked:
        command = ("lock", "--reason", "busy") if number % 2 else ("unlock",)
        git(worktree, "worktree", *command, str(linked[number % len(linked)]), check=False)


def _keep_house(worktree: Path, number: int) -> None:
    git(worktree, *(("pack-refs", "--all"), ("gc", "--quiet"), ("worktree", "prune"))[number % 3])


def _configure(worktree: Path, number: int) -> None:
    settings = (("sidecar.trunk", "one"), ("sidecar.trunk", "main"), ("core.fileMode", "false"))
    more = (("merge.default", "union"), ("core.autocrlf", "input"), ("sidecar.maxFileSize", "1"))
    git(worktree, "config", *(settings + more)[number % 6])


def _exclude(worktree: Path, number: int) -> None:
    info = worktree_paths(worktree)[0] / ".git/info"
    write(info, (({"exclude": "new.txt\n"}, {"exclude": ""}, {"attributes": "*.txt merge=union\n"})[number % 3]))


DEEDS: tuple[Deed, ...] = (
    *(_edit, _edit, _edit, _edit_as_editors_do, _add, _add, _delete, _rename, _move_directory, _delete_directory),
    *(_chmod, _touch, _ignore, _attributes, _stage, _commit, _commit, _commit_paths_only, _undo, _undo),
    *(_switch, _merge, _merge, _add_worktree, _add_worktree, _remove_worktree, _lock, _keep_house),
    *(_configure, _exclude),
)

Step = tuple[Deed, int, int]
STEPS = st.tuples(st.sampled_from(DEEDS), st.integers(0, 5), st.integers(0, 59))


BURSTS = st.lists(st.lists(STEPS, min_size=1, max_size=3), min_size=2, max_size=5)


def disturb(bursts: list[list[Step]], look: Callable[[Live, Path], object]) -> None:
    """Have one burst after the other happen in a repository in view, and look after each."""
    with TemporaryDirectory() as place:
        main = init(Path(place) / "main")
        commit(main, FILES)
        for name in ("one", "two"):
            add_worktree(main, name)
        commit(main, {"a.txt": "trunk moved on\n"})
        with watching(main) as live:
            for burst in bursts:
                for deed, which, number in burst:
                    worktrees = worktree_paths(main)
                    worktree = worktrees[which % len(worktrees)]
                    note(f"{deed.__name__} {number} in {worktree.name}")
                    deed(worktree, number)
                look(live, main)


@examples(10)
@given(BURSTS)
def test_the_live_picture_is_the_fresh_one(bursts: list[list[Step]]) -> None:
    disturb(bursts, lambda live, _: live.until_fresh())


@examples(10)
@given(BURSTS)
def test_the_picture_that_a_session_settles_on_is_the_fresh_one_at_once(bursts: list[list[Step]]) -> None:
    """Which commands and hooks are answered with, where there is no doubt."""
    told = []

    def hold(live: Live, main: Path) -> None:
        settled = live.session.settle(DEADLINE)
        if settled is None:
            return
        told.append(settled)
        fresh = once.look(main, Options())
        assert isinstance(fresh, Picture)
        proved = live.session.proved(settled)
        one, two = (proved, fresh) if proved is not None else map(_unproved, (settled, fresh))
        assert what_is_seen(one) == what_is_seen(two)
        for state in fresh.worktrees:
            paths = [change.path for change in state.changes or ()][:3]
            if state.worktree.readable and paths:
                alone = look_at_paths(state.worktree.key, paths, Options())
                assert isinstance(alone, Picture)
                cut = cut_to_paths(settled, state.worktree.key, paths)
                assert overlap_news(cut, state.worktree.key) == overlap_news(alone, state.worktree.key)

    disturb(bursts, hold)


def _unproved(picture: Picture) -> Picture:
    states = tuple(replace(state, integration=Integration("no-work")) for state in picture.worktrees)
    return replace(picture, worktrees=states)
