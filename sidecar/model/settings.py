"""Define every setting, once: `docs/settings.md` and the extension's configuration are generated from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | bool | int | tuple[str, ...]
Kind = Literal["string", "boolean", "integer", "string[]"]
KINDS: Mapping[type, Kind] = {str: "string", bool: "boolean", int: "integer", tuple: "string[]"}


@dataclass(frozen=True, slots=True)
class Options:
    """What a door knows: whether the repository is trusted, and the editor's settings."""

    trusted: bool = False
    editor: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `worktreeSidecar.<key>` in the editor, `git config sidecar.<key>` everywhere else.

    `scope` is VS Code's; `git` and `editor` say which doors read it; `choices` closes a string setting.
    """

    key: str
    default: Value
    doc: str
    scope: Literal["window", "machine", "resource", "machine-overridable"] = "window"
    editor: bool = True
    git: bool = True
    choices: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Give the kind of its values, by the default's type."""
        return KINDS[type(self.default)]


BUILD_OUTPUT = (
    *("node_modules/", "bower_components/", ".pnpm-store/", "__pycache__/", "*.pyc", "*.pyo", ".pytest_cache/"),
    *(".mypy_cache/", ".ruff_cache/", ".tox/", ".nox/", ".eggs/", "*.egg-info/", ".hypothesis/"),
    *(".gradle/", ".next/", ".nuxt/", ".turbo/", ".parcel-cache/", ".svelte-kit/", ".angular/", ".astro/", ".vite/"),
    *(".sass-cache/", ".nyc_output/", ".eslintcache", ".stylelintcache", "*.tsbuildinfo", ".dart_tool/", ".zig-cache/"),
    *("zig-cache/", "zig-out/", ".stack-work/", "dist-newstyle/", "elm-stuff/", "CMakeFiles/", "cmake-build-*/"),
    *("DerivedData/", ".ccls-cache/", ".bloop/", "*.o", "*.obj", "*.class", ".DS_Store", "Thumbs.db"),
)
"""Names that build tools have for themselves; `target`, `build` or `dist` could be anybody's."""

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "trunk",
        "",
        "The branch that work comes back to. Empty: the branch that `origin/HEAD` names, else `main`, else `master`, "
        "else the main worktree's branch.",
    ),
    Setting(
        "show",
        "conflicts",
        "Which overlaps are shown as problems: `conflicts` alone; with `overlaps` also what git merges cleanly; with "
        "`everything` also where others made the same change. The code lens and the hover always tell all of them.",
        choices=("conflicts", "overlaps", "everything"),
    ),
    Setting(
        "quiet",
        False,
        "Show no notice by itself that is not about a loss: that all work of a worktree is in trunk, or that two "
        "agents edit in one worktree, is only listed in the Worktrees view. A worktree that was deleted and work that "
        "was wiped are told all the same, and so is the outcome of what you ask for.",
    ),
    Setting(
        "marks.gutter",
        True,
        "Mark conflicting lines with an icon beside their numbers.",
        git=False,
    ),
    Setting(
        "marks.overviewRuler",
        True,
        "Mark conflicting lines in the overview ruler, beside the scroll bar, with a colour of their own.",
        git=False,
    ),
    Setting(
        "marks.explorer",
        True,
        "Mark files that conflict with another worktree in the Explorer and on tabs.",
        git=False,
    ),
    Setting(
        "maxFileSize",
        50,
        "Changed files larger than this many mebibytes are named, but not compared.",
    ),
    Setting(
        "symbols",
        True,
        "Tell where one worktree, or trunk, takes away a definition that another one newly uses (`docs/symbols.md`). "
        "It takes the extra `worktree-sidecar[symbols]`, which the extension brings.",
    ),
    Setting(
        "watcher",
        "auto",
        "How changes on disk are noticed. `auto` takes inotify on Linux and the system's own events elsewhere; "
        "`polling` is for network file systems.",
        choices=("auto", "inotify", "watchfiles", "polling"),
    ),
    Setting(
        "maxWatches",
        0,
        "How many inotify watches may be used at the most; worktrees beyond that are polled. 0: three quarters of the "
        "system's limit.",
    ),
    Setting(
        "worktreeFolder",
        "",
        "Where `sidecar open` puts new worktrees; relative to the main worktree. Empty: beside it, in a folder of its "
        "name and `.worktrees`.",
        scope="machine-overridable",
    ),
    Setting(
        "setup",
        "",
        "The command line that `sidecar open` runs in a new worktree, by the shell: `npm ci`. In its environment are "
        "ports of the worktree's own and a name for Docker Compose (`docs/cli.md`). Empty: none.",
        scope="machine",
    ),
    Setting(
        "verify",
        "",
        "The command line that must succeed before a merge lands in trunk; it runs by the shell, in the landing "
        "worktree, which has the very files that will land. Empty: none. For one repository alone: "
        "`git config sidecar.verify COMMAND`, or *Set Verify Command...* in a merge's question.",
        scope="machine",
    ),
    Setting(
        "check",
        "",
        "A command line that says where a program is wrong: `npx tsc --noEmit`, `pyright`, `go vet ./...`, `cargo "
        "check`. It runs by the shell in the background, in a landing worktree of its own, on each worktree merged "
        "with trunk, and with others that change the same files or what it uses. What it says of such a merge and of "
        "neither side alone is shown (`docs/check.md`). Only in repositories that are trusted. Empty: none.",
        scope="machine",
    ),
    Setting(
        "prepare",
        "",
        "A command line that installs there what `verify` needs, instead of what the lock files say (`npm ci`, `uv "
        "sync --frozen` and others, `docs/merge.md`). It runs again when something that it read has changed. Links "
        "into another checkout would have verify test that one's packages, and are refused. `true`: none is installed.",
        scope="machine",
    ),
    Setting(
        "landingLimit",
        10240,
        "How many mebibytes the landing worktree may have and still be kept for the next merge, with all that is "
        "installed in it. 0: it is made anew for every merge.",
        scope="machine",
    ),
    Setting(
        "verifyTimeout",
        1800,
        "Seconds after which `setup`, `prepare` and `verify` are each ended, with all that they started. 0: never.",
        scope="machine",
    ),
    Setting(
        "hookBlocks",
        False,
        "Refuse an agent's edit that would make a new conflict with another worktree, once, with the other version of "
        "the lines; after that it goes through. Takes effect where `sidecar hook --install` ran after it was set.",
        editor=False,
    ),
    Setting(
        "agents",
        (),
        "Names of programs that are agents too, beside those that are known (`docs/agents.md`), wherever it is said "
        "who is in a worktree; in git config, give one value for each.",
    ),
    Setting(
        "guard",
        True,
        "Keep the states of every worktree restorable while the sidecar runs, in case something deletes the worktree "
        "or wipes what is not committed in it.",
    ),
    Setting(
        "guardIgnored",
        True,
        "Keep ignored files that are nowhere else, such as `.env` or a local database, outside of git while they are "
        "small and few; they come back with their worktree.",
    ),
    Setting(
        "guardStates",
        500,
        "How many states of one worktree the guard keeps at the most: all of the last hour, one an hour for a day, one "
        "a day after that. Beyond it the oldest go first.",
    ),
    Setting(
        "guardLimit",
        200,
        "How many mebibytes of content the states of one worktree may add to the repository. Beyond it the oldest go "
        "first; a single state with more new content is not kept.",
    ),
    Setting(
        "retention",
        0,
        "Days after which what a release, or the guard, has kept goes for good. 0: when a person says so "
        "(`sidecar restore --empty`).",
    ),
    Setting(
        "trusted",
        (),
        "Repositories (absolute paths) whose own filters and merge drivers may take part in verdicts. Read from the "
        "global git config only.",
        editor=False,
    ),
    Setting(
        "disposable",
        BUILD_OUTPUT,
        "Patterns of ignored files and directories that a build makes again, so that a release deletes them at once: a "
        "name, or a path from the worktree's top; a slash at the end means directories only. `node_modules`, virtual "
        "environments and directories with a `CACHEDIR.TAG` always count. It replaces the default; "
        "in git config, give one value for each pattern.",
    ),
    Setting(
        "generated",
        (),
        "Files that tools make, and how they are made anew: `PATTERN -> COMMAND`, or `PATTERN` alone. A pattern is a "
        "name, or a path from the worktree's top, of files or of a directory that they lie in; the command runs at the "
        "top by the shell, when a person merges with `--regenerate`. In git config, give one value for each; the last "
        "one that names a file wins. Lock files, snapshots and `linguist-generated` are known without it.",
        editor=False,
    ),
    Setting(
        "server.path",
        "",
        "A `sidecar` command to use instead of the one that the extension brings. Ignored in an untrusted workspace.",
        scope="machine",
        git=False,
    ),
)

