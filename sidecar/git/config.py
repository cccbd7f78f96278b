"""Read the configuration, the person's and what of the repository's own may take part."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.process import Place, run
from sidecar.model.regenerate import without_command
from sidecar.model.settings import SETTINGS

REPOSITORY_SCOPES = frozenset({"local", "worktree"})
"""The scopes that whoever made the repository could have written."""

MERGE_KEYS = frozenset({
    "core.autocrlf", "core.bigfilethreshold", "core.checkroundtripencoding", "core.eol", "core.ignorecase",
    "core.precomposeunicode", "core.safecrlf", "diff.algorithm", "diff.renamelimit", "diff.renames",
    "merge.conflictstyle", "merge.default", "merge.directoryrenames", "merge.renamelimit", "merge.renames",
    "merge.renormalize",
})  # fmt: skip
"""Plain values that change what a merge does and run nothing."""


GIT_ALONE = ("core.", "extensions.", "include.", "includeif.", "hook.", "filter.", "merge.", "submodule.", "index.")
"""How keys begin that say what a repository is, or are let into a merge by name."""


UNASKED = ("sidecar.check", "sidecar.prepare")
"""What runs without anybody being asked then: never from a file that a pull can write."""


@dataclass(frozen=True, slots=True)
class Config:
    """All config pairs in git's order, last one wins: (scope, key, value); keys as `git config --list` prints them.

    `files` are those that they stand in, and those that would be included if they were there.
    """

    pairs: tuple[tuple[str, str, str], ...]
    files: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def get(self, key: str) -> str | None:
        """Give the value that wins, whatever its scope."""
        return next((value for _, name, value in reversed(self.pairs) if name == key), None)

    def flag(self, key: str, *, default: bool) -> bool | None:
        """Give a boolean as git reads one (git-config(1)); None for another word (core.autocrlf may be `input`)."""
        value = self.get(key)
        if value is None:
            return default
        word = value.lower()
        if word in ("true", "yes", "on", "1") or (word.isdigit() and int(word)):
            return True
        return False if word in ("false", "no", "off", "0", "") else None

    def all(self, key: str, scopes: frozenset[str] | None = None) -> tuple[str, ...]:
        """Give every value of a key, of these scopes only."""
        return tuple(v for scope, name, v in self.pairs if name == key and (scopes is None or scope in scopes))


def read_config(place: Place) -> Config:
    """Read the configuration with its scopes (git-config(1), --list); GitError when a file of it is broken."""
    fields = run(place, "config", "--list", "--show-scope", "--show-origin", "--includes", "-z").split(b"\0")
    pairs: list[tuple[str, str, str]] = []
    files: set[str] = set()
    first: dict[str, str] = {}
    for scope, origin, pair in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        key, given, value = pair.decode("utf-8", "surrogateescape").partition("\n")
        if scope != b"command":
            file = os.path.join(place.cwd, os.fsdecode(origin.removeprefix(b"file:")))
            included = first.setdefault(scope.decode(), file) != file
            if key == "sidecar.generated" and included and _may_be_tracked(scope.decode(), file):
                value = without_command(value)
            if key in UNASKED and included and _may_be_tracked(scope.decode(), file):
                continue
            pairs.append((scope.decode(), key, value if given else "true"))
            files.add(file)
            if key == "include.path" or (key.startswith("includeif.") and key.endswith(".path")):
                files.add(os.path.join(os.path.dirname(file), os.path.expanduser(value)))
    return Config(tuple(pairs), frozenset(files))


def _may_be_tracked(scope: str, file: str) -> bool:
    """Tell whether a file that the repository's configuration includes lies in a worktree, so that a pull writes it."""
    above = Path(os.path.realpath(file)).parents
    aside = scope not in REPOSITORY_SCOPES or any(folder.name == ".git" for folder in above)
    return not aside and any(os.path.lexists(folder / ".git") for folder in above)


def sidecar_keys(config: Config, *, trusted: bool) -> dict[str, str | tuple[str, ...]]:
    """Give `sidecar.*` without the prefix; a list has all values, `trusted` those from outside the repository only.

    Where the repository is not trusted, what its own configuration says of `generated` names no command.
    """
    plain: dict[str, str | tuple[str, ...]] = {
        key.removeprefix("sidecar."): value for _, key, value in config.pairs if key.startswith("sidecar.")
    }
    for setting in SETTINGS:
        if setting.kind == "string[]" and setting.key.lower() in plain:
            plain[setting.key.lower()] = config.all(f"sidecar.{setting.key.lower()}")
    plain["trusted"] = config.all("sidecar.trusted", frozenset({"system", "global"}))
    if not trusted and "generated" in plain:
        plain["generated"] = tuple(
            without_command(value) if scope in REPOSITORY_SCOPES else value
            for scope, name, value in config.pairs
            if name == "sidecar.generated"
        )
    return plain


