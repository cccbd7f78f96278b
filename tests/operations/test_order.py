"""`plan_order`: who is ready, and the order that meets the fewest conflicts, held against real merges."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.findings import Failure
from sidecar.model.merge_order import Order, Turn
from sidecar.model.settings import Options
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge_order import plan_order
from sidecar.operations.run import Control
from tests.harness import Content, add_worktree, commit, git, init, state_of, write
from tests.harness.repository import Symlink
from tests.model.examples import examples
from tests.operations.by_merging import Merges

LINES = "".join(f"line {number}\n" for number in range(1, 21))


def edited(*numbers: int, to: str) -> str:
    """The twenty lines, some of them with another text."""
    return "".join(f"{to}\n" if n in numbers else f"line {n}\n" for n in range(1, 21))


@pytest.fixture
def shop(repo: Path) -> Path:
    commit(repo, {"a.txt": LINES, "b.txt": LINES, "c.txt": LINES})
    return repo


def branch_off(repo: Path, name: str, files: dict[str, Content], *, start: str = "main") -> Path:
    worktree = add_worktree(repo, name, start=start)
    commit(worktree, files, name)
    return worktree


def planned(folder: Path, control: Control | None = None) -> Order:
    order = plan_order(folder, Options(), control or Control())
    assert isinstance(order, Order), order
    return order


def names(order: Order) -> list[str]:
    return [turn.worktree.name for turn in order.ready]


def turn_of(order: Order, name: str) -> Turn:
    return next(turn for turn in order.turns if turn.worktree.name == name)


def test_what_does_not_meet_keeps_the_order_of_the_list(shop: Path) -> None:
    for name in ("a", "b", "c"):
        branch_off(shop, name, {f"{name}.txt": edited(1, to=name)})
    order = planned(shop)
    assert (names(order), order.conflicts, order.pairs, order.exact) == (["a", "b", "c"], 0, (), True)


def test_the_one_that_differs_comes_after_two_that_are_alike(shop: Path) -> None:
    for name, text in (("c", "third"), ("one", "same"), ("two", "same")):
        branch_off(shop, name, {"a.txt": edited(5, to=text)})
    order = planned(shop)
    assert (names(order)[-1], order.conflicts) == ("c", 1)
    assert turn_of(order, "c").why == "Conflicts with one, two in a.txt."
    assert {tuple(worktree.name for worktree in pair.worktrees) for pair in order.pairs} == {("c", "one"), ("c", "two")}


def test_what_is_stacked_on_another_comes_before_what_conflicts_with_both(shop: Path) -> None:
    branch_off(shop, "below", {"a.txt": edited(5, to="below")})
    branch_off(shop, "other", {"a.txt": edited(5, to="other")})
    branch_off(shop, "above", {"a.txt": edited(5, to="above")}, start="below")
    order = planned(shop)
    assert (names(order)[-1], order.conflicts) == ("other", 1)


def test_of_two_orders_as_good_the_one_that_stops_later_is_taken(shop: Path) -> None:
    for name in ("one", "two", "three"):
        branch_off(shop, name, {"a.txt" if name != "three" else "b.txt": edited(5, to=name)})
    order = planned(shop)
    assert (names(order), [turn.paths for turn in order.ready]) == (["one", "three", "two"], [(), (), ("a.txt",)])


def test_pairs_name_where_they_conflict_the_worst_first(shop: Path) -> None:
    branch_off(shop, "one", {"a.txt": edited(5, to="one"), "b.txt": edited(9, to="one"), "c.txt": edited(1, to="one")})
    branch_off(shop, "two", {"a.txt": edited(5, to="two")})
    branch_off(shop, "three", {"b.txt": edited(9, to="three"), "c.txt": edited(1, to="three")})
    found = [([worktree.name for worktree in pair.worktrees], pair.paths) for pair in planned(shop).pairs]
    assert found == [(["one", "three"], ("b.txt", "c.txt")), (["one", "two"], ("a.txt",))]


def test_a_file_that_git_moves_aside_is_named_as_it_is_called(shop: Path) -> None:
    """Git calls it after the commit that has it, which is one of ours that nobody knows."""
    branch_off(shop, "as-folder", {"a.txt": None, "a.txt/in": "in\n"})
    branch_off(shop, "as-link", {"a.txt": Symlink("nowhere")})
    branch_off(shop, "as-trunk", {"b.txt": None, "b.txt/in": "in\n"})
    commit(shop, {"b.txt": LINES + "more\n"}, "Trunk")
    order = planned(shop)
    (pair,) = order.pairs
    assert pair.paths == ("a.txt",)
    assert {turn.why for turn in order.turns if "as-trunk" in turn.worktree.name} == {
        "Conflicts with main in b.txt. Merge main into it."
    }
    plan = plan_merge(shop, "as-trunk", Options(), MergeChoices())
    assert not isinstance(plan, Failure)
    (found,) = [one for one in plan.findings if one.code == "conflict"]
    assert found.paths == ("b.txt",)


def test_each_reason_not_to_be_ready(shop: Path) -> None:
    branch_off(shop, "ready", {"b.txt": edited(3, to="ready")})
    write(branch_off(shop, "dirty", {"b.txt": edited(7, to="dirty")}), {"b.txt": "x\n", "new.txt": "y\n"})
    add_worktree(shop, "idle")
    detached = branch_off(shop, "detached", {"b.txt": edited(11, to="d")})
    git(detached, "checkout", "--quiet", "--detach")
    branch_off(shop, "against", {"a.txt": edited(5, to="against")})
    commit(branch_off(shop, "taken", {"c.txt": edited(1, to="taken")}), {"c.txt": edited(1, 2, to="taken")})
    halted = branch_off(shop, "halted", {"a.txt": edited(20, to="halted")})
    shutil.rmtree(branch_off(shop, "gone", {"b.txt": edited(15, to="gone")}))
    orphan = add_worktree(shop, "orphan")
    git(orphan, "checkout", "--quiet", "--orphan", "orphan-root")
    commit(orphan, {"z.txt": "z\n"})
    git(shop, "merge", "--quiet", "--squash", "taken")
    commit(shop, {"a.txt": edited(5, 20, to="trunk")})
    git(halted, "rebase", "main", check=False)
    assert (halted / ".git").exists()
    order = planned(shop)
    assert sorted(names(order)) == ["detached", "ready"]
    why = {turn.worktree.name: turn.why for turn in order.turns}
    remedy = "If it was moved, run git worktree repair there. If it was deleted, git worktree prune forgets it."
    assert why == {
        "ready": None,
        "dirty": "It has 2 uncommitted changes.",
        "idle": "It has no commits that main lacks.",
        "detached": None,
        "against": "Conflicts with main in a.txt. Merge main into it.",
        "taken": "main has its work already.",
        "halted": "A rebase is in progress. Finish it, or abort it.",
        "gone": f"The folder of gone is not there. {remedy}",
        "orphan": "orphan shares no history with main, so git would not merge it.",
    }
    assert turn_of(order, "against").paths == ("a.txt",)
    assert order.conflicts == 0


def test_work_that_a_status_of_its_change_set_would_not_show_is_uncommitted_too(shop: Path) -> None:
    undone = branch_off(shop, "undone", {"a.txt": edited(1, to="done")})
    write(undone, {"a.txt": LINES})
    assert turn_of(planned(shop), "undone").why == "It has 1 uncommitted change."


def test_trunk_and_its_checkouts_take_no_turn(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "elsewhere")
    git(shop, "worktree", "add", "--quiet", shop.parent / "trunk", "main")
    branch_off(shop, "one", {"a.txt": edited(1, to="one")})
    assert [turn.worktree.name for turn in planned(shop).turns] == ["one"]


def test_from_a_worktree_and_in_a_bare_repository(shop: Path, tmp_path: Path) -> None:
    worktree = branch_off(shop, "one", {"a.txt": edited(1, to="one")})
    assert names(planned(worktree)) == ["one"]
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", shop, bare)
    git(bare, "worktree", "add", "--quiet", tmp_path / "two", "one")
    assert names(planned(tmp_path / "two")) == ["two"]


def test_many_that_all_meet_are_put_in_order_one_by_one(shop: Path) -> None:
    for number in range(9):
        branch_off(shop, f"w{number}", {"a.txt": edited(5, to="same" if number else "other")})
    order = planned(shop)
    assert (order.exact, len(order.ready)) == (False, 9)
    assert order.conflicts == sum(len(turn.paths) for turn in order.ready) > 0


def test_many_of_which_few_meet_are_put_in_order_exactly(shop: Path) -> None:
    commit(shop, {f"{number}.txt": LINES for number in range(12)})
    for number in range(12):
        branch_off(shop, f"w{number:02}", {f"{number // 2}.txt": edited(5, to=f"{number}")})
    order = planned(shop)
    assert (order.exact, order.conflicts, len(order.pairs)) == (True, 6, 6)
    assert [bool(turn.paths) for turn in order.ready] == [False] * 6 + [True] * 6


def test_planning_leaves_no_trace(shop: Path) -> None:
    for name in ("one", "two"):
        branch_off(shop, name, {"a.txt": edited(5, to=name)})
    before = state_of(shop)
    assert planned(shop).conflicts == 1
    assert state_of(shop) == before


def test_planning_can_be_cancelled(shop: Path) -> None:
    branch_off(shop, "one", {"a.txt": edited(5, to="one")})
    found = plan_order(shop, Options(), Control(cancelled=lambda: True))
    assert isinstance(found, Failure)
    assert found.code == "cancelled"


def test_trunk_without_a_commit_and_no_repository(tmp_path: Path) -> None:
    for folder, code in ((init(tmp_path / "new"), "no-trunk"), (tmp_path, "not-a-repository")):
        found = plan_order(folder, Options())
        assert isinstance(found, Failure)
        assert found.code == code


@dataclass(frozen=True)
class Deed:
    """What one worktree does: `kind` to `path`, with a text at a line."""

    kind: str
    path: str
    line: int
    text: str


PATHS = ("a", "b", "d/c", "d/e")
DEEDS = st.builds(
    Deed,
    st.sampled_from(("edit", "edit", "edit", "delete", "rename", "add", "move-directory")),
    st.sampled_from(PATHS),
    st.integers(0, 5),
    st.sampled_from(("x", "y", "z")),
)


def do(worktree: Path, deed: Deed) -> None:
    place = worktree / deed.path
    if deed.kind == "add":
        write(worktree, {f"d/new-{deed.line % 2}": f"{deed.text}\n"})
    elif not place.exists():
        return
    elif deed.kind == "edit":
        lines = place.read_text().splitlines()
        lines[min(deed.line, len(lines) - 1)] = deed.text
        place.write_text("".join(f"{line}\n" for line in lines))
    elif deed.kind == "delete":
        place.unlink()
    elif deed.kind == "rename":
        place.rename(worktree / f"{deed.path}-{deed.text}")
    elif (worktree / "d").exists() and not (worktree / "e").exists():
        (worktree / "d").rename(worktree / "e")


@given(
    st.lists(st.tuples(st.lists(DEEDS, min_size=1, max_size=3), st.booleans()), min_size=3, max_size=4),
    st.lists(DEEDS, max_size=2),
)
@examples(8)
def test_no_order_of_real_merges_meets_fewer_conflicts(
    tmp_path_factory: pytest.TempPathFactory, works: list[tuple[list[Deed], bool]], trunk: list[Deed]
) -> None:
    repo = init(tmp_path_factory.mktemp("orders") / "repo")
    commit(repo, {path: "".join(f"{path} {n}\n" for n in range(6)) for path in PATHS})
    for number, (deeds, stacked) in enumerate(works):
        start = f"w{number - 1}" if stacked and number else "main"
        worktree = add_worktree(repo, f"w{number}", start=start)
        for deed in deeds:
            do(worktree, deed)
        commit(worktree)
    for deed in trunk:
        do(repo, deed)
    commit(repo)
    order = planned(repo)
    ready = sorted(names(order))
    merges = Merges(repo, [f"w{number}" for number in range(len(works))])
    for name in (turn.worktree.name for turn in order.turns if not turn.ready):
        alone = merges.merge([name])
        assert alone[0][1] == turn_of(order, name).paths
    every = merges.every_order(ready)
    assert order.exact
    assert tuple((turn.worktree.name, turn.paths) for turn in order.ready) == every[tuple(names(order))]
    assert order.conflicts == min(sum(len(paths) for _, paths in steps) for steps in every.values())
    for one in ready:
        assert merges.merge([one])[0][1] == ()
