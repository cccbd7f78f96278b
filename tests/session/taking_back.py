"""Histories in which a worktree takes back what trunk did, and others that only look like it.

Each is a function of a `Shop`; `TAKES_BACK` says which paths are told and which commit they take back, `INNOCENT` none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.model.picture import Undone
from sidecar.model.settings import Options
from sidecar.session.reader import ask
from sidecar.session.reading import read_worktree, worktree_state
from sidecar.session.undoes_trunk import find_undone
from tests.harness import add_worktree, commit, git, init, write

CART = "".join(f"def step_{number}():\n    return {number}\n\n\n" for number in range(12))
TAX = "".join(f"rate_{name} = {number}\n" for number, name in enumerate("abcdefghijkl"))
FIXED = CART.replace("    return 3\n", "    check(3)\n    return round(3, 2)\n")
CHECKED = CART.replace("return 3\n", "return 3  # type: ignore\n").replace(
    "    return 5\n", "    # Until the next release of the checker.\n    return 5  # noqa: E501\n"
)
ADDED = CART.replace(
    "def step_6():\n",
    "def total(items):\n    found = sum(items)\n    log(found)\n    return found\n\n\ndef step_6():\n",
)


@dataclass
class Shop:
    """A repository with trunk checked out in `main` and a branch in `task`, which begins where `begin` is called."""

    main: Path
    task: Path

    def trunk(self, files: dict[str, str | None], message: str = "Round prices") -> str:
        return commit(self.main, files, message)

    def own(self, files: dict[str, str | None], message: str = "Work on the task") -> str:
        return commit(self.task, files, message)

    def begin(self, start: str = "main") -> None:
        add_worktree(self.main, "task", start=start)

    def update(self, *options: str) -> None:
        """Merge trunk into the branch."""
        git(self.task, "merge", "--quiet", "--no-edit", *options, "main")

    def undone(self) -> tuple[Undone, ...]:
        """What the worktree takes back now."""

        def look(sources: object) -> tuple[Undone, ...] | Failure:
            from sidecar.session.reader import list_all

            listed = list_all(sources.repository, sources.settings)  # type: ignore[attr-defined]
            worktree = next(one for one in listed.worktrees if one.key == str(self.task))
            reading = read_worktree(sources, worktree)  # type: ignore[arg-type]
            state = worktree_state(sources, listed.trunk, reading, {})  # type: ignore[arg-type]
            return find_undone(sources, state, listed.trunk).undone  # type: ignore[arg-type]

        found = ask(self.main, Options(), look)
        assert not isinstance(found, Failure), found
        return found


def open_shop(place: Path) -> Shop:
    main = init(place / "shop")
    commit(main, {"cart.py": CART, "tax.py": TAX, "README.md": "# Shop\n"}, "Begin")
    return Shop(main, place / "task")


def many(shop: Shop, count: int) -> None:
    """Add so many empty commits to the branch."""
    tree = git(shop.task, "rev-parse", "HEAD^{tree}").strip()
    last = git(shop.task, "rev-parse", "HEAD").strip()
    for number in range(count):
        last = git(shop.task, "commit-tree", "-p", last, "-m", f"Step {number}", tree).strip()
    git(shop.task, "reset", "--quiet", "--soft", last)


History = Callable[[Shop], None]
TAKES_BACK: dict[str, tuple[History, dict[str, str]]] = {}
INNOCENT: dict[str, History] = {}


def takes_back(**told: str) -> Callable[[History], History]:
    """The history takes back, at each path (`cart_py`), the commit with this subject."""

    def register(history: History) -> History:
        TAKES_BACK[history.__name__] = (history, {".".join(path.rsplit("_", 1)): said for path, said in told.items()})
        return history

    return register


def innocent(history: History) -> History:
    """The history takes nothing back that has to be told."""
    INNOCENT[history.__name__] = history
    return history


@takes_back(cart_py="Round prices")
def an_old_file_is_written_from_a_stale_buffer(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    write(shop.task, {"cart.py": CART})


@takes_back(cart_py="Round prices")
def an_old_file_is_committed(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Round prices")
def an_old_file_is_staged(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    git(shop.task, "checkout", "--quiet", "HEAD~1", "--", "cart.py")


@takes_back(cart_py="Round prices", tax_py="Round prices")
def every_file_of_a_commit_is_as_before_it(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED, "tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")})
    shop.begin()
    git(shop.task, "checkout", "--quiet", "HEAD~1", "--", ".")


@takes_back(cart_py="Round prices")
def two_commits_of_a_file_are_taken_back(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.trunk({"cart.py": FIXED.replace("return 9", "return 99")}, "Ship faster")
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Ship faster")
def only_the_newest_commit_is_taken_back(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.trunk({"cart.py": FIXED.replace("return 9", "return 99")}, "Ship faster")
    shop.begin()
    shop.own({"cart.py": FIXED})


@takes_back(cart_py="Round prices")
def an_old_part_comes_back_with_new_work_in_the_same_file(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART.replace("return 11", "return 1111")})


@takes_back(cart_py="Round prices")
def an_old_part_comes_back_after_trunk_went_on_elsewhere_in_the_file(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.trunk({"cart.py": FIXED.replace("return 9", "return 99")}, "Ship faster")
    shop.begin()
    shop.own({"cart.py": CART.replace("return 9", "return 99")})


@takes_back(cart_py="Add the total")
def a_function_that_trunk_added_lately_goes(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Round prices")
def a_merge_of_trunk_keeps_only_the_own_side(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    git(shop.task, "merge", "--quiet", "--no-commit", "main")
    git(shop.task, "checkout", "--quiet", "HEAD", "--", "cart.py")
    git(shop.task, "commit", "--quiet", "--message=Merge branch 'main' into task")


@takes_back(cart_py="Round prices")
def a_merge_by_the_strategy_ours(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    shop.update("--strategy=ours")


@takes_back(cart_py="Round prices")
def a_conflict_is_resolved_to_the_own_side_of_the_file(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": CART.replace("return 0", "return 1000")})
    shop.trunk({"cart.py": FIXED.replace("return 0", "return 0.5")})
    git(shop.task, "merge", "--quiet", "main", check=False)
    git(shop.task, "checkout", "--quiet", "--ours", "--", "cart.py")
    git(shop.task, "add", "cart.py")
    git(shop.task, "commit", "--quiet", "--message=Merge branch 'main' into task")


@takes_back(cart_py="Round prices")
def a_merge_is_not_committed_and_keeps_the_own_side(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    shop.update()
    write(shop.task, {"cart.py": CART})


@takes_back(cart_py="Add the total")
def what_came_with_a_merge_is_removed_again(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.update()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Add the total")
def only_one_of_two_parts_that_came_with_a_merge_is_removed(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": ADDED.replace("return 11", "return 11.5")}, "Add the total")
    shop.update()
    shop.own({"cart.py": CART.replace("return 11", "return 11.5")})


@takes_back(cart_py="Round prices")
def a_soft_reset_to_an_older_commit_is_committed(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    git(shop.task, "reset", "--quiet", "--soft", "main")
    git(shop.task, "commit", "--quiet", "--message=Work on the task")


@takes_back(cart_py="Round prices", new_py="Round prices")
def a_file_that_the_same_commit_added_is_gone_too(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED, "new.py": "def check(one):\n    return one\n"})
    shop.begin()
    shop.own({"cart.py": CART, "new.py": None})


@takes_back(basket_py="Round prices")
def a_file_that_trunk_renamed_has_its_old_content(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    git(shop.main, "mv", "cart.py", "basket.py")
    shop.trunk({}, "Call it basket")
    shop.begin()
    shop.own({"basket.py": CART})


@takes_back(basket_py="Round prices")
def the_worktree_renames_the_file_and_brings_the_old_content(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    git(shop.task, "mv", "cart.py", "basket.py")
    shop.own({"basket.py": CART})


@takes_back(cart_py="Round prices")
def trunk_went_on_elsewhere_since(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART})
    shop.trunk({"tax.py": TAX + "rate_z = 26\n"}, "Add a rate")


@takes_back(cart_py="Round prices")
def trunk_went_on_in_the_same_file_since(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART})
    shop.trunk({"cart.py": FIXED.replace("return 11", "return 11.5")}, "Ship faster")


@takes_back(tax_py="Raise a rate")
def one_value_goes_back(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": TAX})


@takes_back(tax_py="Raise a rate")
def one_value_goes_back_among_other_work(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": TAX.replace("rate_k = 10", "rate_k = 100") + "rate_z = 26\n"})


@takes_back(cart_py="Round prices")
def work_that_trunk_got_by_a_merge_is_taken_back(shop: Shop) -> None:
    git(shop.main, "switch", "--quiet", "-c", "other")
    shop.trunk({"cart.py": FIXED})
    git(shop.main, "switch", "--quiet", "main")
    shop.trunk({"tax.py": TAX + "rate_z = 26\n"}, "Add a rate")
    git(shop.main, "merge", "--quiet", "--no-edit", "other")
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Round prices")
def the_head_is_detached(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    add_worktree(shop.main, "task", detach=True)
    write(shop.task, {"cart.py": CART})


@takes_back(cart_py="Round prices")
def only_another_commit_says_that_it_reverts(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"tax.py": TAX.replace("rate_c = 2", "rate_c = 3")}, 'Revert "the rate"')
    shop.own({"cart.py": CART})


@takes_back(cart_py="Delete what is unused")
def a_deletion_of_trunk_is_taken_back(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.replace("def step_5():\n    return 5\n\n\n", "")}, "Delete what is unused")
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Round prices")
def with_line_ends_of_windows(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.replace("\n", "\r\n")}, "Windows")
    shop.trunk({"cart.py": FIXED.replace("\n", "\r\n")})
    shop.begin()
    shop.own({"cart.py": CART.replace("\n", "\r\n")})


@takes_back(cart_py="Round prices")
def a_file_without_a_last_line_end(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.rstrip()}, "Trim")
    shop.trunk({"cart.py": FIXED.rstrip()})
    shop.begin()
    shop.own({"cart.py": CART.rstrip()})


@takes_back(cart_py="Round prices")
def an_old_version_is_restored_while_a_rebase_stops(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    git(shop.task, "rebase", "--quiet", "main")
    git(shop.task, "restore", "--source=main~1", "--staged", "--worktree", "cart.py")
    git(shop.task, "commit", "--quiet", "--amend", "--no-edit")