def silenced_programs(config: Config, trusted: bool) -> list[tuple[str, str]]:
    """Give the pairs that set every filter back to the person's own configuration; none in a trusted repository."""
    if trusted:
        return []
    pairs: dict[str, str] = {}
    for scope, key, value in config.pairs:
        if key.startswith("filter."):
            if scope in REPOSITORY_SCOPES:
                pairs.setdefault(key, "false" if key.endswith(".required") else "")
            else:
                pairs[key] = value
    own = {key for scope, key, _ in config.pairs if scope in REPOSITORY_SCOPES}
    return [(key, value) for key, value in pairs.items() if key in own]


def silenced_hooks(config: Config) -> tuple[tuple[str, str], ...]:
    """Give the pairs that switch off every hook of the configuration, whoever wrote it (git-hook(1))."""
    names = dict.fromkeys(key.rpartition(".")[0] for _, key, _ in config.pairs if key.startswith("hook."))
    return tuple((f"{name}.enabled", "false") for name in names if name != "hook")


def without_filters(config: Config) -> list[tuple[str, str]]:
    """Give pairs that switch every filter off, the person's own too."""
    keys = {key for _, key, _ in config.pairs if key.startswith("filter.")}
    return [(key, "false" if key.endswith(".required") else "") for key in sorted(keys)]


def merge_pairs(config: Config, trusted: bool) -> list[tuple[str, str]]:
    """Give what a merge must know: the last value of each key; the repository's own programs only where trusted."""
    silenced = silenced_drivers(config, trusted)
    pairs: dict[str, str] = {}
    for scope, key, value in config.pairs:
        if key in MERGE_KEYS:
            pairs[key] = "text" if key == "merge.default" and value in silenced else value
        elif (trusted or scope not in REPOSITORY_SCOPES) and (key.startswith("filter.") or _names_a_driver(key)):
            pairs[key] = value
    return list(pairs.items())


def silenced_drivers(config: Config, trusted: bool) -> frozenset[str]:
    """Give names of merge drivers that only the repository defines and that therefore take no part."""
    if trusted:
        return frozenset()
    own = {_driver_name(key) for scope, key, _ in config.pairs if scope in REPOSITORY_SCOPES and _names_a_driver(key)}
    person = {_driver_name(key) for scope, key, _ in config.pairs if scope not in REPOSITORY_SCOPES}
    return frozenset(own - person)


def silenced_filters(config: Config, trusted: bool) -> frozenset[str]:
    """Give the names of filters that lose what only the repository says of them."""
    return frozenset(key.removeprefix("filter.").rpartition(".")[0] for key, _ in silenced_programs(config, trusted))


def active_drivers(config: Config, trusted: bool) -> dict[str, str]:
    """Give name -> command line of each merge driver that may run."""
    pairs = dict(merge_pairs(config, trusted))
    drivers = {_driver_name(key): value for key, value in pairs.items() if key.endswith(".driver") and value.strip()}
    return {name: command for name, command in drivers.items() if name}


def active_filters(config: Config, trusted: bool) -> frozenset[str]:
    """Give names of the filters that may run."""
    pairs = dict(merge_pairs(config, trusted))
    programs = (key for key, value in pairs.items() if key.endswith((".clean", ".smudge", ".process")) and value)
    return frozenset(key.removeprefix("filter.").rpartition(".")[0] for key in programs if key.startswith("filter."))


def own_settings(config: Config) -> tuple[tuple[str, str], ...]:
    """Give the settings that the repository has for other programs than git: all but git's core and where hooks are."""
    return tuple(
        (key, value)
        for scope, key, value in config.pairs
        if scope in REPOSITORY_SCOPES and not key.startswith(GIT_ALONE)
    )


def _names_a_driver(key: str) -> bool:
    return key.startswith("merge.") and key.endswith((".driver", ".recursive")) and key.count(".") >= 2


def _driver_name(key: str) -> str:
    return key.removeprefix("merge.").rpartition(".")[0] if _names_a_driver(key) else ""
