"""`plan_order` says what each worktree would still need where git merges without a word, or a tool makes files."""

import json
import shutil
from pathlib import Path

import pytest

from sidecar.model.merge_order import Order, Turn
from sidecar.model.schema import plan_object
from sidecar.model.settings import Options
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge_order import plan_order
from tests.cli.conftest import Sidecar, sidecar
from tests.harness import add_worktree, commit, git, init
from tests.operations.merge.deeds import planned, tip

__all__ = ["sidecar"]

OLD = "".join(f"price_{number} = {number}\n" for number in range(9))
MIGRATION = "app/migrations/0002_{}.py"


@pytest.fixture
def shop(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main = init(tmp_path / "shop")
    files = {"prices.py": OLD, "parts.lock": "a\n", "app/migrations/0001_first.py": "1\n", "a.part": "a\n"}
    commit(main, files, "Begin")
    git(main, "config", "sidecar.generated", "parts.lock -> cat *.part > parts.lock")
    return main


def ordered(shop: Path, choices: MergeChoices | None = None) -> Order:
    order = plan_order(shop, Options(trusted=True), choices=choices)
    assert isinstance(order, Order), order
    return order


def turn(order: Order, name: str) -> Turn:
    return next(one for one in order.turns if one.worktree.name == name)


def needs(order: Order, name: str) -> list[str]:
    return [one.code for one in turn(order, name).needs]


def stale(shop: Path) -> None:
    commit(shop, {"prices.py": OLD.replace("= 4", "= 44")}, "Raise a price")
    commit(add_worktree(shop, "stale"), {"prices.py": OLD, "own.py": "own = 1\n"}, "Work")


def test_what_takes_trunk_back_is_not_ready_until_it_is_allowed(shop: Path) -> None:
    stale(shop)
    order = ordered(shop)
    assert (turn(order, "stale").ready, needs(order, "stale")) == (False, ["undoes-trunk"])
    assert "takes back what Ada Harness did to main" in str(turn(order, "stale").why)
    allowed = ordered(shop, MergeChoices(allow=frozenset({"undoes-trunk"})))
    assert (turn(allowed, "stale").ready, needs(allowed, "stale")) == (True, ["undoes-trunk"])


def test_what_is_intended_is_needed_no_more(shop: Path, sidecar: Sidecar) -> None:
    stale(shop)
    assert sidecar(shop, "intended", str(shop.parent / "stale/prices.py")).status == 0
    assert (turn(ordered(shop), "stale").ready, needs(ordered(shop), "stale")) == (True, [])


def locked(shop: Path, name: str) -> None:
    commit(add_worktree(shop, name, start="main~0"), {f"{name}.part": f"{name}\n", "parts.lock": f"{name}\n"}, name)


def test_files_to_regenerate_are_told_with_the_command_and_are_in_nobodys_way_who_says_so(shop: Path) -> None:
    locked(shop, "b")
    commit(shop, {"c.part": "c\n", "parts.lock": "c\n"}, "Add c")
    order = ordered(shop)
    assert (turn(order, "b").ready, needs(order, "b")) == (False, ["regenerate"])
    assert "makes them anew: parts.lock by “cat *.part > parts.lock”." in turn(order, "b").needs[0].message
    saying = ordered(shop, MergeChoices(regenerate=True))
    assert (turn(saying, "b").ready, needs(saying, "b")) == (True, ["regenerate"])


def test_what_conflicts_only_with_those_before_it_is_told_at_its_turn(shop: Path) -> None:
    locked(shop, "b")
    locked(shop, "c")
    order = ordered(shop)
    assert [(one.worktree.name, len(one.paths), needs(order, one.worktree.name)) for one in order.ready] == [
        ("b", 0, []),
        ("c", 1, ["regenerate"]),
    ]


def test_where_another_file_conflicts_too_no_command_helps(shop: Path) -> None:
    locked(shop, "b")
    commit(shop.parent / "b", {"prices.py": OLD.replace("= 4", "= 40")}, "More")
    commit(shop, {"parts.lock": "c\n", "prices.py": OLD.replace("= 4", "= 44")}, "Add c")
    assert needs(ordered(shop), "b") == []


def test_all_are_merged_with_their_files_made_anew(shop: Path, sidecar: Sidecar) -> None:
    for name in ("b", "c"):
        locked(shop, name)
    commit(shop, {"d.part": "d\n", "parts.lock": "d\n"}, "Add d")
    ended = sidecar(shop, "merge", "--all", "--yes", "--regenerate")
    assert ended.status == 0, ended.err
    assert git(shop, "show", "main:parts.lock") == "a\nb\nc\nd"


def test_a_number_that_is_taken_is_told_with_trunk_and_with_whom_comes_before(shop: Path) -> None:
    for name in ("b", "c"):
        commit(add_worktree(shop, name), {MIGRATION.format(name): f"{name}\n"}, name)
    order = ordered(shop)
    assert [needs(order, name) for name in ("b", "c")] == [[], ["same-number"]]
    assert turn(order, "c").needs[0].message == (
        "c adds app/migrations/0002_c.py, and b app/migrations/0002_b.py. Both are number 2 of their directory. "
        "Renumber one of them."
    )
    commit(shop, {MIGRATION.format("trunk"): "trunk\n"}, "Trunk's")
    order = ordered(shop)
    assert [needs(order, name) for name in ("b", "c")] == [["same-number"], ["same-number", "same-number"]]
    plan = planned(shop, "b")
    assert [(one.code, one.severity, one.paths) for one in plan.findings] == [
        ("same-number", "info", ("app/migrations/0002_b.py",))
    ]


def test_text_and_json_say_it(shop: Path, sidecar: Sidecar) -> None:
    stale(shop)
    locked(shop, "b")
    locked(shop, "c")
    before = tip(shop)
    text = sidecar(shop, "plan", "--trust").out
    assert "takes back what Ada Harness did to main" in text
    assert "Needs: Only files that tools make conflict. --regenerate makes them anew: parts.lock by" in text
    assert text.count("takes back") == 1
    said = json.loads(sidecar(shop, "plan", "--json", "--trust").out)
    assert said == plan_object(ordered(shop))
    assert {one["worktree"]: [need["code"] for need in one["needs"]] for one in said["order"]} == {
        "b": [],
        "c": ["regenerate"],
        "stale": ["undoes-trunk"],
    }
    assert tip(shop) == before


def test_what_is_installed_before_verify_is_said_of_each_worktree(shop: Path, sidecar: Sidecar) -> None:
    commit(add_worktree(shop, "b"), {"web/package.json": "{}\n", "web/package-lock.json": "{}\n"}, "Add a page")
    commit(add_worktree(shop, "c"), {"c.txt": "c\n"}, "Add c")
    (add_worktree(shop, "d") / "own.txt").write_text("d\n")
    assert [one.installs for one in ordered(shop).turns] == [(), (), ()], "nothing is verified"
    git(shop, "config", "sidecar.verify", "true")
    line = "npm ci --prefer-offline --no-audit --no-fund"
    assert [one.said for one in turn(ordered(shop), "b").installs] == [f"{line} (web/package-lock.json)"]
    assert turn(ordered(shop), "c").installs == ()
    assert f"Before verify: {line} (web/package-lock.json)" in sidecar(shop, "plan").out
    commit(shop, {"web/package.json": "{}\n", "web/package-lock.json": "[]\n"}, "Add another page")
    assert turn(ordered(shop), "c").installs == turn(ordered(shop), "b").installs, "c would land with trunk's page"
    git(shop, "config", "sidecar.prepare", "make deps")
    text = sidecar(shop, "plan").out
    assert "Before verify, in each\n  make deps\n" in text
    assert text.count("make deps") == 1
    said = json.loads(sidecar(shop, "plan", "--json").out)
    assert said["order"][-1]["installs"] == [{"folder": "", "command": "make deps", "lock": "", "missing": None}]


def test_a_package_manager_that_is_missing_is_said(shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commit(add_worktree(shop, "b"), {"yarn.lock": "\n", "package.json": "{}\n"}, "Add a page")
    git(shop, "config", "sidecar.verify", "true")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    said = [one.said for one in turn(ordered(shop), "b").installs]
    assert said == ["nothing for yarn.lock, since yarn is not on PATH"]


def test_what_breaks_is_told_with_trunk_and_with_whom_comes_before(shop: Path) -> None:
    commit(shop, {"till.py": "def pay():\n    pass\n\n\ndef open_it():\n    pass\n", "app.py": "X = 1\n"}, "Till")
    commit(add_worktree(shop, "b"), {"till.py": "def open_it():\n    pass\n"}, "Remove")
    commit(add_worktree(shop, "c"), {"app.py": "from till import pay\n"}, "Use")
    order = ordered(shop)
    assert [needs(order, name) for name in ("b", "c")] == [[], ["broken-use"]]
    (need,) = turn(order, "c").needs
    assert (need.severity, need.paths) == ("info", ("app.py",))
    assert need.message == "app.py: Uses `pay` of till.py, which b removes. Once both are merged, it is nowhere."
    git(shop, "merge", "--quiet", "c")
    order = ordered(shop)
    assert needs(order, "b") == ["broken-use"]
    said = "till.py: Removes `pay`, which trunk (branch main) newly uses in app.py, line 1. "
    plan = planned(shop, "b")
    assert [(one.code, one.severity, one.message) for one in plan.findings] == [
        ("broken-use", "info", f"{said}Once both are merged, it is nowhere.")
    ]
