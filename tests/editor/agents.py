"""A repository in which six agents are at work, each in a worktree of its own."""

from collections.abc import Callable
from pathlib import Path

from tests.harness import add_worktree, begin_shop, commit, git, write

CART = """def total(prices):
    amount = sum(prices)
    return amount


def count(prices):
    return len(prices)
"""
TAX = CART.replace("    return amount\n", "    return amount * TAX\n")
DISCOUNT = CART.replace("    return amount\n", "    return amount - DISCOUNT\n")
UNFINISHED = "# FIXME: to whom?\ndef ship(order): ...\n"
VERIFY = "! git grep -n FIXME"
"""Passes where nothing is left to be done, and says where something is."""
SECONDS = 60


def build_agents(place: Path) -> Path:
    """`agent-1` and `agent-2` conflict, `agent-3` has uncommitted work, `agent-4` is in trunk, 5 and 6 are ready."""
    main = begin_shop(place, {"cart.py": CART, "README.md": "# Shop\n"})
    commit(add_worktree(main, "agent-4"), {"mail.py": "def send(): ...\n"}, "Send mail")
    git(main, "merge", "--quiet", "--no-ff", "agent-4", "-m", "Merge branch 'agent-4'")
    commit(add_worktree(main, "agent-1"), {"cart.py": TAX}, "Show the total with tax")
    commit(add_worktree(main, "agent-2"), {"cart.py": DISCOUNT}, "Take a discount off the total")
    third = add_worktree(main, "agent-3")
    commit(third, {"README.md": "# The shop\n"}, "Name the shop")
    write(third, {"notes.md": "To do\n"})
    commit(add_worktree(main, "agent-5"), {"orders.py": UNFINISHED}, "Ship orders")
    commit(add_worktree(main, "agent-6"), {"cart.py": CART.replace("len(prices)", "len([*prices])")}, "Count")
    return main


def subject(worktree: Path) -> str:
    """The first line of the last commit's message."""
    return git(worktree, "log", "-1", "--format=%s")


class Actions:
    """Counts what a person does."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, action: Callable[[], None]) -> None:
        action()
        self.taken += 1