GROUPS: Mapping[str, tuple[str, ...]] = {
    "What Is Shown": ("show", "quiet", "symbols", "marks.gutter", "marks.overviewRuler", "marks.explorer"),
    "Merging": ("trunk", "verify", "check", "prepare", "verifyTimeout", "landingLimit"),
    "New Worktrees": ("worktreeFolder", "setup"),
    "Keeping and Releasing": ("guard", "guardIgnored", "guardStates", "guardLimit", "retention", "disposable"),
    "Watching": ("watcher", "maxWatches", "maxFileSize"),
}
"""The order in which an editor lists its settings; the rest comes last."""

DEFAULTS: Mapping[str, Value] = {setting.key: setting.default for setting in SETTINGS}


def read_value(setting: Setting, raw: object) -> Value | None:
    """Read a raw value from git config (str) or JSON as the setting's kind; None when it does not fit."""
    if setting.kind == "boolean":
        if isinstance(raw, str):
            return {"true": True, "yes": True, "on": True, "1": True, "": True}.get(raw.lower(), False)
        return raw if isinstance(raw, bool) else None
    if setting.kind == "integer":
        if isinstance(raw, bool):
            return None
        try:
            number = int(raw) if isinstance(raw, int | str) else None
        except ValueError:
            return None
        return number if number is not None and number >= 0 else None
    if setting.kind == "string[]":
        items = (raw,) if isinstance(raw, str) else raw
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            return None
        return tuple(items)
    if not isinstance(raw, str) or (setting.choices and raw not in setting.choices):
        return None
    return raw


