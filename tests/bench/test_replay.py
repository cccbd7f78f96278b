"""A small history is replayed, as it is and in own work; disagreements would be its exit status."""

import subprocess
import sys
from pathlib import Path

from tests.harness import commit, git, init, state_of, tick

ROOT = Path(__file__).parents[2]


def test_a_history_is_replayed_both_ways(tmp_path: Path) -> None:
    """Two branches and trunk change one line each; the second to be merged has been resolved by hand."""
    repo = init(tmp_path / "history")
    lines = [f"{number}\n" for number in range(30)]
    commit(repo, {"a.txt": "".join(lines)})
    for name, at in (("one", 5), ("two", 20)):
        git(repo, "switch", "--quiet", "--create", name, "main")
        commit(repo, {"a.txt": "".join([*lines[:at], f"{name}\n", *lines[at + 1 :]])})
    git(repo, "switch", "--quiet", "main")
    for name, strategy in (("one", "ort"), ("two", "ours")):
        commit(repo, {"a.txt": "".join([*lines[:20], "trunk\n", *lines[21:]])} if name == "one" else {"b.txt": "b\n"})
        git(repo, "merge", "--quiet", "--no-edit", "--no-ff", "--strategy", strategy, name, env=tick(repo))
    before = state_of(repo)
    command = [sys.executable, "-m", "bench.replay", str(repo), "--most", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("2 merges, 1 conflicting, 1 conflicted files: 0 disagreements in verdict")
    assert "own work: " in done.stdout and "with a branch that stops at trunk): 0 disagreements" in done.stdout
    assert state_of(repo) == before


def test_what_takes_trunk_back_is_listed(tmp_path: Path) -> None:
    repo = init(tmp_path / "history")
    old = "".join(f"price_{number} = {number}\n" for number in range(9))
    commit(repo, {"prices.py": old})
    commit(repo, {"prices.py": old.replace("= 4", "= 44")}, "Raise a price")
    git(repo, "switch", "--quiet", "--create", "stale")
    commit(repo, {"prices.py": old}, "Work")
    git(repo, "switch", "--quiet", "main")
    git(repo, "merge", "--quiet", "--no-edit", "--no-ff", "stale", env=tick(repo))
    command = [sys.executable, "-m", "bench.undoes_trunk", str(repo)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert "Raise a price (exactly)" in done.stdout, done.stdout + done.stderr
    assert ", 1 flagged, " in done.stdout


def test_files_of_one_number_are_listed(tmp_path: Path) -> None:
    repo = init(tmp_path / "history")
    commit(repo, {"migrations/0001_first.py": "1\n"})
    git(repo, "switch", "--quiet", "--create", "other")
    commit(repo, {"migrations/0002_other.py": "other\n"})
    git(repo, "switch", "--quiet", "main")
    commit(repo, {"migrations/0002_main.py": "main\n"})
    git(repo, "merge", "--quiet", "--no-edit", "--no-ff", "other", env=tick(repo))
    command = [sys.executable, "-m", "bench.numbered", str(repo)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert "migrations/0002_main.py migrations/0002_other.py" in done.stdout, done.stdout + done.stderr
    assert "1 merges, 1 with a number in common, 1 flagged" in done.stdout


def test_lists_to_which_both_append_are_listed(tmp_path: Path) -> None:
    repo = init(tmp_path / "history")
    rows = "".join(f"    route('/{name}'),\n" for name in "abcdef")
    commit(repo, {"routes.py": rows})
    git(repo, "switch", "--quiet", "--create", "other")
    commit(repo, {"routes.py": rows + "    route('/other'),\n"})
    git(repo, "switch", "--quiet", "main")
    commit(repo, {"routes.py": rows + "    route('/main'),\n"})
    git(repo, "merge", "--quiet", "--no-edit", "-X", "ours", "--no-ff", "other", env=tick(repo))
    command = [sys.executable, "-m", "bench.appends", str(repo)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert "conflict routes.py not both" in done.stdout, done.stdout + done.stderr
    assert "1 merges, 1 conflicted, 1 conflict not both" in done.stdout
