"""`sidecar restore --empty` at a terminal: it names what goes, asks, and takes anything but a clear yes for a no."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar
from tests.cli.terminal import plain, terminal
from tests.harness import git, write

QUESTION = "Let go of this for good"


@pytest.fixture
def kept(repo: Path, home: Path, sidecar: Sidecar) -> tuple[Path, list[str]]:
    """Two released worktrees that keep something, and their receipts."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    receipts = []
    for name, size in (("one", 9000), ("two", 300_000)):
        work = Path(sidecar(repo, "open", name).out.rstrip("\n"))
        write(work, {"new.txt": "x" * size})
        ended = sidecar(repo, "release", name, "--yes", "--json", "--allow", "untracked", "--allow", "not-integrated")
        receipts.append(json.loads(ended.out)["receipt"])
    return repo, receipts


def listed(shop: Path, sidecar: Sidecar) -> list[str]:
    return [one["id"] for one in json.loads(sidecar(shop, "restore", "--json").out)["receipts"]]


def test_it_names_what_goes_with_its_size_and_asks_with_no_as_the_answer(
    kept: tuple[Path, list[str]], sidecar: Sidecar
) -> None:
    shop, receipts = kept
    with terminal(shop, "restore", "--empty") as shown:
        before = shown.read_until(f"{QUESTION} (315 kB)? [y/N]")
        for text in (*receipts, "one", "two", "12 kB", "303 kB"):
            assert text in before
        shown.press("\n")
        assert shown.wait() == 2
    assert listed(shop, sidecar) == receipts[::-1]


@pytest.mark.parametrize("keys", ["n\n", "no\n", "\x04", "nope\nn\n"], ids=["n", "no", "end", "other"])
def test_whatever_is_no_yes_keeps_everything(keys: str, kept: tuple[Path, list[str]], sidecar: Sidecar) -> None:
    shop, receipts = kept
    with terminal(shop, "restore", "--empty") as shown:
        shown.read_until("[y/N]")
        shown.press(keys)
        assert shown.wait() in (2, 130)
    assert listed(shop, sidecar) == receipts[::-1]


def test_ctrl_c_keeps_everything(kept: tuple[Path, list[str]], sidecar: Sidecar) -> None:
    shop, receipts = kept
    with terminal(shop, "restore", "--empty") as shown:
        shown.read_until("[y/N]")
        assert shown.interrupt_the_question() == 130
    assert listed(shop, sidecar) == receipts[::-1]


def test_a_yes_to_one_leaves_the_other(kept: tuple[Path, list[str]], sidecar: Sidecar) -> None:
    shop, receipts = kept
    with terminal(shop, "restore", "--empty", receipts[1]) as shown:
        before = shown.read_until(f"{QUESTION} (303 kB)? [y/N]")
        assert receipts[1] in before.split()
        assert receipts[0] not in before.split()
        shown.press("y\n")
        assert shown.wait() == 0
        assert "Nothing of this is kept any more." in plain(shown.shown)
    assert listed(shop, sidecar) == receipts[:1]
    refs = git(shop, "for-each-ref", "--format=%(refname)", "refs/sidecar/release").split()
    assert refs == [f"refs/sidecar/release/{receipts[0]}"]
    assert [path.name for path in (shop / ".git/sidecar/trash").iterdir()] == receipts[:1]


def test_json_at_a_terminal_asks_too(kept: tuple[Path, list[str]], sidecar: Sidecar) -> None:
    shop, receipts = kept
    with terminal(shop, "restore", "--empty", "--json") as shown:
        assert receipts[0] in shown.read_until("[y/N]")
        shown.press("n\n")
        assert shown.wait() == 2
    assert '{"schema":1,"outcome":"planned"' in plain(shown.shown)
    assert listed(shop, sidecar) == receipts[::-1]
