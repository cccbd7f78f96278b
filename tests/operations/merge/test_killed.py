"""A merge that is killed: afterwards trunk is wholly old or wholly new, and nobody's own work is touched."""

import os
import random
from pathlib import Path

import pytest

from sidecar.operations.recovery import recover_all
from tests.harness import git
from tests.harness.killing import Killed, Site, build, run_and_kill, start_over, violations
from tests.model.examples import THOROUGH

POINTS = 8
"""Before and after each of: begun, work, land, done."""

ROUNDS = 200 if THOROUGH else 4


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return build(tmp_path)


def recovered(site: Site) -> str:
    """Recover, check everything, and say where trunk is."""
    found = recover_all(site.main)
    assert [one.message for one in found if one.severity == "blocks"] == []
    assert list(violations(site)) == []
    assert recover_all(site.main) == ()
    return "old" if git(site.main, "rev-parse", "main") == site.before else "new"


def test_killed_at_every_step_of_the_journal(site: Site) -> None:
    ends = []
    for point in range(POINTS):
        assert run_and_kill("merge", site.main, "feat", point=point).died
        ends.append(recovered(site))
        start_over(site)
    assert ends == ["old"] * 6 + ["new"] * 2
    assert run_and_kill("merge", site.main, "feat", point=POINTS) == Killed(died=False, stage="done")
    assert recovered(site) == "new"


@pytest.mark.timeout(60 * 60 if THOROUGH else 900)
def test_killed_at_random_and_its_recovery_too(site: Site) -> None:
    chance = random.Random(int(os.environ.get("SIDECAR_SEED", "7")))
    seen = {"old": 0, "new": 0}
    for number in range(ROUNDS):
        killed = run_and_kill(chance.choice(("merge", "merge", "squash", "rebase")), site.main, "feat", chance=chance)
        while killed.died and chance.random() < 0.4:
            run_and_kill("recover", site.main, "", chance=chance)
        try:
            seen[recovered(site)] += 1
        except AssertionError as error:
            raise AssertionError(f"round {number}, killed in stage {killed.stage!r}") from error
        start_over(site)
    print(f"{ROUNDS} kills: {seen}")
    assert sum(seen.values()) == ROUNDS
