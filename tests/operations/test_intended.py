"""What a person says is intended is no longer told, for that worktree, those commits and that file; all else is."""

import json
import os
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.picture import Undone
from sidecar.model.settings import Options
from sidecar.operations.intended import IntendPlan, apply_intended, plan_intended
from sidecar.operations.merge.plan import plan_merge
from sidecar.session.intended import IntendedRecord, record_path
from sidecar.session.once import taken_back
from tests.harness import add_worktree, commit, git
from tests.session.taking_back import TAKES_BACK, Shop, open_shop


def undone(shop: Shop) -> dict[str, Undone]:
    found = taken_back(shop.main, str(shop.task))
    assert not isinstance(found, Failure), found
    return {one.path: one for one in found}


def planned(shop: Shop, path: str, *, undo: bool = False) -> IntendPlan:
    plan = plan_intended(shop.main, str(shop.task), {path: None}, Options(), undo=undo)
    assert not isinstance(plan, Failure), plan
    return plan


def intend(shop: Shop, path: str, *, undo: bool = False) -> str:
    return apply_intended(planned(shop, path, undo=undo)).outcome


@pytest.mark.parametrize("name", TAKES_BACK)
def test_all_that_is_told_can_be_intended_and_then_nothing_is_told(name: str, tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    TAKES_BACK[name][0](shop)
    before = undone(shop)
    for path in before:
        assert intend(shop, path) == "intended"
    assert undone(shop) == {}
    for path in before:
        assert intend(shop, path, undo=True) == "not-intended"
    assert undone(shop).keys() == before.keys()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two files of one commit, and one of another, are as they were before."""
    shop = open_shop(tmp_path)
    commit(shop.main, {"a.py": text(), "b.py": text(), "c.py": text()}, "Files")
    shop.trunk({"a.py": text("first"), "b.py": text("first")}, "First")
    shop.trunk({"c.py": text("second")}, "Second")
    shop.begin()
    shop.own({"a.py": text(), "b.py": text(), "c.py": text()})
    return shop


def text(*words: str, at: int = 4) -> str:
    rows = [f"row {number}\n" for number in range(12)]
    rows[at : at + 1] = [f"{word} of {at}\n" for word in words] or rows[at : at + 1]
    return "".join(rows)


def test_only_that_file_is_quiet(shop: Shop) -> None:
    assert undone(shop).keys() == {"a.py", "b.py", "c.py"}
    intend(shop, "a.py")
    assert undone(shop).keys() == {"b.py", "c.py"}


def test_the_plan_of_a_merge_names_all_but_what_is_intended(shop: Shop) -> None:
    intend(shop, "a.py")
    intend(shop, "c.py")
    plan = plan_merge(shop.main, "task", Options())
    assert not isinstance(plan, Failure)
    assert [one.paths for one in plan.findings if one.code == "undoes-trunk"] == [("b.py",)]


def test_another_commit_in_that_file_is_told(shop: Shop) -> None:
    intend(shop, "a.py")
    shop.trunk({"a.py": text("first").replace("row 9\n", "row nine\n")}, "Third")
    shop.update()
    shop.own({"a.py": text()}, "Work")
    assert undone(shop)["a.py"].subject == "Third"


def test_more_work_in_the_file_stays_quiet(shop: Shop) -> None:
    intend(shop, "a.py")
    shop.own({"a.py": text() + "more\n"}, "Work")
    assert "a.py" not in undone(shop)


def test_commits_that_were_taken_back_with_it_stay_quiet_by_lines_too(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    commit(shop.main, {"a.py": text()}, "File")
    shop.trunk({"a.py": text("first")}, "First")
    shop.trunk({"a.py": text("first").replace("row 9\n", "row nine\n")}, "Second")
    shop.begin()
    shop.own({"a.py": text()})
    assert len(undone(shop)["a.py"].commits) == 2
    intend(shop, "a.py")
    shop.own({"a.py": text() + "more\n"}, "Work")
    assert undone(shop) == {}


def test_it_ends_with_the_worktree(shop: Shop) -> None:
    intend(shop, "a.py")
    git(shop.main, "worktree", "remove", "--force", str(shop.task))
    git(shop.main, "worktree", "add", "--quiet", str(shop.task), "task")
    assert "a.py" in undone(shop)
    intend(shop, "b.py")
    rows = json.loads(Path(record_path(str(shop.main / ".git"))).read_text())["worktrees"]
    assert [list(row) for row in rows.values()] == [["b.py"]]


def test_another_worktree_with_the_same_work_is_told(shop: Shop) -> None:
    intend(shop, "a.py")
    other = add_worktree(shop.main, "other", start="task")
    found = taken_back(shop.main, str(other))
    assert not isinstance(found, Failure)
    assert "a.py" in {one.path for one in found}


def test_a_moved_worktree_keeps_it(shop: Shop) -> None:
    intend(shop, "a.py")
    git(shop.main, "worktree", "move", str(shop.task), str(shop.task.with_name("elsewhere")))
    found = taken_back(shop.main, "elsewhere")
    assert not isinstance(found, Failure)
    assert "a.py" not in {one.path for one in found}


def test_where_nothing_is_taken_back_there_is_nothing_to_intend(shop: Shop) -> None:
    assert [one.code for one in planned(shop, "README.md").findings] == ["not-taken-back"]
    assert [one.code for one in planned(shop, "a.py", undo=True).findings] == ["not-taken-back"]
    assert intend(shop, "README.md") == "refused"


@pytest.mark.parametrize(
    "content",
    ["", "nonsense", "[]", '{"schema": 2, "worktrees": {}}', '{"schema": 1, "worktrees": {"x": {"a.py": "*"}}}', None],
)
def test_a_record_that_is_none_of_ours_silences_nothing(shop: Shop, content: str | None) -> None:
    intend(shop, "a.py")
    path = Path(record_path(str(shop.main / ".git")))
    if content is None:
        path.rename(path.with_name("other"))
        os.symlink("other", path)
    else:
        path.write_text(content)
    assert "a.py" in undone(shop)
    assert IntendedRecord(str(shop.main / ".git")).every() in ({}, {"x": {"a.py": frozenset()}})
