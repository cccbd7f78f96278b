"""`sidecar merge` beside `git merge` in trunk's checkout: the same commit, the same for hooks, the same left."""

import subprocess
from pathlib import Path

import pytest

from tests.harness.beside import SetUp, World, by_git, by_sidecar
from tests.operations.merge.set_ups import SET_UPS, content, hooks, newer, people, places

MODULES = (hooks, content, people, places, newer)
"""Where the set-ups are."""

ON_PURPOSE: dict[str, dict[str, str]] = {
    "a_hook_that_adds_a_file": {
        "files": "What a pre-merge-commit hook stages stays out of git's commit, and stays staged in its checkout.",
        "status": "So it does here, but in the landing repository, which goes.",
    },
    "an_untracked_file_beside": {"programs": "What is untracked and not ignored is not lent to hooks."},
}
"""By set-up, what differs and why; docs/merge.md has the same table."""

REFUSED = ("fails", "protects_main", "refuses_this_branch")
"""How the names of set-ups end in which git does not merge."""


@pytest.fixture(scope="session")
def ssh_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ssh")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    return folder


@pytest.mark.parametrize("build", SET_UPS)
def test_a_merge_is_the_one_that_git_makes(build: SetUp, tmp_path: Path, ssh_key: Path) -> None:
    outcomes = []
    for name, merge in (("git", by_git), ("sidecar", by_sidecar)):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name / "x", ssh_key)
        build(world)
        world.log.unlink(missing_ok=True)
        outcomes.append(merge(world))
    plain, ours = outcomes
    assert plain.seen["merged"] != build.__name__.endswith(REFUSED), plain.said
    differing = {what for what in plain.seen if plain.seen[what] != ours.seen[what]}
    shown = "\n".join(
        f"{what}:\n  git:     {plain.seen[what]}\n  sidecar: {ours.seen[what]}" for what in sorted(differing)
    )
    assert differing == ON_PURPOSE.get(build.__name__, {}).keys(), f"{shown}\ngit: {plain.said}\nsidecar: {ours.said}"


def test_there_are_enough_set_ups() -> None:
    assert len(SET_UPS) >= 40
