"""`sidecar open`, `release` and `restore`, and that every command first cleans up after one that was killed."""

import json
from pathlib import Path

import pytest

from sidecar.operations.journal import begin
from tests.cli.conftest import Sidecar, spawn
from tests.cli.terminal import terminal
from tests.harness import commit, git, write


@pytest.fixture
def shop(repo: Path, home: Path) -> Path:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    return repo


def tip(shop: Path) -> str:
    return git(shop, "rev-parse", "main")[:10]


def opened(shop: Path, sidecar: Sidecar, name: str) -> Path:
    ended = sidecar(shop, "open", name)
    assert ended.status == 0, ended.err
    return Path(ended.out.rstrip("\n"))


def test_open_prints_the_path_and_nothing_else(shop: Path, sidecar: Sidecar) -> None:
    ended = sidecar(shop, "open", "one", "--from", "main")
    assert (ended.status, ended.out) == (0, f"{shop.parent / 'repo.worktrees' / 'one'}\n")
    assert ended.err == f"Opening one ...\nOpened one at main ({tip(shop)}).\n"
    ended = sidecar(shop, "open", "two", "--json")
    path = str(shop.parent / "repo.worktrees" / "two")
    assert json.loads(ended.out) == {"schema": 1, "outcome": "opened", "path": path, "findings": []}


def test_open_refuses_in_one_sentence_each(shop: Path, sidecar: Sidecar) -> None:
    opened(shop, sidecar, "one")
    ended = sidecar(shop, "open", "one")
    assert (ended.status, ended.out) == (2, "")
    assert "There is a branch called one already" in ended.err
    assert ended.err.endswith("Nothing was made.\n")
    said = json.loads(sidecar(shop, "open", "a..b", "--json").out)
    assert (said["outcome"], said["path"], said["findings"][0]["code"]) == ("refused", None, "bad-name")


def test_open_takes_over_what_is_not_committed_on_trunk(shop: Path, sidecar: Sidecar) -> None:
    write(shop, {"new.txt": "new\n"})
    ended = sidecar(shop, "open", "one", "--move")
    where = shop.parent / "repo.worktrees" / "one"
    assert (ended.status, ended.out) == (0, f"{where}\n")
    assert ended.err.splitlines()[1:] == ["Moving 1 file ...", f"Moved 1 file of repo into one ({tip(shop)})."]
    assert (where / "new.txt").read_text() == "new\n" and not (shop / "new.txt").exists()
    ended = sidecar(shop, "open", "two", "--move")
    assert (ended.status, "nothing that is not committed" in ended.err) == (2, True)
    assert sidecar(shop, "open", "two", "--move", "--from", "main").status == 1


def test_the_whole_way_of_a_task(shop: Path, sidecar: Sidecar) -> None:
    work = opened(shop, sidecar, "task")
    commit(work, {"task.txt": "done\n", ".gitignore": "notes.txt\n"})
    write(work, {"notes.txt": "mine\n"})
    assert sidecar(shop, "merge", "task", "--yes").status == 0
    ended = sidecar(shop, "release", "task", "--dry-run")
    assert (ended.status, work.exists()) == (0, True)
    assert "its work   integrated in main, ancestor" in ended.out
    assert json.loads(sidecar(shop, "release", "task", "--dry-run", "--json").out)["outcome"] == "planned"
    ended = sidecar(shop, "release", "task", "--yes")
    assert (ended.status, work.exists(), git(shop, "branch", "--list", "task")) == (0, False, "")
    receipt = ended.out.rstrip("\n").rpartition("sidecar restore ")[2]
    listed = json.loads(sidecar(shop, "restore", "--json").out)["receipts"]
    assert next((one["id"], one["what"], one["worktree"], one["branch"]) for one in listed) == (
        receipt,
        "release",
        "task",
        "task",
    )
    assert receipt in sidecar(shop, "restore").out
    ended = sidecar(shop, "restore", receipt, "--json")
    assert json.loads(ended.out) == {"schema": 1, "outcome": "restored", "path": str(work), "findings": []}
    assert (work / "notes.txt").read_text() == "mine\n"
    ended = sidecar(shop, "restore", receipt)
    assert (ended.status, ended.out) == (2, "")


