"""Two worktrees are tried together where the one changes what the other newly uses, and not where they have no tie."""

import sys
from pathlib import Path

import pytest

from tests.harness import Content, add_worktree, commit, git, init
from tests.operations.trying import trying_merges

PRICES = 'def price(count, currency="USD"):\n    return count\n'
CART = "from prices import price\n\none = price(1)\n"
BEGIN: dict[str, Content] = {"prices.py": PRICES, "cart.py": CART, "other.py": "x = 1\n"}
LESS = PRICES.replace(', currency="USD"', "")
TOLD = {
    "one parameter less, which the other begins to give where it called before": (
        {"prices.py": LESS},
        {"cart.py": CART.replace("price(1)", 'price(1, "EUR")')},
        {("using", "cart.py", 3), ("changing", "cart.py", 2)},
        "TypeError: price() takes 1 positional argument but 2 were given",
    ),
    "another meaning, with the words of the call as they were": (
        {"prices.py": PRICES.replace("return count", "return str(count)")},
        {"bill.py": "import prices\n\ntotal = prices.price(1) + 1\n"},
        {("using", "bill.py", 3)},
        "TypeError: can only concatenate str",
    ),
}


@pytest.fixture
def shop(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every file is run; how often is counted beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main = init(tmp_path / "shop")
    run = f'for file in *.py; do {sys.executable} -B "$file" || exit 1; done'
    git(main, "config", "sidecar.check", f"echo x >> {tmp_path}/runs; {run}")
    commit(main, BEGIN, "Begin")
    return main


def make(shop: Path, changing: dict[str, Content], using: dict[str, Content]) -> None:
    commit(add_worktree(shop, "changing"), changing, "Change")
    commit(add_worktree(shop, "using"), using, "Use")
    commit(shop, {"README": "The shop\n"}, "So that each worktree is tried with trunk")


def runs(shop: Path) -> int:
    return len((shop.parent / "runs").read_text().splitlines())


@pytest.mark.parametrize("name", TOLD)
def test_what_only_running_both_says_is_told_at_the_lines(shop: Path, name: str) -> None:
    changing, using, at_lines, words = TOLD[name]
    make(shop, dict[str, Content](changing), dict[str, Content](using))
    with trying_merges(shop) as at:
        at.until(*at_lines)
        assert all(message.startswith(words) for message in at.told().values())
        assert at.session.picture is not None
        assert (at.session.picture.overlaps, at.session.picture.broken_uses) == ((), ())
        commit(shop.parent / "changing", {"prices.py": PRICES}, "As it was")
        at.until()


def test_a_pair_without_a_tie_is_not_tried(shop: Path) -> None:
    make(shop, {"prices.py": LESS}, {"bill.py": "import other\n\nprice = other.x  # prices.price\n"})
    with trying_merges(shop) as at:
        at.until_tried(2)
        assert (at.told(), runs(shop)) == ({}, 2), "each with trunk"


def test_without_symbols_only_common_files_count(shop: Path) -> None:
    make(shop, {"prices.py": LESS}, {"cart.py": CART.replace("price(1)", 'price(1, "EUR")')})
    with trying_merges(shop, symbols=False) as at:
        at.until_tried(2)
        assert (at.told(), runs(shop)) == ({}, 2), "each with trunk"
