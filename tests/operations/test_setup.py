"""`sidecar.setup`: where it runs and what it finds, how it ended, and the ports that nobody else has."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.model.settings import Options
from sidecar.operations import setup
from sidecar.operations.move import apply_move, plan_move
from sidecar.operations.open import apply_open, plan_open, set_up_again
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.run import Control, hold
from tests.git.leaving import eventually
from tests.harness import commit, git, init, write
from tests.harness.ending import run_and_end
from tests.operations.test_opening import open_and_be_killed

HOUSE = Path(__file__).parent.parent.parent


@pytest.fixture
def shop(repo: Path) -> Path:
    commit(repo, {".gitignore": ".env\nout.txt\n"})
    write(repo, {".worktreeinclude": ".env\n", ".env": "SECRET=1\n"})
    git(repo, "config", "sidecar.setup", "env > out.txt; cat .env; pwd")
    return repo


def opened(folder: Path, name: str = "one", control: Control | None = None) -> tuple[Path, Finding]:
    """The worktree, and what is said of its setup."""
    plan = plan_open(folder, name, None, Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_open(plan, control or Control())
    assert result.outcome == "opened" and result.path is not None, result
    (said,) = [one for one in result.findings if one.code in ("set-up", "setup-failed")]
    return Path(result.path), said


def environment_in(where: Path) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in (where / "out.txt").read_text().splitlines())


def kept(where: Path) -> dict[str, str]:
    text = (Path(git(where, "rev-parse", "--absolute-git-dir")) / "sidecar/env").read_text()
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_it_runs_in_the_worktree_with_what_is_its_own(shop: Path) -> None:
    heard: list[str] = []
    where, said = opened(shop, control=Control(stage=heard.append, output=heard.append))
    found, ours = environment_in(where), kept(where)
    first = int(ours["SIDECAR_PORT"])
    assert ours == {
        "COMPOSE_PROJECT_NAME": f"repo-one-{first}",
        "SIDECAR_PORT": str(first),
        "SIDECAR_LAST_PORT": str(first + 9),
    }
    assert ours.items() <= found.items()
    assert (found["SIDECAR_WORKTREE"], found["SIDECAR_CHECKOUT"]) == (str(where), str(shop))
    assert found["SIDECAR_BRANCH"] == "one" and "GIT_DIR" not in found
    assert heard[-3:] == ["Running setup: env > out.txt; cat .env; pwd", "SECRET=1", str(where)]
    assert said.code == "set-up" and f"Its ports {first} to {first + 9} are in " in said.message
    assert git(where, "status", "--porcelain") == ""


def test_without_a_command_there_is_nothing(repo: Path) -> None:
    plan = plan_open(repo, "one", None, Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_open(plan)
    assert result.findings == () and not (repo / ".git/worktrees/one/sidecar").exists()


def test_ports_are_nobody_elses_and_free_again_after_a_release(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "LAST_PORT", setup.FIRST_PORT + 3 * setup.PORTS - 1)
    blocks = {setup.FIRST_PORT + number * setup.PORTS for number in range(3)}
    taken = {int(kept(opened(shop, name)[0])["SIDECAR_PORT"]) for name in ("one", "two")}
    (last,) = blocks - taken
    with socket.socket() as other:
        other.bind(("127.0.0.1", last + 3))
        said = opened(shop, "three")[1]
        assert said.message == "Setup did not run, since its ports can't be kept: no ten ports in a row are free."
    assert int(kept(opened(shop, "four")[0])["SIDECAR_PORT"]) == last
    mine = int(kept(shop.parent / "repo.worktrees/one")["SIDECAR_PORT"])
    plan = plan_release(shop, "one", Options(trusted=True))
    assert not isinstance(plan, Failure) and not plan.blocked
    assert "administrative-files" not in [one.code for one in plan.findings]
    assert apply_release(plan).outcome == "released"
    assert int(kept(opened(shop, "five")[0])["SIDECAR_PORT"]) == mine


def test_how_it_failed_is_said_and_kept_and_it_can_run_again(shop: Path) -> None:
    git(shop, "config", "sidecar.setup", "echo no network; exit 3")
    where, said = opened(shop)
    expected = "Setup failed (status 3): echo no network; exit 3. To run it again: sidecar open one --setup"
    assert said.message == f"{expected} Its last lines:\nno network"
    ports = kept(where)
    git_dir = git(where, "rev-parse", "--absolute-git-dir")
    assert "failed (status 3)" in str(setup.setup_sentence(git_dir, "one"))
    shown = subprocess.run([*SIDECAR, "status"], cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "sidecar: The setup of one failed (status 3): echo no network; exit 3. To run it again:" in shown.stderr
    again = [*SIDECAR, "open", "one", "--setup"]
    failed = subprocess.run(again, cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, f"{where}\n")
    git(shop, "config", "sidecar.setup", "echo ready")
    done = subprocess.run(again, cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "Ran the setup of one." in done.stderr and kept(where) == ports
    assert setup.setup_sentence(git_dir, "one") is None


def test_it_does_not_run_twice_at_once(shop: Path) -> None:
    git(shop, "config", "sidecar.setup", "true")
    where, _ = opened(shop)
    go_on = where.parent / "go-on"
    os.mkfifo(go_on)
    git(shop, "config", "sidecar.setup", "read line < ../go-on")
    again = [*SIDECAR, "open", "one", "--setup"]
    with subprocess.Popen(again, cwd=shop, env=ENVIRONMENT, stderr=subprocess.PIPE) as first:
        eventually(lambda: setup.running_setup(str(where)))
        second = set_up_again(shop, "one", Options(trusted=True), Control())
        assert not isinstance(second, Failure)
        assert (second.outcome, [one.code for one in second.findings]) == ("refused", ["setup-running"])
        go_on.write_text("now\n")
        first.communicate()
    assert first.returncode == 0 and setup.running_setup(str(where)) is None


SIDECAR = [sys.executable, "-m", "sidecar"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HOUSE)}


def test_its_time_and_a_person_can_stop_it(shop: Path) -> None:
    git(shop, "config", "sidecar.setup", "sleep 600")
    git(shop, "config", "sidecar.verifyTimeout", "1")
    assert "Setup took longer than 1 seconds: sleep 600." in opened(shop, "one")[1].message
    git(shop, "config", "sidecar.verifyTimeout", "0")
    assert "Setup was stopped: sleep 600." in opened(shop, "two", Control(cancelled=lambda: True))[1].message


def test_nobody_waits_for_it(shop: Path) -> None:
    free: list[bool] = []

    def look(sentence: str) -> None:
        if sentence.startswith("Running setup"):
            with hold(str(shop / ".git"), "looking") as held:
                free.append(not isinstance(held, Finding))

    opened(shop, control=Control(stage=look))
    assert free == [True]


def test_moved_edits_are_set_up_too(shop: Path) -> None:
    plan = plan_move(shop, "one", Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_move(plan)
    assert "set-up" in [one.code for one in result.findings]
    assert environment_in(Path(str(result.path)))["SIDECAR_BRANCH"] == "one"


def test_killed_before_it_ran_that_is_said(shop: Path, tmp_path: Path) -> None:
    open_and_be_killed(shop, tmp_path, 'GIT "$@"; kill -9 $PPID; exit 1')
    findings = recover_all(shop)
    where = tmp_path / "repo.worktrees/one"
    assert findings[-1].message.startswith("Its setup has not run: env > out.txt; cat .env; pwd. To run it again:")
    assert not (where / "out.txt").exists() and kept(where)


def test_killed_while_it_ran_that_is_said(shop: Path) -> None:
    git(shop, "config", "sidecar.setup", "kill -9 $PPID")
    done = subprocess.run([*SIDECAR, "open", "one"], cwd=shop, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert recover_all(shop) == ()
    said = setup.setup_sentence(str(shop / ".git/worktrees/one"), "one")
    assert said is not None and re.match("The setup of one was ended half-way, or never began: kill -9", said)


def test_a_submodule_is_filled_from_trunks_checkout_without_a_download(shop: Path, tmp_path: Path) -> None:
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "lib\n"})
    git(shop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    commit(shop)
    fill = (
        'git -c protocol.file.allow=always submodule update --init --reference "$SIDECAR_CHECKOUT/lib" --dissociate lib'
    )
    git(shop, "config", "sidecar.setup", fill)
    where, said = opened(shop)
    assert said.code == "set-up" and (where / "lib/lib.txt").exists()
    assert git(where, "status", "--porcelain") == ""
    alternates = git(where / "lib", "rev-parse", "--git-path", "objects/info/alternates")
    assert not (where / "lib" / alternates).exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_npm_installs_what_the_lock_file_says(shop: Path) -> None:
    write(shop, {"lib/package.json": '{"name": "lib", "version": "1.0.0"}', "lib/index.js": "module.exports = 1\n"})
    write(shop, {"package.json": '{"name": "shop", "version": "1.0.0", "dependencies": {"lib": "file:./lib"}}'})
    subprocess.run(["npm", "install", "--offline", "--no-audit"], cwd=shop, check=True, capture_output=True)
    commit(shop, {".gitignore": ".env\nnode_modules\n"})
    git(shop, "config", "sidecar.setup", "npm ci --offline --no-audit")
    where, said = opened(shop)
    assert said.code == "set-up", said
    assert (where / "node_modules/lib").resolve() == where / "lib"
    assert git(where, "status", "--porcelain") == ""


@pytest.mark.parametrize("first", [0, 1, 2])
def test_killed_at_any_step_nothing_half_made_is_left_unsaid(shop: Path, tmp_path: Path, first: int) -> None:
    """Every third step: it is wholly open, or not at all; and what has not been set up says so."""
    ends, point = set(), first
    while run_and_end("open", shop, name := f"task-{point}", point, every=True):
        recover_all(shop)
        assert recover_all(shop) == () and not (shop / ".git/sidecar/journal").exists()
        where, git_dir = tmp_path / "repo.worktrees" / name, str(shop / ".git/worktrees" / name)
        ends.add(where.exists())
        if where.exists():
            assert git(where, "status", "--porcelain", "--branch") == f"## {name}"
            assert (where / ".env").read_text() == "SECRET=1\n" and kept(where)
            assert (where / "out.txt").exists() or setup.setup_sentence(git_dir, name) is not None
            assert list(where.glob(".sidecar-*")) == []
        else:
            assert git(shop, "branch", "--list", name) == ""
        point += 3
    assert ends == {True, False} and point > 15