def test_release_refuses_and_says_what_would_allow_it(shop: Path, sidecar: Sidecar) -> None:
    work = opened(shop, sidecar, "task")
    commit(work, {"task.txt": "done\n"})
    write(work, {"new.txt": "new\n"})
    ended = sidecar(shop, "release", "task", "--yes")
    assert (ended.status, work.exists()) == (2, True)
    flags = ["--allow", "not-integrated", "--allow", "untracked"]
    assert ended.out.splitlines()[-1] == f"To release it all the same, with everything kept: {' '.join(flags)}"
    said = json.loads(sidecar(shop, "release", "task", "--yes", "--json").out)
    assert (said["outcome"], sorted(finding["code"] for finding in said["findings"])) == (
        "refused",
        ["not-integrated", "untracked"],
    )
    ended = sidecar(shop, "release", "task", "--yes", "--json", *flags)
    said = json.loads(ended.out)
    assert (ended.status, said["outcome"], work.exists()) == (0, "released", False)
    assert said["bytes"]["kept"] > 0
    elsewhere = shop.parent / "elsewhere"
    ended = sidecar(shop, "restore", said["receipt"], "--into", elsewhere)
    assert (ended.status, (elsewhere / "new.txt").read_text()) == (0, "new\n")


def test_what_would_not_be_safe_is_not_offered(shop: Path, sidecar: Sidecar) -> None:
    ended = sidecar(shop, "release", "repo", "--yes")
    assert ended.status == 2
    assert "--allow" not in ended.out


def test_a_release_needs_consent(shop: Path, sidecar: Sidecar) -> None:
    work = opened(shop, sidecar, "task")
    assert sidecar(shop, "release", "task").status == 2
    with terminal(shop, "release", "task") as shown:
        shown.read_until("Release task? [y/N]")
        shown.press("n\n")
        assert shown.wait() == 2
    assert work.exists()
    with terminal(shop, "release", "task") as shown:
        shown.read_until("Release task? [y/N]")
        shown.press("y\n")
        assert shown.wait() == 0
    assert not work.exists()


def test_what_is_kept_goes_for_good_only_when_a_person_says_so(shop: Path, sidecar: Sidecar) -> None:
    assert sidecar(shop, "restore", "--empty").out == "Nothing is kept.\n"
    receipts = []
    for name in ("one", "two"):
        write(opened(shop, sidecar, name), {"new.txt": "new\n"})
        ended = sidecar(shop, "release", name, "--yes", "--json", "--allow", "untracked", "--allow", "not-integrated")
        receipts.append(json.loads(ended.out)["receipt"])
    assert sidecar(shop, "restore", "--empty").status == 2
    assert len(json.loads(sidecar(shop, "restore", "--json").out)["receipts"]) == 2
    assert sidecar(shop, "restore", "--empty", receipts[0], "--yes").status == 0
    assert [one["id"] for one in json.loads(sidecar(shop, "restore", "--json").out)["receipts"]] == receipts[1:]
    ended = sidecar(shop, "restore", "--empty", "--yes", "--json")
    assert (ended.status, json.loads(ended.out)["outcome"]) == (0, "emptied")
    assert sidecar(shop, "restore").out == "There is nothing to restore.\n"


@pytest.mark.parametrize(
    "arguments",
    [["--into", "x"], ["--yes"], ["release-20260101-000000", "--empty", "--into", "x"], ["a", "b"]],
    ids=" ".join,
)
def test_wrong_usage(shop: Path, sidecar: Sidecar, arguments: list[str]) -> None:
    ended = sidecar(shop, "restore", *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.endswith("See sidecar restore --help.\n")


def test_unknown_names_and_ids_are_errors(shop: Path, sidecar: Sidecar) -> None:
    for arguments in (
        ["release", "nope", "--yes"],
        ["release", "repo", "--allow", "nope"],
        ["restore", "merge-20260101-000000"],
        ["restore", "../../etc"],
        ["restore", "--empty", "nope"],
        ["merge", "nope", "--yes"],
    ):
        for more in ([], ["--json"]):
            ended = sidecar(shop, *arguments, *more)
            assert (ended.status, ended.out, len(ended.err.splitlines())) == (1, "", 1), arguments


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["overlaps"],
        ["check", "."],
        ["plan"],
        ["open", "new"],
        ["merge", "x"],
        ["release", "x"],
        ["restore"],
    ],
    ids=" ".join,
)
def test_every_command_first_cleans_up_after_a_kill(shop: Path, command: list[str]) -> None:
    sidecar_dir = shop / ".git" / "sidecar"
    sidecar_dir.mkdir(mode=0o700)
    facts = {"path": str(shop.parent / "gone"), "branch": "gone", "commit": git(shop, "rev-parse", "main")}
    begin(sidecar_dir, "open-20260101-000000", "open", "add", facts)
    ended = spawn(shop, *command)
    assert ended.err.splitlines()[0] == "sidecar: The opening of gone was ended half-way; it is undone. Open it again."
    assert not (sidecar_dir / "journal").exists()
