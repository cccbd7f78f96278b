"""`sidecar restore NAME --list` and `--at TIME NAME`, and what was wiped, in a terminal."""

import json
import time
from pathlib import Path

from tests.cli.conftest import Sidecar
from tests.cli.test_watch import shop, watching
from tests.git.leaving import eventually
from tests.harness import git, write

__all__ = ["shop"]


def kept(shop: Path, text: str) -> None:
    """Wait until a state has a file of this text."""
    eventually(lambda: git(shop, "grep", "-l", text, *tips(shop), check=False) if tips(shop) else "")


def tips(shop: Path) -> list[str]:
    return git(shop, "for-each-ref", "--format=%(objectname)", "refs/sidecar/guard").split()


def test_a_worktree_goes_back_to_an_earlier_state(shop: Path, sidecar: Sidecar) -> None:
    mine = shop.parent / "mine"
    write(mine, {"new.txt": "first\n"})
    with watching(shop, "--json"):
        kept(shop, "first")
        between = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 1))
        eventually(lambda: time.time() > time.mktime(time.strptime(between, "%Y-%m-%dT%H:%M:%S")))
        write(mine, {"new.txt": "second\n", "more.txt": "more\n"})
        kept(shop, "second")
    listed = sidecar(shop, "restore", "mine", "--list")
    assert listed.status == 0
    assert "more.txt, new.txt" in listed.out
    rows = json.loads(sidecar(shop, "restore", "mine", "--list", "--json").out)["receipts"]
    assert {one["what"] for one in rows} == {"state"}
    assert sidecar(shop, "restore", "--at", between, "mine").status == 2
    looked = sidecar(shop, "restore", "--at", between, "mine", "--dry-run")
    assert looked.status == 0
    assert "2 files of mine would be as at " in looked.out
    assert "  - more.txt\n  ~ new.txt\n" in looked.out
    done = sidecar(shop, "restore", "--at", between, "mine", "--yes", "--json")
    assert (done.status, json.loads(done.out)["outcome"]) == (0, "restored")
    assert (mine / "new.txt").read_text() == "first\n"
    assert not (mine / "more.txt").exists()
    again = sidecar(shop, "restore", rows[0]["id"], "--yes")
    assert again.status == 0, again.err
    assert (mine / "new.txt").read_text() == "second\n"


def test_times_and_names_that_are_none(shop: Path, sidecar: Sidecar) -> None:
    for words, said in {
        ("restore", "--at", "soon", "mine"): "soon is no time",
        ("restore", "--at", "now", "nobody"): "Nothing is kept of nobody",
        ("restore", "--list"): "goes with the NAME",
        ("restore", "state-000000000000"): "There is no state called",
        ("restore", "mine", "--yes"): "--yes and --dry-run go with",
    }.items():
        ended = sidecar(shop, *words)
        assert ended.status == 1
        assert said in ended.err


def test_what_was_wiped_is_told_and_comes_back(shop: Path, sidecar: Sidecar) -> None:
    mine = shop.parent / "mine"
    write(mine, {"new.txt": "not committed\n"})
    with watching(shop, "--json") as process:
        kept(shop, "not committed")
        git(mine, "clean", "-fdq")
        assert process.stderr is not None
        said = process.stderr.readline()
    assert said.startswith("sidecar: 1 line of uncommitted work in 1 file was wiped in mine (new.txt) at ")
    receipt = said.rstrip("\n").rpartition("sidecar restore ")[2]
    assert receipt in sidecar(shop, "status").err
    ended = sidecar(shop, "restore", receipt)
    assert ended.status == 0, ended.err
    assert (mine / "new.txt").read_text() == "not committed\n"
    assert receipt not in sidecar(shop, "status").err
