"""The person's configuration, and what of the repository's own may take part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sidecar.git.process import Place, run
from sidecar.model.settings import SETTINGS

REPOSITORY_SCOPES = frozenset({"local", "worktree"})
"""The scopes that whoever made the repository could have written."""

MERGE_KEYS = frozenset(
    {
        *("core.autocrlf", "core.eol", "core.safecrlf", "core.ignorecase", "core.bigfilethreshold"),
        *("core.checkroundtripencoding", "core.precomposeunicode", "diff.renames", "diff.renamelimit"),
        *(
            "merge.renames",
            "merge.renamelimit",
            "merge.directoryrenames",
            "merge.renormalize",
            "merge.conflictstyle",
            "merge.default",
        ),
    }
)
"""Plain values that change what a merge does and run nothing."""


@dataclass(frozen=True, slots=True)
class Config:
    """All config pairs in git's order, last one wins: (scope, key, value); keys as `git config --list` prints them."""

    pairs: tuple[tuple[str, str, str], ...]

    def get(self, key: str) -> str | None:
        """The value that wins, whatever its scope."""
        return next((value for _, name, value in reversed(self.pairs) if name == key), None)

    def flag(self, key: str, *, default: bool) -> bool | None:
        """A boolean as git reads one (git-config(1)); None for another word (core.autocrlf may be `input`)."""
        value = self.get(key)
        if value is None:
            return default
        word = value.lower()
        if word in ("true", "yes", "on", "1") or (word.isdigit() and int(word)):
            return True
        return False if word in ("false", "no", "off", "0", "") else None

    def all(self, key: str, scopes: frozenset[str] | None = None) -> tuple[str, ...]:
        """Every value of a key, of these scopes only."""
        return tuple(v for scope, name, v in self.pairs if name == key and (scopes is None or scope in scopes))


def read_config(place: Place) -> Config:
    """`git config --list` with scopes (git-config(1)); GitError when a config file is broken."""
    fields = run(place, "config", "--list", "--show-scope", "--includes", "-z").split(b"\0")
    pairs = []
    for scope, pair in zip(fields[::2], fields[1::2], strict=False):
        key, given, value = pair.decode("utf-8", "surrogateescape").partition("\n")
        pairs.append((scope.decode(), key, value if given else "true"))
    return Config(tuple(pair for pair in pairs if pair[0] != "command"))


def sidecar_keys(config: Config) -> dict[str, str | tuple[str, ...]]:
    """`sidecar.*` without the prefix; lists have all values, `trusted` those from outside the repository only."""
    plain: dict[str, str | tuple[str, ...]] = {
        key.removeprefix("sidecar."): value for _, key, value in config.pairs if key.startswith("sidecar.")
    }
    for setting in SETTINGS:
        if setting.kind == "string[]" and setting.key.lower() in plain:
            plain[setting.key.lower()] = config.all(f"sidecar.{setting.key.lower()}")
    plain["trusted"] = config.all("sidecar.trusted", frozenset({"system", "global"}))
    return plain


def silenced_programs(config: Config, trusted: bool) -> list[tuple[str, str]]:
    """Pairs that put every filter back to what the person's own configuration says; none where trusted."""
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


def merge_pairs(config: Config, trusted: bool) -> list[tuple[str, str]]:
    """What of the repository's own configuration a merge must know; its programs only where trusted."""
    return [
        (key, value)
        for scope, key, value in config.pairs
        if scope in REPOSITORY_SCOPES
        and (key in MERGE_KEYS or (trusted and (key.startswith("filter.") or _names_a_driver(key))))
        and not (key == "merge.default" and value in silenced_drivers(config, trusted))
    ]


def silenced_drivers(config: Config, trusted: bool) -> frozenset[str]:
    """Names of merge drivers that only the repository defines and that therefore take no part."""
    if trusted:
        return frozenset()
    own = {_driver_name(key) for scope, key, _ in config.pairs if scope in REPOSITORY_SCOPES and _names_a_driver(key)}
    person = {_driver_name(key) for scope, key, _ in config.pairs if scope not in REPOSITORY_SCOPES}
    return frozenset(own - person)


def global_attributes(config: Config) -> bytes:
    """The text of the person's global attributes file; empty when there is none (gitattributes(5))."""
    named = config.all("core.attributesfile", frozenset({"system", "global"}))
    if named:
        path = Path(named[-1]).expanduser()
    else:
        import os

        base = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
        path = Path(base) / "git" / "attributes"
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _names_a_driver(key: str) -> bool:
    return key.startswith("merge.") and key.endswith((".driver", ".recursive")) and key.count(".") >= 2


def _driver_name(key: str) -> str:
    return key.removeprefix("merge.").rpartition(".")[0] if _names_a_driver(key) else ""
