"""Tell which files of a tree are made by tools, and how each is made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from sidecar.git.config import sidecar_keys
from sidecar.git.process import GitError
from sidecar.model.regenerate import Regeneration, Rule, read_rules, regeneration_of
from sidecar.model.settings import settle
from sidecar.session.reader import Sources


def rules_of(sources: Sources) -> tuple[Rule, ...]:
    """Give the person's own rules: the setting `generated`."""
    values = sources.settings["generated"]
    assert isinstance(values, tuple)
    return read_rules(values)


def all_rules(sources: Sources) -> tuple[Rule, ...]:
    """Give the rules with their commands, trusted or not: for a plan, which runs none before a person agrees."""
    values = settle(sidecar_keys(sources.repository.config, trusted=True), {})["generated"]
    assert isinstance(values, tuple)
    return read_rules(values)


def regenerations(sources: Sources, paths: Iterable[str], tree: str) -> Mapping[str, Regeneration]:
    """Give how each of these paths of a tree is made anew; those that people write are left out. GitError."""
    rules = rules_of(sources)
    found = (
        (path, regeneration_of(path, rules, said))
        for path, said in sources.judge.programs.generated(paths, tree).items()
    )
    return {path: known for path, known in found if known is not None}


def regeneration_at(sources: Sources, path: str, tree: str) -> Regeneration | None:
    """Give how one path of a tree is made anew; None for what people write. GitError."""
    return regeneration_of(path, rules_of(sources), sources.judge.programs.is_generated(path, tree))


def ask_at_once(sources: Sources, paths: Sequence[str], tree: str) -> None:
    """Have git say of several paths at once what will be asked of each; who asks alone is told what fails."""
    if len(paths) > 1:
        with suppress(GitError):
            sources.judge.programs.generated(paths, tree)
