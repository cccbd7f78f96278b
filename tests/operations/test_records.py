"""The records that operations keep: the sidecar directory, the lock, the journal and the receipts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.model.receipts import Receipt
from sidecar.operations import journal
from sidecar.operations import records as receipts
from sidecar.operations.landing_repository.place import landing_repository_path
from sidecar.operations.records import open_sidecar_dir
from sidecar.operations.run import hold, who_holds


@pytest.fixture
def sidecar_dir(tmp_path: Path) -> Path:
    opened = open_sidecar_dir(str(tmp_path))
    assert isinstance(opened, Path)
    return opened


def test_the_state_directory_is_the_users_alone(tmp_path: Path) -> None:
    (tmp_path / "sidecar").mkdir(mode=0o755)
    opened = open_sidecar_dir(str(tmp_path))
    assert isinstance(opened, Path)
    assert opened.stat().st_mode & 0o777 == 0o700


def test_a_state_directory_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sidecar").symlink_to(tmp_path / "elsewhere")
    assert isinstance(open_sidecar_dir(str(tmp_path)), Failure)


def test_a_second_operation_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with hold(str(tmp_path), "merging feat-1 into main") as held:
        assert isinstance(held, Path)
        with hold(str(tmp_path), "releasing feat-2") as second:
            assert isinstance(second, Finding)
            assert second.code == "busy"
            assert f"Process {os.getpid()} is merging feat-1 into main since " in second.message
    with hold(str(tmp_path), "releasing feat-2") as third:
        assert isinstance(third, Path)


def test_a_plan_is_not_refused_because_the_guard_looks_for_a_moment(tmp_path: Path) -> None:
    with hold(str(tmp_path), "looking for worktrees that have vanished", brief=True):
        assert who_holds(str(tmp_path)) is None
    with hold(str(tmp_path), "merging feat-1 into main"):
        found = who_holds(str(tmp_path))
        assert found is not None and found.message.endswith("Wait for it to finish.")  # nobody ends itself


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from sidecar.operations.run import hold\n"
        "with hold(sys.argv[1], 'dying'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    with hold(str(tmp_path), "going on") as held:
        assert isinstance(held, Path)


def test_a_journal_is_read_back_as_it_was_written(sidecar_dir: Path) -> None:
    begun = journal.begin(sidecar_dir, "merge-20260101-000000", "merge", "work", {"branch": "odd \udcff name"})
    moved = journal.advance(sidecar_dir, begun, "land", after="1" * 40)
    assert journal.pending(sidecar_dir) == moved
    assert moved.facts == {"branch": "odd \udcff name", "after": "1" * 40}
    journal.finish(sidecar_dir)
    assert journal.pending(sidecar_dir) is None


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"schema": 2}',
        '{"schema": 1, "id": "merge-20260101-000000", "what": "release", "step": "x", "facts": {}}',
        '{"schema": 1, "id": "merge-../../x", "what": "merge", "step": "x", "facts": {}}',
        '{"schema": 1, "id": "merge-20260101-000000", "what": "merge", "step": "x", "facts": []}',
    ],
)
def test_a_journal_that_is_not_as_we_write_them_is_not_obeyed(sidecar_dir: Path, record: str) -> None:
    (sidecar_dir / "journal").write_text(record)
    with pytest.raises(ValueError, match="journal"):
        journal.pending(sidecar_dir)
    standing = journal.left_over(sidecar_dir)
    assert standing is not None
    assert (standing.code, standing.severity) == ("bad-journal", "blocks")


def test_what_was_ended_half_way_stands_in_the_way_of_everything_new(sidecar_dir: Path) -> None:
    assert journal.left_over(sidecar_dir) is None
    journal.begin(sidecar_dir, "open-20260101-000000", "open", "add", {})
    standing = journal.left_over(sidecar_dir)
    assert standing is not None
    assert (standing.code, standing.severity) == ("unfinished", "blocks")


def test_a_journal_that_is_a_fifo_does_not_block(sidecar_dir: Path) -> None:
    os.mkfifo(sidecar_dir / "journal")
    with pytest.raises(ValueError, match="journal"):
        journal.pending(sidecar_dir)


def test_receipts_are_listed_newest_first_and_strange_files_passed_over(sidecar_dir: Path) -> None:
    first = Receipt("merge-20260101-000000", "merge", "feat-1", "feat-1", 10.0)
    second = Receipt("release-20260102-000000", "release", "feat-1", None, 20.0, 14_000, {"commit": "2" * 40})
    receipts.write_receipt(sidecar_dir, first)
    receipts.write_receipt(sidecar_dir, second)
    (sidecar_dir / "receipts" / "merge-20260103-000000.json").write_text(json.dumps({"schema": 1, "id": "other"}))
    (sidecar_dir / "receipts" / "notes.json").write_text("{}")
    assert receipts.list_receipts(sidecar_dir) == (second, first)
    receipts.drop_receipt(sidecar_dir, first.id)
    assert receipts.list_receipts(sidecar_dir) == (second,)


@pytest.mark.parametrize("moment", ["NaN", "Infinity", "-Infinity", "1e300", "-1.0"])
def test_a_receipt_of_no_time_is_passed_over(moment: str, sidecar_dir: Path) -> None:
    receipts.write_receipt(sidecar_dir, Receipt("merge-20260101-000000", "merge", "feat-1", None, 0.125))
    (file,) = (sidecar_dir / "receipts").glob("*.json")
    file.write_text(file.read_text().replace("0.125", moment))
    assert receipts.list_receipts(sidecar_dir) == ()


def test_an_id_is_not_given_twice(sidecar_dir: Path) -> None:
    taken = receipts.new_id(sidecar_dir, "merge")
    receipts.write_receipt(sidecar_dir, Receipt(taken, "merge", "a", None, 1.0))
    assert receipts.new_id(sidecar_dir, "merge") != taken


def test_a_temporary_worktree_is_known_by_repository_and_id_alone() -> None:
    one = landing_repository_path("/repository/.git", "merge-20260101-000000")
    assert one == landing_repository_path("/repository/.git", "merge-20260101-000000")
    assert one != landing_repository_path("/other/.git", "merge-20260101-000000")
