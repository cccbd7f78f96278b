"""Whether a branch is in trunk, in histories whose truth is known, each with what must prove it."""

from pathlib import Path

import pytest

from sidecar.model.proof import Proof
from tests.harness import git
from tests.session import tales_in_pieces, tales_merged, tales_squashed, tales_unproven
from tests.session.stories import IN_TRUNK, NOT_PROVEN, TAKEN_BACK, Story, Tale, begin

TALES = (tales_merged, tales_squashed, tales_in_pieces, tales_unproven)


def told(tale: Tale, place: Path) -> tuple[Story, Proof]:
    story = begin(place)
    tale(story)
    return story, story.proof()


@pytest.mark.parametrize("name", IN_TRUNK)
def test_in_trunk(name: str, tmp_path: Path) -> None:
    tale, how = IN_TRUNK[name]
    story, proof = told(tale, tmp_path)
    assert (proof.integration.state, proof.integration.how, proof.missing) == ("integrated", how, ())
    assert proof.witness in git(story.main, "rev-list", "main").split()
    assert (proof.unproven, proof.upstream, proof.remark) == ((), None, None)


@pytest.mark.parametrize("name", TAKEN_BACK)
def test_in_trunk_with_content_missing(name: str, tmp_path: Path) -> None:
    tale, how, missing = TAKEN_BACK[name]
    _, proof = told(tale, tmp_path)
    assert (proof.integration.state, proof.integration.how, proof.missing) == ("integrated", how, missing)


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_not_proven(name: str, tmp_path: Path) -> None:
    story, proof = told(NOT_PROVEN[name], tmp_path)
    assert (proof.integration.state, proof.integration.how, proof.witness) == ("not-integrated", None, None)
    own = git(story.main, "rev-list", f"main..{story.head()}").split()
    assert proof.unproven and {unproven.commit for unproven in proof.unproven} <= {*own}


def test_every_tale_is_told() -> None:
    told_of = [tale.__module__ for tale, *_ in (*IN_TRUNK.values(), *TAKEN_BACK.values())]
    told_of += [tale.__module__ for tale in NOT_PROVEN.values()]
    assert {*told_of} == {tales.__name__ for tales in TALES}
    assert len(told_of) > 70
