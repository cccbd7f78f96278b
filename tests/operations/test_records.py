"""The records that operations keep: the state directory, the lock, the journal and the receipts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.operations import journal, receipts
from sidecar.operations.lock import hold
from sidecar.operations.receipts import Receipt
from sidecar.operations.state import open_state
from sidecar.operations.temporary import temporary_path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    opened = open_state(str(tmp_path))
    assert isinstance(opened, Path)
    return opened


def test_the_state_directory_is_the_users_alone(tmp_path: Path) -> None:
    (tmp_path / "sidecar").mkdir(mode=0o755)
    opened = open_state(str(tmp_path))
    assert isinstance(opened, Path)
    assert opened.stat().st_mode & 0o777 == 0o700


def test_a_state_directory_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sidecar").symlink_to(tmp_path / "elsewhere")
    assert isinstance(open_state(str(tmp_path)), Failure)


def test_a_second_operation_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with hold(str(tmp_path), "merging feat-1 into main") as held:
        assert isinstance(held, Path)
        with hold(str(tmp_path), "releasing feat-2") as second:
            assert isinstance(second, Finding)
            assert second.code == "busy"
            assert f"Process {os.getpid()} is merging feat-1 into main since " in second.message
    with hold(str(tmp_path), "releasing feat-2") as third:
        assert isinstance(third, Path)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from sidecar.operations.lock import hold\n"
        "with hold(sys.argv[1], 'dying'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    with hold(str(tmp_path), "going on") as held:
        assert isinstance(held, Path)


def test_a_journal_is_read_back_as_it_was_written(state: Path) -> None:
    begun = journal.begin(state, "merge-20260101-000000", "merge", "work", {"branch": "odd \udcff name"})
    moved = journal.advance(state, begun, "land", after="1" * 40)
    assert journal.pending(state) == moved
    assert moved.facts == {"branch": "odd \udcff name", "after": "1" * 40}
    journal.finish(state)
    assert journal.pending(state) is None


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
def test_a_journal_that_is_not_as_we_write_them_is_not_obeyed(state: Path, record: str) -> None:
    (state / "journal").write_text(record)
    with pytest.raises(ValueError, match="journal"):
        journal.pending(state)
    standing = journal.left_over(state)
    assert standing is not None
    assert (standing.code, standing.severity) == ("bad-journal", "blocks")


def test_what_was_ended_half_way_stands_in_the_way_of_everything_new(state: Path) -> None:
    assert journal.left_over(state) is None
    journal.begin(state, "open-20260101-000000", "open", "add", {})
    standing = journal.left_over(state)
    assert standing is not None
    assert (standing.code, standing.severity) == ("unfinished", "blocks")


def test_a_journal_that_is_a_fifo_does_not_block(state: Path) -> None:
    os.mkfifo(state / "journal")
    with pytest.raises(ValueError, match="journal"):
        journal.pending(state)


def test_receipts_are_listed_newest_first_and_strange_files_passed_over(state: Path) -> None:
    first = Receipt("merge-20260101-000000", "merge", "feat-1", "feat-1", 10.0)
    second = Receipt("release-20260102-000000", "release", "feat-1", None, 20.0, 14_000, {"commit": "2" * 40})
    receipts.write_receipt(state, first)
    receipts.write_receipt(state, second)
    (state / "receipts" / "merge-20260103-000000.json").write_text(json.dumps({"schema": 1, "id": "other"}))
    (state / "receipts" / "notes.json").write_text("{}")
    assert receipts.list_receipts(state) == (second, first)
    receipts.drop_receipt(state, first.id)
    assert receipts.list_receipts(state) == (second,)


def test_an_id_is_not_given_twice(state: Path) -> None:
    taken = receipts.new_id(state, "merge")
    receipts.write_receipt(state, Receipt(taken, "merge", "a", None, 1.0))
    assert receipts.new_id(state, "merge") != taken


def test_a_temporary_worktree_is_known_by_repository_and_id_alone() -> None:
    one = temporary_path("/repository/.git", "merge-20260101-000000")
    assert one == temporary_path("/repository/.git", "merge-20260101-000000")
    assert one != temporary_path("/other/.git", "merge-20260101-000000")
