"""Tracked files that are not as in HEAD, and files that git does not track."""

import os
import shutil
from collections.abc import Callable

from tests.harness.repository import Executable, Symlink, write
from tests.harness.states.standing import Standing, State, keep_times, state


def _edit(at: Standing) -> None:
    write(at.worktree, {"src/a.txt": "edited\n"})


def _stage(at: Standing) -> None:
    _edit(at)
    at.git("add", "src/a.txt")


def _only_in_the_index(at: Standing) -> None:
    before = (at.worktree / "src/a.txt").read_text()
    _stage(at)
    write(at.worktree, {"src/a.txt": before})


def _staged_and_deleted(at: Standing) -> None:
    write(at.worktree, {"new.txt": "new\n"})
    at.git("add", "new.txt")
    (at.worktree / "new.txt").unlink()


def _flag(flag: str, *, deleted: bool = False) -> Callable[[Standing], None]:
    def put(at: Standing) -> None:
        at.git("update-index", flag, "src/a.txt")
        write(at.worktree, {"src/a.txt": None if deleted else "edited\n"})

    return put


def _file_becomes_directory(at: Standing) -> None:
    (at.worktree / "src/b.txt").unlink()
    write(at.worktree, {"src/b.txt/inner": "inner\n"})


def _directory_becomes_link(at: Standing) -> None:
    shutil.copytree(at.worktree / "src", at.outside / "src")
    shutil.rmtree(at.worktree / "src")
    (at.worktree / "src").symlink_to(at.outside / "src")


def _same_size_and_time(at: Standing) -> None:
    at.git("config", "core.checkStat", "minimal")
    at.git("config", "core.trustctime", "false")
    path = at.worktree / "src/a.txt"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    at.git("update-index", "--refresh")
    keep_times(path, path.read_text().replace("line 1\n", "LINE 1\n"))


def _stale_fsmonitor(at: Standing) -> None:
    hook = at.outside / "fsmonitor"
    write(at.outside, {"fsmonitor": Executable("#!/bin/sh\nprintf 'token\\0'\n")})
    at.git("config", "core.fsmonitor", str(hook))
    at.git("status")
    _edit(at)
    at.git("status")


def _mode_that_does_not_count(at: Standing) -> None:
    at.git("config", "core.fileMode", "false")
    (at.worktree / "src/b.txt").chmod(0o755)


def _filter_drops(at: Standing) -> None:
    at.git("config", "filter.drop.clean", "sed /SECRET/d")
    (at.main / ".git/info/attributes").write_text("src/b.txt filter=drop\n")
    write(at.worktree, {"src/b.txt": "b\nSECRET\n"})
    at.git("update-index", "--refresh", "--really-refresh", check=False)


def _no_index(at: Standing) -> None:
    (at.administrative / "index").unlink()


def _line_ends(at: Standing) -> None:
    (at.main / ".git/info/attributes").write_text("windows.txt text eol=crlf\n")
    write(at.worktree, {"windows.txt": "one\r\ntwo\r\n"})


def _conflict(at: Standing) -> None:
    ids = [at.git("hash-object", "-w", "--stdin", input=text) for text in ("one\n", "two\n", "three\n")]
    rows = "".join(f"100644 {oid} {stage}\tsrc/b.txt\n" for stage, oid in enumerate(ids, 1))
    at.git("update-index", "--index-info", input=f"0 {'0' * 40}\tsrc/b.txt\n{rows}")


def _intended(content: str) -> Callable[[Standing], None]:
    def put(at: Standing) -> None:
        write(at.worktree, {"new.txt": content})
        at.git("add", "--intent-to-add", "new.txt")

    return put


def _ignored_but_tracked(at: Standing) -> None:
    write(at.worktree, {"forced.log": "forced\n"})
    at.git("add", "--force", "forced.log")


def _untracked_unseen(at: Standing) -> None:
    at.git("config", "status.showUntrackedFiles", "no")
    write(at.worktree, {"new.txt": "new\n"})


