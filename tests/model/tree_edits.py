"""Small trees, edited at random in every way that git's merge takes notice of."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.model.loose import EXECUTABLE, FILE, SYMLINK, File, Files

Edit = tuple[str, int, int]
"""What to do, and two numbers that choose what it is done to."""

VERBS = (
    *("insert", "insert", "replace", "cut", "add", "add", "copy", "delete", "rename", "rename edited"),
    *("move directory", "merge directory", "chmod", "link", "file to directory", "directory to file"),
)

MOVING = (
    "add",
    "add",
    "delete",
    "rename",
    "rename",
    "rename edited",
    "move directory",
    "move directory",
    "merge directory",
)
"""Those from which git makes out that a directory was renamed."""

NAMES = ("a", "b", "d", "d/a", "d/b", "d/e/a", "d/e/b", "f/a", "f/b", "f/g/a", "new", "d/new", "f/new", "h/a")
"""Paths for new files; where one of the directories is a file, nothing happens."""


def text(seed: int) -> bytes:
    """Eight lines that no other seed has."""
    return b"".join(b"%d of %d\n" % (line, seed) for line in range(8))


def bases(least: int = 3, most: int = 7) -> st.SearchStrategy[dict[str, File]]:
    """So many files in a few directories, each with a text of its own."""
    paths = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "f/a", "f/g/a", "h"])
    return st.lists(paths, min_size=least, max_size=most, unique=True).map(
        lambda chosen: {path: (FILE, text(number)) for number, path in enumerate(sorted(chosen))}
    )


def edits(most: int = 3, verbs: Sequence[str] = VERBS) -> st.SearchStrategy[list[Edit]]:
    """One to `most` edits."""
    return st.lists(
        st.tuples(st.sampled_from(verbs), st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=most
    )


def apply(files: Files, todo: Sequence[Edit]) -> dict[str, File]:
    """The tree after these edits; what can't be done is left out."""
    now = dict(files)
    for verb, one, two in todo:
        paths = sorted(now)
        if not paths:
            return now
        path = paths[one % len(paths)]
        _apply(now, verb, path, NAMES[two % len(NAMES)], two)
    return now


def _apply(now: dict[str, File], verb: str, path: str, name: str, number: int) -> None:
    mode, content = now[path]
    directories = sorted({above for it in now for above in _above(it)})
    directory = directories[number % len(directories)] if directories else None
    if verb in ("insert", "replace", "cut", "rename edited") and mode != SYMLINK:
        content = _edit(content, verb, number)
    if verb in ("insert", "replace", "cut"):
        now[path] = (mode, content)
    elif verb == "add" and _has_room(now, name):
        now[name] = (FILE, text(100 + number % 3))
    elif verb == "copy" and _has_room(now, name):
        now[name] = (mode, content)
    elif verb == "delete":
        del now[path]
    elif verb in ("rename", "rename edited"):
        rest = {it: file for it, file in now.items() if it != path}
        if _has_room(rest, name):
            del now[path]
            now[name] = (mode, content)
    elif verb in ("move directory", "merge directory") and directory is not None:
        target = ("moved", "d2", "f/moved")[number % 3] if verb == "move directory" else ("d", "f", "")[number % 3]
        _move(now, directory, target)
    elif verb == "chmod" and mode != SYMLINK:
        now[path] = (EXECUTABLE if mode == FILE else FILE, content)
    elif verb == "link":
        now[path] = (SYMLINK, b"target %d" % (number % 3))
    elif verb == "file to directory":
        del now[path]
        now[f"{path}/inner"] = (mode, content)
    elif verb == "directory to file" and directory is not None:
        for it in [it for it in now if it.startswith(directory + "/")]:
            del now[it]
        now[directory] = (FILE, text(200))


def _edit(content: bytes, verb: str, number: int) -> bytes:
    lines = content.splitlines(keepends=True)
    at = number % (len(lines) + 1)
    new = b"changed %d\n" % (number % 3)
    if verb == "insert":
        lines.insert(at, new)
    elif verb == "cut":
        del lines[at : at + 1]
    else:
        lines[at : at + 1] = [new]
    return b"".join(lines)


def _move(now: dict[str, File], directory: str, target: str) -> None:
    if target == directory or target.startswith(directory + "/"):
        return
    rest = {path: file for path, file in now.items() if not path.startswith(directory + "/")}
    prefix = target + "/" if target else ""
    moved = {prefix + path[len(directory) + 1 :]: now[path] for path in now if path not in rest}
    for path, file in moved.items():
        if not _has_room(rest, path):
            return
        rest[path] = file
    now.clear()
    now.update(rest)


def _has_room(files: Files, path: str) -> bool:
    return not (
        path in files or any(above in files for above in _above(path)) or any(it.startswith(path + "/") for it in files)
    )


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
