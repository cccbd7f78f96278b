"""`sidecar open`, `release` and `restore`, and that every command first cleans up after one that was killed."""

import json
import subprocess
import sys
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
    assert "its work   All its work is in main" in ended.out
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


def test_all_that_is_in_trunk_is_released_and_the_rest_stays(shop: Path, sidecar: Sidecar) -> None:
    one, two, three = (opened(shop, sidecar, name) for name in ("one", "two", "three"))
    for place in (one, two, three):
        commit(place, {f"{place.name}.txt": "work\n"})
    git(shop, "merge", "-q", "--no-ff", "-m", "Take both", "one")
    git(shop, "merge", "-q", "--no-ff", "-m", "Take both", "two")
    assert sidecar(shop, "keep", "two").status == 0
    ended = sidecar(shop, "release", "--all", "--dry-run")
    assert (ended.status, one.exists()) == (0, True)
    assert "release    one" in ended.out and "two stays: " in ended.out and "three" not in ended.out
    assert sidecar(shop, "release", "--all", "--json").status == 2
    ended = sidecar(shop, "release", "--all", "--yes", "--json")
    answer = json.loads(ended.out)
    assert (ended.status, answer["outcome"]) == (0, "released")
    became = [(done["worktree"], done["release"]["outcome"]) for done in answer["releases"]]
    assert became == [("one", "released"), ("two", "refused")]
    assert any(found["severity"] == "blocks" for found in answer["releases"][1]["release"]["findings"])
    assert (one.exists(), two.exists(), three.exists()) == (False, True, True)
    ended = sidecar(shop, "release", "--all", "--yes")
    assert ended.status == 0 and ended.out.endswith("No worktree is ready to be released.\n")
    for wrong in (["release"], ["release", "two", "--all"], ["release", "--all", "--allow", "untracked"]):
        assert sidecar(shop, *wrong, "--yes").status == 1
    assert two.exists()


def test_who_stands_in_a_worktree_is_named_and_can_be_allowed(shop: Path, sidecar: Sidecar) -> None:
    one = opened(shop, sidecar, "one")
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=one, stdin=subprocess.PIPE) as process:
        ended = sidecar(shop, "release", "one", "--yes")
        assert ended.status == 2 and f"({process.pid})" in ended.out + ended.err
        assert "--allow in-use" in ended.out + ended.err
        ended = sidecar(shop, "release", "one", "--yes", "--allow", "in-use")
        assert (ended.status, one.exists()) == (0, False), ended
        assert process.poll() is None
    receipt = ended.out.rsplit(" ", 1)[1].strip()
    assert sidecar(shop, "restore", receipt).status == 0 and one.exists()