def _odd_names(at: Standing) -> None:
    names: tuple[str | bytes, ...] = (
        "a\nb",
        ":(top)x",
        "-d",
        "sp ace",
        "glob*[x]",
        "back\\slash",
        "ünï",
        b"\xff\xfe",
        '"quoted"',
        "$(id)",
    )
    write(at.worktree, dict.fromkeys(names, "x"))


def _untracked_output(at: Standing) -> None:
    write(at.worktree, {".next/page.js": "work\n"})


def _sparse(at: Standing) -> None:
    at.git("sparse-checkout", "set", "--no-cone", "/README.md", "/src/")


CHANGED: tuple[State, ...] = (
    state("nothing at stake", lambda at: None),
    state("touched only", lambda at: os.utime(at.worktree / "src/a.txt", (1, 1))),
    state("line ends that git converts", _line_ends),
    state("edited", _edit, "uncommitted"),
    state("emptied", lambda at: write(at.worktree, {"src/a.txt": ""}), "uncommitted"),
    state("staged", _stage, "uncommitted"),
    state("staged, and as before on disk", _only_in_the_index, "uncommitted"),
    state("staged as new, and deleted on disk", _staged_and_deleted, "uncommitted"),
    state("deleted", lambda at: (at.worktree / "src/a.txt").unlink(), "uncommitted"),
    state("a directory deleted", lambda at: shutil.rmtree(at.worktree / "src/deep"), "uncommitted"),
    state("staged as deleted", lambda at: at.git("rm", "--quiet", "src/a.txt"), "uncommitted"),
    state("taken out of the index", lambda at: at.git("rm", "-q", "--cached", "run.sh"), "uncommitted", "untracked"),
    state("renamed", lambda at: at.git("mv", "src/a.txt", "src/z.txt"), "uncommitted"),
    state("mode changed", lambda at: (at.worktree / "src/a.txt").chmod(0o755), "uncommitted"),
    state(
        "mode changed in the index only", lambda at: at.git("update-index", "--chmod=+x", "README.md"), "uncommitted"
    ),
    state("mode changed where modes do not count", _mode_that_does_not_count, "hidden-changes"),
    state("file becomes link", lambda at: write(at.worktree, {"src/b.txt": Symlink("a.txt")}), "uncommitted"),
    state("file becomes directory", _file_becomes_directory, "uncommitted", "untracked"),
    state("directory becomes link", _directory_becomes_link, "uncommitted", "untracked"),
    state("link leads elsewhere", lambda at: write(at.worktree, {"link": Symlink("src/b.txt")}), "uncommitted"),
    state("intent to add", _intended("new\n"), "uncommitted"),
    state("intent to add an empty file", _intended(""), "uncommitted"),
    state("conflicted index", _conflict, "uncommitted"),
    state("edited under assume-unchanged", _flag("--assume-unchanged"), "hidden-changes"),
    state("edited under skip-worktree", _flag("--skip-worktree"), "hidden-changes"),
    state("deleted under assume-unchanged", _flag("--assume-unchanged", deleted=True), "hidden-changes"),
    state("assume-unchanged without an edit", lambda at: at.git("update-index", "--assume-unchanged", "src/a.txt")),
    state("sparse checkout", _sparse, "worktree-config"),
    state("edited with the same size and time", _same_size_and_time, "uncommitted"),
    state("edited behind a stale fsmonitor", _stale_fsmonitor, "uncommitted"),
    state("content that a filter drops", _filter_drops, "hidden-changes"),
    state("no index", _no_index, "uncommitted", "untracked"),
    state("tracked though ignored", _ignored_but_tracked, "uncommitted"),
    state("untracked", lambda at: write(at.worktree, {"new.txt": "new\n"}), "untracked"),
    state("untracked and empty", lambda at: write(at.worktree, {"new.txt": ""}), "untracked"),
    state("untracked in new directories", lambda at: write(at.worktree, {"n/e/w/f": "x"}), "untracked"),
    state("untracked, and not shown", _untracked_unseen, "untracked"),
    state("untracked with odd names", _odd_names, "untracked"),
    state("untracked link", lambda at: write(at.worktree, {"new": Symlink("nowhere")}), "untracked"),
    state("untracked where build output would be", _untracked_output, "untracked"),
)
