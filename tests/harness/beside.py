"""`git merge` in trunk's checkout beside `sidecar merge`: the same set-up twice, and all that can be seen of each."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from tests.harness.killing import left_in_cache
from tests.harness.repository import Content, commit, environment, git, git_bytes, init

NINE = "".join(f"{number}\n" for number in range(1, 10))
DATES = {f"GIT_{who}_DATE": "1767300000 +0000" for who in ("AUTHOR", "COMMITTER")}
BASE: Mapping[str, Content] = {
    ".gitignore": "node_modules/\n.venv\n*.log\nlocal/\n",
    "f": NINE,
    "gone": "gone\n",
    "web/app.js": "app\n",
}

PROBE = r"""#!/bin/sh
# What a hook, a driver or a filter finds: one JSON object a line, whatever depends on the place made relative to it.
top=$(pwd -P)
relative() { case "$1" in "$top"/*) echo "TOP/${1#"$top"/}";; /*) echo "elsewhere/${1##*/}";; *) echo "$1";; esac; }
{
printf '{"name": "%s"' "$(basename "$0")"
printf ', "arguments": "%s"' "$(for one; do echo "${one##*/}"; done | tr '\n' ' ')"
printf ', "HEAD": "%s"' "$(git symbolic-ref -q HEAD || echo detached)"
printf ', "branch": "%s"' "$(git rev-parse --abbrev-ref HEAD)"
printf ', "at": "%s"' "$(git rev-parse HEAD)"
printf ', "branches": "%s"' "$(git for-each-ref --format='%(refname)' | grep -v refs/sidecar | tr '\n' ' ')"
printf ', "toplevel is here": "%s"' "$([ "$(git rev-parse --show-toplevel)" = "$top" ] && echo yes || echo no)"
printf ', "from below": "%s"' "$(cd web && [ "$(git rev-parse --show-toplevel)" = "$top" ] && echo top || echo other)"
printf ', "prefix": "%s"' "$(git rev-parse --show-prefix)"
printf ', "bare": "%s"' "$(git rev-parse --is-bare-repository)"
printf ', "GIT_DIR": "%s"' "${GIT_DIR+set}"
printf ', "GIT_INDEX_FILE": "%s"' "$(relative "${GIT_INDEX_FILE-unset}")"
printf ', "GIT_REFLOG_ACTION": "%s"' "${GIT_REFLOG_ACTION-unset}"
common=$(git rev-parse --path-format=absolute --git-common-dir)
own=$(git rev-parse --absolute-git-dir)
printf ', "git directory is common": "%s"' "$([ "$own" = "$common" ] && echo yes || echo no)"
printf ', "staged": "%s"' "$(git diff --cached --name-only | tr '\n' ' ')"
printf ', "dirty": "%s"' "$(git status --porcelain | grep -v '^[AMD] ' | tr '\n' ' ')"
printf ', "identity": "%s"' "$(git var GIT_COMMITTER_IDENT | sed 's/>.*/>/; s/["\\]//g')"
printf '}\n'
} >> "$PROBE_LOG"
"""
"""A program that notes what it finds and says yes."""


@dataclass
class World:
    """A repository in the making below `root`, with a home of its own; `trunk` is where `git merge` is run.

    `keys` is a folder with the ssh key of both merges.
    """

    root: Path
    keys: Path
    home: Path = field(init=False)
    main: Path = field(init=False)
    trunk: Path = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home, self.main, self.log = self.root / "home", self.root / "shop", self.root / "log"
        self.trunk = self.main
        (self.home / ".config").mkdir(parents=True)
        self.configure("--global", "user.name", "Ada")
        self.configure("--global", "user.email", "ada@example.com")

    def variables(self) -> dict[str, str]:
        """The environment of both merges: this home, fixed dates, nothing of the test's own identity."""
        return environment(self.home) | DATES | {"PROBE_LOG": str(self.log), "XDG_CACHE_HOME": str(self.root / "cache")}

    def configure(self, *words: str, cwd: Path | None = None) -> None:
        """`git config WORDS`, as the person types it."""
        done = subprocess.run(
            ["git", "config", *words], cwd=cwd or self.root, env=self.variables(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def begin(self, files: Mapping[str, Content] | None = None, *options: str) -> None:
        """The main worktree with its first commit."""
        init(self.main, *options)
        commit(self.main, {**BASE, **(files or {})}, "Begin")

    def part(self, feat: Mapping[str, Content] | None = None, trunk: Mapping[str, Content] | None = None) -> None:
        """The branch and trunk go on, each with a commit of its own."""
        git(self.main, "worktree", "add", "-q", "-b", "feat", str(self.feat))
        commit(self.feat, {"f": NINE.replace("5", "five"), "gone": None, "new/g": "g\n", **(feat or {})}, "Work on it")
        commit(self.main, {"t": "t\n", **(trunk or {})}, "Trunk goes on")

    def plain(self, base: Mapping[str, Content] | None = None) -> None:
        """All of it, with more files in the first commit."""
        self.begin(base)
        self.part()

    @property
    def feat(self) -> Path:
        """The worktree that is merged."""
        return self.root / "feat"

    def program(self, path: Path, text: str = PROBE) -> Path:
        """A program of the person's, in shell."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def hook(self, name: str, text: str = PROBE) -> Path:
        """A hook of the repository."""
        common = git(self.main, "rev-parse", "--path-format=absolute", "--git-common-dir")
        return self.program(Path(common) / "hooks" / name, text)


SetUp = Callable[[World], None]


@dataclass(frozen=True)
class Outcome:
    """What can be seen afterwards; `said` helps a person who reads a failing test."""

    seen: Mapping[str, Any]
    said: str


def by_git(world: World, *options: str) -> Outcome:
    """`git merge --no-ff` in trunk's checkout; one that stops is aborted, as the sidecar leaves nothing half-done."""
    command = ["git", "merge", "--no-ff", "--no-edit", *options, "feat"]
    done = subprocess.run(
        command, cwd=world.trunk, env=world.variables(), capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    merged = done.returncode == 0
    if not merged:
        for back in (["git", "merge", "--abort"], ["git", "reset", "-q", "--merge"]):
            subprocess.run(back, cwd=world.trunk, env=world.variables(), capture_output=True, check=False)
    return Outcome(_seen(world, merged=merged), (done.stdout + done.stderr).decode("utf-8", "backslashreplace"))


def by_sidecar(world: World, choices: MergeChoices | None = None) -> Outcome:
    """`sidecar merge`, from the same folder."""
    with _environment(world.variables()):
        plan = plan_merge(world.trunk, "feat", Options(trusted=True), choices or MergeChoices())
        assert not isinstance(plan, Failure), plan
        result = apply_merge(plan)
    assert left_in_cache(world.root / "cache") == []
    return Outcome(_seen(world, merged=result.outcome == "merged"), "\n".join(one.message for one in result.findings))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _seen(world: World, *, merged: bool) -> dict[str, Any]:
    trunk, env = world.trunk, world.variables()
    text = git_bytes(trunk, "cat-file", "commit", "main").decode("utf-8", "backslashreplace")
    head, _, message = text.partition("\n\n")
    fields = dict(line.partition(" ")[::2] for line in head.splitlines() if not line.startswith((" ", "parent")))
    common = Path(git(trunk, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    return {
        "merged": merged,
        "message": _plain(world, message),
        "tree": git(trunk, "ls-tree", "-r", "main", env=env),
        "parents": re.findall("^parent (.*)$", head, re.MULTILINE),
        "author": fields["author"],
        "committer": fields["committer"],
        "signed": "gpgsig" in fields or "gpgsig-sha256" in fields,
        "encoding": fields.get("encoding"),
        "programs": _notes(world),
        "HEAD": git(trunk, "symbolic-ref", "HEAD"),
        "status": git(trunk, "status", "--porcelain", "--ignored", env=env),
        "refs": git(trunk, "for-each-ref", "--format=%(refname) %(objectname) %(symref)").splitlines(),
        "worktrees": _plain(world, git(trunk, "worktree", "list", "--porcelain")),
        "files": _plain(world, json.dumps(_files(trunk), indent=1)),
        "git directory": sorted(_git_files(common)),
        "branch's worktree": git(world.feat, "status", "--porcelain"),
    }


def _plain(world: World, text: str) -> str:
    return text.replace(str(world.root), "ROOT")


def _notes(world: World) -> list[dict[str, str]]:
    lines = world.log.read_text().splitlines() if world.log.exists() else []
    return [
        json.loads(_plain(world, line)) if line.startswith("{") else {"said": _plain(world, line)} for line in lines
    ]


def _files(folder: Path) -> dict[str, str]:
    """What is in the checkout, ignored files too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/", maxsplit=1)[0] != ".git" and (path.is_symlink() or path.is_file()):
            found[name] = os.readlink(path) if path.is_symlink() else path.read_text("latin-1")
    return found


PASSING = ("ORIG_HEAD", "COMMIT_EDITMSG", "packed-refs")
"""What git leaves in passing; where refs are kept is git's affair."""


def _common_name(name: str) -> str:
    return "sharedindex" if name.startswith("sharedindex.") else name


def _git_files(common: Path) -> Iterator[str]:
    """What tools and git keep in the git directories, by name: objects, logs, refs and our own state aside."""
    for folder, names, files in os.walk(common):
        here = str(Path(folder).relative_to(common))
        names[:] = [
            name
            for name in names
            if name not in ("objects", "logs", "refs", "reftable") and (here, name) != (".", "sidecar")
        ]
        links = [name for name in names if stat.S_ISLNK((Path(folder) / name).lstat().st_mode)]
        yield from (
            f"{here}/{_common_name(name)}"
            for name in (*files, *links)
            if not name.endswith(".sample") and name not in PASSING
        )
