"""What a checking command says of a merge and of neither side alone is told at the lines, and keeps nobody waiting."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.settings import Options
from sidecar.operations.landing_repository.place import CHECK, landing_repository_path
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge_check.running import remembered
from sidecar.operations.merge_order import plan_order
from tests.cli.conftest import Sidecar, sidecar
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git, init, write
from tests.operations.merge.deeds import merged, seen
from tests.operations.trying import trying_merges

__all__ = ["sidecar"]

CHECKER = """import ast, pathlib, sys
trees = {path: ast.parse(path.read_text()) for path in sorted(pathlib.Path().glob("*.py"))}
names = {node.name for tree in trees.values() for node in tree.body if isinstance(node, ast.FunctionDef)}
bad = [f"{path}:{node.lineno}:1: error: {node.func.id} is not defined" for path, tree in trees.items()
    for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func.id not in names]
print("\\n".join(bad))
sys.exit(bool(bad))
"""
"""A checker of calls to functions that nobody defines."""

PRICES = "def total():\n    return 1\n\n\ndef tax():\n    return 2\n"


@pytest.fixture
def shop(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trunk newly uses what `feat` renames; each is fine alone."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main = init(tmp_path / "shop")
    (tmp_path / "check.py").write_text(CHECKER)
    git(main, "config", "sidecar.check", f"echo x >> {tmp_path}/runs; {sys.executable} {tmp_path}/check.py")
    commit(main, {"prices.py": PRICES, "cart.py": "def add():\n    pass\n"}, "Begin")
    commit(add_worktree(main, "feat"), {"prices.py": PRICES.replace("total", "total_price")}, "Rename total")
    commit(main, {"cart.py": "def add():\n    pass\n\n\ntotal()\n"}, "Use total")
    return main


def runs(shop: Path) -> int:
    path = shop.parent / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_rename_here_and_a_new_use_in_trunk_are_told_at_the_line_until_they_are_mended(shop: Path) -> None:
    before = seen(shop, shop.parent / "feat")
    with trying_merges(shop) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
        assert set(at.told().values()) == {"total is not defined"}
        assert seen(shop, shop.parent / "feat") == before
        write(
            shop.parent / "feat", {"prices.py": PRICES.replace("total", "total_price") + "\n\ndef total():\n    pass\n"}
        )
        at.until()
        assert not any(state.broken for state in at.session.picture.worktrees)  # type: ignore[union-attr]


def test_what_is_not_committed_counts_and_what_either_says_alone_does_not(shop: Path) -> None:
    feat = shop.parent / "feat"
    git(feat, "reset", "--quiet", "--hard", "main~")
    write(feat, {"prices.py": "nowhere()\n" + PRICES.replace("total", "total_price")})
    commit(shop, {"cart.py": "def add():\n    pass\n\n\ntotal()\n\nmissing()\n"}, "Use what is nowhere")
    with trying_merges(shop) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))


def test_two_worktrees_that_change_one_file_are_tried_together(shop: Path) -> None:
    commit(shop, {"cart.py": "def add():\n    pass\n", "long.py": "".join(f"x{n} = 1\n" for n in range(30))}, "No use")
    git(shop.parent / "feat", "merge", "--quiet", "main")
    long = (shop / "long.py").read_text()
    commit(shop.parent / "feat", {"long.py": "y = 1\n" + long}, "Lengthen")
    commit(add_worktree(shop, "other"), {"long.py": long + "total()\n"}, "Use total")
    with trying_merges(shop) as at:
        at.until(("other", "long.py", 31), ("feat", "long.py", 31))


def test_the_same_tree_is_never_tried_twice_also_after_a_restart(shop: Path) -> None:
    for _ in range(2):
        with trying_merges(shop) as at:
            at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
        assert runs(shop) == 3, "the merge, and each alone"


def test_where_a_merge_is_fine_the_sides_are_not_tried(shop: Path) -> None:
    commit(shop, {"cart.py": "def add():\n    pass\n"}, "No use of it")
    commit(shop, {"other.py": "x = 1\n"}, "Else")
    with trying_merges(shop) as at:
        at.until_tried(1)
        assert (at.told(), runs(shop)) == ({}, 1)


@pytest.mark.parametrize("where", ["local", "global", "included"])
def test_nothing_runs_of_a_repository_that_is_not_trusted_or_from_a_file_that_a_pull_writes(
    shop: Path, home: Path, where: str
) -> None:
    line = git(shop, "config", "sidecar.check")
    git(shop, "config", "--unset", "sidecar.check")
    if where == "included":
        write(shop, {"tool.config": f'[sidecar]\n\tcheck = "{line}"\n\tprepare = "{line}"\n'})
        git(shop, "config", "include.path", str(shop / "tool.config"))
    else:
        file = home / ".gitconfig" if where == "global" else shop / ".git/config"
        git(shop, "config", "-f", str(file), "sidecar.check", line)
    with trying_merges(shop, trusted=where == "included") as at:
        eventually(lambda: at.session.picture is not None and at.trying.is_done)
        write(shop.parent / "feat", {"new.py": "x = 1\n"})
        eventually(lambda: any("new.py" in state.changes.touched for state in at.session.picture.worktrees))  # type: ignore[union-attr]
        eventually(lambda: at.trying.is_done)
        assert (at.told(), at.trying.said) == ({}, {})
    assert runs(shop) == 0
    assert not landing_repository_path(str(shop / ".git"), CHECK).exists()


def test_the_editors_setting_says_it_too(shop: Path) -> None:
    line = git(shop, "config", "sidecar.check")
    git(shop, "config", "--unset", "sidecar.check")
    with trying_merges(shop, check=line) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no-such-program", "It could not be run (status 127)"),
        ("sleep 600", "It took longer than 1 seconds and was ended."),
    ],
)
def test_what_can_not_be_run_is_not_known_and_never_fine(shop: Path, sidecar: Sidecar, line: str, why: str) -> None:
    git(shop, "config", "sidecar.check", line)
    git(shop, "config", "sidecar.verifyTimeout", "1")
    with trying_merges(shop) as at:
        at.until_tried(1)
        assert [said.state for said in at.trying.said.values()] == ["unknown"]
        assert at.told() == {}
    text = sidecar(shop, "plan").out
    assert "Needs: Whether it passes sidecar.check together with main is not known." in text
    assert why in text
    assert why in sidecar(shop, "doctor").out


def test_a_plan_says_what_is_known(shop: Path, sidecar: Sidecar) -> None:
    assert "was not tried yet" in sidecar(shop, "plan").out
    with trying_merges(shop) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
    said = json.loads(sidecar(shop, "plan", "--json").out)["order"][0]
    assert [(one["code"], one["severity"], one["paths"]) for one in said["needs"]] == [
        ("fails-together", "info", ["cart.py"])
    ]
    assert said["ready"], "it is a person who decides"
    assert "cart.py:5: total is not defined" in said["needs"][0]["message"]
    order = plan_order(shop, Options())
    assert not isinstance(order, Exception)


def test_a_plan_says_it_also_where_trunk_is_merged_in_and_not_mended(shop: Path, sidecar: Sidecar) -> None:
    with trying_merges(shop) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
        feat = shop.parent / "feat"
        git(feat, "merge", "--quiet", "main")

        def needs() -> list[str]:
            (turn,) = json.loads(sidecar(shop, "plan", "--json").out)["order"]
            assert turn["ready"], "it is a person who decides"
            return [one["message"] for one in turn["needs"]]

        said = "Together with main it fails sidecar.check, and neither does alone: cart.py:5: total is not defined"
        assert needs() == [said]
        commit(feat, {"cart.py": "def add():\n    pass\n\n\ntotal_price()\n"}, "Mend it")
        assert needs() == []


def waiting(shop: Path) -> Path:
    """Have the command begin and never end, until the file that is given is there."""
    line, go = git(shop, "config", "sidecar.check"), shop.parent / "go"
    git(shop, "config", "sidecar.check", f"test -e {go} || {{ touch {shop.parent}/began; sleep 600; }}; {line}")
    return go


def began(shop: Path) -> bool:
    return (shop.parent / "began").exists()


def test_a_save_ends_it_and_the_new_text_is_tried(shop: Path) -> None:
    go = waiting(shop)
    with trying_merges(shop) as at:
        eventually(lambda: began(shop))
        go.touch()
        write(shop.parent / "feat", {"new.py": "x = 1\n"})
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
        assert runs(shop) == 3, "what was cancelled said nothing"


def test_a_merge_does_not_wait_for_it(shop: Path) -> None:
    waiting(shop)
    commit(add_worktree(shop, "more"), {"more.py": "x = 1\n"}, "More")
    with trying_merges(shop):
        eventually(lambda: began(shop))
        assert merged(shop, "more", MergeChoices(verify="true")).outcome == "merged"


KILLED = """import sys
from pathlib import Path
from sidecar.operations.merge_check import trying
from tests.operations.trying import trying_merges
with trying_merges(Path(sys.argv[1])) as at:
    sys.stdin.read()
"""


@pytest.mark.parametrize("amid", ["the command", "prepare"])
def test_killed_amid_it_nothing_is_lost_and_the_next_one_tries_again(shop: Path, amid: str) -> None:
    feat = shop.parent / "feat"
    if amid == "prepare":
        git(shop, "config", "sidecar.prepare", f"touch {shop.parent}/began; test -e {shop.parent}/go || sleep 600")
        go = shop.parent / "go"
    else:
        go = waiting(shop)
    before = seen(shop, feat)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(shop)], stdin=subprocess.PIPE, start_new_session=True)
    eventually(lambda: began(shop))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert seen(shop, feat) == before
    assert remembered(str(shop / ".git")) == {}
    go.touch()
    with trying_merges(shop) as at:
        at.until(("shop", "cart.py", 5), ("feat", "cart.py", 2))
    assert seen(shop, feat) == before
    top = landing_repository_path(str(shop / ".git"), CHECK)
    assert not os.path.lexists(top / ".git")
    assert not subprocess.run(["pgrep", "-f", f"touch {shop.parent}/began"], capture_output=True, check=False).stdout