def build_output(settings: Mapping[str, Value]) -> tuple[str, ...]:
    """Give the patterns of the setting `disposable`: what a build makes again."""
    patterns = settings["disposable"]
    assert isinstance(patterns, tuple)
    return patterns


def settle(git_config: Mapping[str, str | tuple[str, ...]], editor: Mapping[str, object]) -> dict[str, Value]:
    """Settle every setting: the default, under git config, under the editor; bad values are passed over.

    `git_config` has lower-case keys without `sidecar.`, as `git config --list` prints them; `editor` has the keys of
    the table. An empty string or a default in the editor does not hide git config's value.
    """
    settled: dict[str, Value] = {}
    for setting in SETTINGS:
        value = setting.default
        if setting.git and (raw := git_config.get(setting.key.lower())) is not None:
            configured = read_value(setting, raw)
            value = value if configured is None else configured
        if setting.editor and setting.key in editor:
            chosen = read_value(setting, editor[setting.key])
            if chosen is not None and chosen not in ("", setting.default):
                value = chosen
        settled[setting.key] = value
    return settled


OF_DOORS = frozenset(
    {
        *("show", "quiet", "marks.gutter", "marks.overviewRuler", "marks.explorer", "agents", "hookBlocks"),
        *("server.path", "worktreeFolder", "setup", "verify", "prepare", "verifyTimeout", "landingLimit"),
    }
)
"""The settings that no session reads: doors that differ in nothing else share one."""


OF_CHECK = frozenset({"check", "prepare", "verifyTimeout", "landingLimit"})
"""The settings that make no verdict another one, and say by which command merges are tried."""


def of_session(editor: Mapping[str, object]) -> dict[str, Value]:
    """Give what an editor's settings say to a session, without what says the same as no setting."""
    chosen: dict[str, Value] = {}
    for setting in SETTINGS:
        unread = OF_DOORS if not editor.get("check") else OF_DOORS - OF_CHECK
        if setting.editor and setting.key in editor and setting.key not in unread:
            value = read_value(setting, editor[setting.key])
            if value is not None and value not in ("", setting.default):
                chosen[setting.key] = value
    return chosen


def of_door(settled: Mapping[str, Value], editor: Mapping[str, object]) -> dict[str, Value]:
    """Give a session's settled settings to a door, with what its editor says about the door's own."""
    own = {key: value for key, value in settle({}, editor).items() if key in OF_DOORS and key in editor}
    return {**settled, **{key: value for key, value in own.items() if value not in ("", DEFAULTS[key])}}
