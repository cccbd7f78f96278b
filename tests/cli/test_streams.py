"""A command whose answer can't be printed, and paths in any locale."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import own_environment
from tests.harness import add_worktree, commit, git, write

SIDECAR = (sys.executable, "-m", "sidecar")
COMMANDS = ("status", "overlaps --json", "check README.md", "plan", "restore", "merge topic --dry-run", "--help")


def shell(folder: Path, line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A command line of sh in which "$@" is the command."""
    return subprocess.run(
        ["sh", "-c", line, "sh", *SIDECAR],
        cwd=folder,
        env=own_environment(**variables),
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_closed_standard_output_is_one_sentence(repo: Path, command: str) -> None:
    commit(add_worktree(repo, "topic"), {"a.txt": "a\n"})
    done = shell(repo, f'"$@" {command} >&-')
    assert (done.returncode, done.stderr.decode().splitlines()) == (
        1,
        ["sidecar: There is no standard output to answer on. Nothing was done."],
    )


def test_nothing_is_merged_where_nobody_could_be_told(repo: Path) -> None:
    commit(add_worktree(repo, "topic"), {"a.txt": "a\n"})
    before = git(repo, "rev-parse", "main")
    assert shell(repo, '"$@" merge topic --yes >&-').returncode == 1
    assert git(repo, "rev-parse", "main") == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this machine has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_standard_output_is_one_sentence(repo: Path, command: str, unbuffered: str) -> None:
    commit(add_worktree(repo, "topic"), {"a.txt": "a\n"})
    done = shell(repo, f'"$@" {command} >/dev/full', PYTHONUNBUFFERED=unbuffered)
    (said,) = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert said.startswith("sidecar: ") and said.endswith("No space left on device.")


def test_every_closed_stream_at_once(repo: Path) -> None:
    assert shell(repo, '"$@" status <&- >&- 2>&-').returncode == 1
    assert shell(repo, '"$@" status <&- 2>&-').returncode == 0


def test_a_reader_that_goes_away_is_no_error(repo: Path) -> None:
    done = shell(repo, '{ "$@" status --json; echo "$?" >&2; } | true')
    assert done.stderr.decode().split() in (["0"], ["141"])


@pytest.mark.parametrize("options", ["", "--json"])
def test_watching_ends_with_its_reader(repo: Path, options: str) -> None:
    """Nothing changes any more: that nobody reads is told all the same."""
    done = shell(repo, f'{{ "$@" watch {options}; echo "$?" >&2; }} | head -n 1')
    assert (len(done.stdout.splitlines()), done.stderr.decode().split()) == (1, ["141"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this machine has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_was_done_is_not_told_to_have_met_a_full_disk(repo: Path, unbuffered: str) -> None:
    done = shell(repo, '"$@" open topic >/dev/full', PYTHONUNBUFFERED=unbuffered)
    told = done.stderr.decode().splitlines()
    assert told[-1] == "sidecar: The answer can't be printed: No space left on device."
    assert told[-2].startswith("Opened topic")


@pytest.fixture(scope="session")
def latin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Latin-1 locale."""
    if shutil.which("localedef") is None or not os.path.exists("/usr/share/i18n/locales/en_US"):
        pytest.skip("localedef and its sources are missing: apt-get install locales")
    place = tmp_path_factory.mktemp("locales")
    target = place / "en_US.ISO-8859-1"
    subprocess.run(["localedef", "-i", "en_US", "-f", "ISO-8859-1", target], check=True, capture_output=True)
    return place


def _meeting(repo: Path, name: str) -> None:
    """Two worktrees of this name and `b`, which conflict in a file of this name."""
    for worktree in (add_worktree(repo, name, branch="a"), add_worktree(repo, "b")):
        write(worktree, {f"{name}.txt": os.fsencode(f"{worktree.name}\n")})


@pytest.mark.parametrize("name", ["wörk", "日本", os.fsdecode(b"w\xf6rk")], ids=["latin", "kanji", "bytes"])
@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "en_US.ISO-8859-1"},
        {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"},
    ],
    ids=lambda locale: " ".join(f"{key}={value}" for key, value in locale.items()),
)
def test_the_answer_is_the_same_in_any_locale(
    repo: Path, request: pytest.FixtureRequest, name: str, locale: dict[str, str]
) -> None:
    if "ISO" in locale["LC_ALL"]:
        locale = {**locale, "LOCPATH": str(request.getfixturevalue("latin"))}
    _meeting(repo, name)
    expected = shell(repo, '"$@" overlaps --json', LC_ALL="C.UTF-8")
    assert expected.returncode == 2
    said = shell(repo, '"$@" overlaps --json', **locale)
    assert (said.returncode, said.stderr, json.loads(said.stdout)) == (2, b"", json.loads(expected.stdout))
    assert shell(repo.parent / name, f'"$@" check {name}.txt --json', **locale).returncode == 2
    status = shell(repo, '"$@" status', **locale)
    assert (status.returncode, status.stderr) == (0, b"") and b"missing" not in status.stdout
