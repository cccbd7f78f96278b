"""What a worktree takes back of trunk is told with the commit; what only looks like it is not."""

from pathlib import Path

import pytest

from tests.session import near_innocent, not_taking_back
from tests.session.taking_back import INNOCENT, TAKES_BACK, open_shop


@pytest.mark.parametrize("name", TAKES_BACK)
def test_what_is_taken_back_is_told_with_its_commit(name: str, tmp_path: Path) -> None:
    history, told = TAKES_BACK[name]
    shop = open_shop(tmp_path)
    history(shop)
    assert {one.path: one.subject for one in shop.undone()} == told


@pytest.mark.parametrize("name", INNOCENT)
def test_what_only_looks_like_it_is_not_told(name: str, tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    INNOCENT[name](shop)
    assert shop.undone() == ()


def test_half_of_the_histories_are_innocent() -> None:
    assert {history.__module__ for history in INNOCENT.values()} == {not_taking_back.__name__}
    assert near_innocent.__name__ in {history.__module__ for history, _ in TAKES_BACK.values()}
    assert len(TAKES_BACK) >= 30
    assert len(INNOCENT) >= 30
