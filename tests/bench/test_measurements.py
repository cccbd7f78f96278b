"""Every measurement runs to its end on something tiny, and says what it measured. How fast is no test's business."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TINY = ("--files", "60", "--worktrees", "6")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository is built once for all of them."""
    return tmp_path_factory.mktemp("keep")


def measure(name: str, *arguments: str | Path) -> Any:
    command = [sys.executable, "-m", "bench", name, *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows(report: Any) -> dict[str, float]:
    return {row["what"]: row["value"] for row in report["rows"]}


@pytest.mark.parametrize(
    ("name", "arguments", "row"),
    [
        ("start", ("--starts", "1"), "initialize to first diagnostics, p50"),
        ("save", ("--saves", "2"), "write to diagnostics, p95"),
        ("keystroke", ("--bursts", "1"), "last change to diagnostics, p95"),
        ("growth", ("--saves", "2"), "growth from 5 to 6 worktrees, p95"),
        ("memory", ("--saves", "2"), "after the saves: all, PSS"),
        ("merge", ("--merges", "1"), "of it the landing stage, p50"),
        ("release", ("--releases", "1", "--ignored", "200"), "release, p50"),
        ("breaking", ("--saves", "1", "--rounds", "1"), "write to broken-use, p50"),
        (
            "builds",
            ("--saves", "1", "--bursts", "1", "--rounds", "1"),
            "this build: memory after the work, all processes, p50",
        ),
        ("guard", ("--minutes", "0.05", "--keepings", "1"), "growth of the object store"),
    ],
)
def test_it_measures(name: str, arguments: tuple[str, ...], row: str, keep: Path) -> None:
    report = measure(name, *TINY, *arguments, "--keep", keep)
    assert report["bench"] == name
    assert rows(report)[row] > 0


def test_an_idle_repository_is_left_alone(keep: Path) -> None:
    found = rows(measure("idle", *TINY, "--seconds", "2", "--keep", keep))
    assert (found["processes started"], found["files touched"], found["bytes written by the server"]) == (0, 0, 0)


def test_ignored_directories_are_not_watched(keep: Path) -> None:
    found = rows(measure("watches", *TINY, "--ignored", "200", "--keep", keep))
    assert found["watches in ignored directories"] == 0
    assert found["ignored directories"] > 10
    assert found["watches"] > 60 / 5.5


def test_a_session_is_right_after_turmoil_and_leaves_nothing() -> None:
    found = rows(measure("soak", "--minutes", "0.1", "--worktrees", "4"))
    assert found["deeds"] > 0
    assert found["left behind"] == 0
