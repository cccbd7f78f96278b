"""Several who keep states of one worktree at once, and a guard that is killed: nothing is lost, or told twice."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sidecar.git.repository import list_worktrees
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard import rewind as going_back
from sidecar.operations.guard import wiped
from sidecar.operations.guard.histories import MEBIBYTE, Histories, Wish, open_histories
from sidecar.operations.guard.rewind import keep_now, with_present
from sidecar.operations.guard.states import State
from sidecar.operations.restore import restore
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.states import Standing
from tests.harness.whole import as_kept, whole
from tests.operations.guarding import guarding, repository, states
from tests.operations.test_wiped import WIPES, at, wait_until_kept

__all__ = ["at"]


def ask(at: Standing, use: Callable[[Sources, PresentState], State | Failure]) -> State:
    """What comes of the worktree's present state."""
    found = repository(at)
    worktree = next(one for one in list_worktrees(found) if one.key == str(at.worktree))
    state = with_present(found, worktree, Options(), use)
    assert not isinstance(state, Failure), state
    return state


def keep(at: Standing, why: str = "", then: Callable[[], object] = lambda: None) -> State:
    """Keep the present state by a writer of its own, which has read the refs before something else happens."""

    def use(sources: Sources, present: PresentState) -> State:
        histories = open_histories(sources)
        try:
            then()
            return histories.keep(Wish(present, safe=False, work=True, why=why), MEBIBYTE)
        finally:
            histories.close()

    return ask(at, use)


def note(at: Standing, text: str) -> None:
    write(at.worktree, {"turn.txt": f"{text}\n"})


def chain(at: Standing) -> list[str]:
    """What each state has in the file, the oldest first."""
    return [git(at.main, "show", f"{one.commit}:turn.txt") for one in reversed(states(at))]


def test_a_writer_that_lost_a_race_adds_its_state_to_what_the_other_one_kept(at: Standing) -> None:
    note(at, "first")
    keep(at)

    def other() -> None:
        note(at, "third")
        keep(at)

    note(at, "second")
    kept = keep(at, then=other)
    assert chain(at)[0] == "first"
    assert sorted(chain(at)) == ["first", "second", "third"]
    assert states(at)[0].commit == kept.commit


def test_a_state_that_the_other_one_has_just_kept_is_not_kept_twice(at: Standing) -> None:
    note(at, "first")
    keep(at)
    note(at, "second")
    keep(at, then=lambda: keep(at))
    assert chain(at) == ["first", "second"]


def test_a_writer_waits_for_who_has_the_ref_locked(at: Standing) -> None:
    note(at, "first")
    kept = keep(at)
    (ref,) = git(at.main, "for-each-ref", "--format=%(refname)", "--points-at", kept.commit).split()
    lock = at.main / ".git" / f"{ref}.lock"
    lock.touch()
    note(at, "second")
    released = threading.Timer(0.5, lock.unlink)
    released.start()
    keep(at)
    released.join()
    assert chain(at) == ["first", "second"]


def test_a_ref_that_cannot_be_written_is_an_error_after_all(at: Standing) -> None:
    note(at, "first")
    kept = keep(at)
    (ref,) = git(at.main, "for-each-ref", "--format=%(refname)", "--points-at", kept.commit).split()
    (at.main / ".git" / f"{ref}.lock").touch()
    note(at, "second")
    with pytest.raises(AssertionError, match="cannot lock ref"):
        keep(at)
    assert chain(at) == ["first"]


def _keep_some(place: Standing, who: int, gate: object) -> None:
    def use(sources: Sources, present: PresentState) -> State:
        histories = open_histories(sources)
        try:
            gate.wait(DEADLINE)  # type: ignore[attr-defined]
            for _ in range(5):
                state = histories.keep(Wish(present, safe=who == 1, work=who != 2, why=f"by {who}"), MEBIBYTE)
            return state
        finally:
            histories.close()

    ask(place, use)


def test_processes_and_threads_that_keep_at_once_all_have_what_they_kept(at: Standing) -> None:
    note(at, "first")
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(3)
    processes = [context.Process(target=_keep_some, args=(at, who, gate)) for who in range(2)]
    for process in processes:
        process.start()
    thread = threading.Thread(target=_keep_some, args=(at, 2, gate))
    thread.start()
    thread.join()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(one.facts.why for one in states(at)) == sorted(f"by {who}" for who in range(3) for _ in range(5))


def test_a_guard_goes_on_after_somebody_else_has_kept_a_state(at: Standing) -> None:
    def has(text: str) -> bool:
        return git(at.main, "show", f"{states(at)[0].commit}:turn.txt", check=False) == text

    with guarding(at) as told:
        wait_until_kept(at)
        for text in ("one", "two", "three"):
            ask(at, keep_now)
            note(at, text)
            eventually(partial(has, text))
        assert told.troubles.empty()


def test_a_restoration_ends_with_its_answer_though_the_guard_keeps_at_that_very_moment(
    at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = as_kept(whole(at.worktree))
    with guarding(at) as told:
        wait_until_kept(at)
        WIPES["reset and clean"][0](at)
        receipt = told.wiped.get(timeout=DEADLINE).receipt

        def late(sources: Sources) -> Histories:
            histories = open_histories(sources)
            keep(at, why="first")  # another writer, after the restoration has read the refs
            return histories

        monkeypatch.setattr(going_back, "open_histories", late)
        back = restore(at.main, receipt, Options())
        assert not isinstance(back, Failure)
        assert (back.outcome, back.findings) == ("restored", ())
        note(at, "later")
        eventually(lambda: git(at.main, "show", f"{states(at)[0].commit}:turn.txt", check=False) == "later")
        assert told.troubles.empty()
        assert told.wiped.empty()
    (at.worktree / "turn.txt").unlink()
    assert as_kept(whole(at.worktree)) == before


def _suspect_and_die(place: Standing) -> None:
    """A guard that is killed when it has noticed a wipe and not told it."""
    wiped.LONGEST = 1000.0
    with guarding(place, settled=1000.0):
        wait_until_kept(place)
        WIPES["reset and clean"][0](place)
        eventually(lambda: list((place.main / ".git/sidecar/guard").glob("*/suspicion.json")))
        os.kill(os.getpid(), signal.SIGKILL)


def killed_while_suspecting(at: Standing) -> Path:
    """The record that a guard left which was killed before it told of a wipe."""
    process = multiprocessing.get_context("spawn").Process(target=_suspect_and_die, args=(at,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (record,) = (at.main / ".git/sidecar/guard").glob("*/suspicion.json")
    return record


def test_a_wipe_that_a_killed_guard_had_not_told_is_told_by_the_next_one_once(at: Standing) -> None:
    before = as_kept(whole(at.worktree))
    record = killed_while_suspecting(at)
    with guarding(at) as told:
        receipt = told.wiped.get(timeout=DEADLINE).receipt
        eventually(lambda: not record.exists())
    with guarding(at) as told:
        wait_until_seen(at)
        assert told.wiped.empty()
    (at.worktree / "seen.txt").unlink()
    back = restore(at.main, receipt, Options())
    assert not isinstance(back, Failure)
    assert as_kept(whole(at.worktree)) == before


def test_one_whose_work_came_back_meanwhile_is_told_by_nobody(at: Standing) -> None:
    work = {path: (at.worktree / path).read_text() for path in ("src/a.txt", "notes.md")}
    record = killed_while_suspecting(at)
    write(at.worktree, work)
    with guarding(at) as told:
        eventually(lambda: not record.exists())
        wait_until_seen(at)
        assert told.wiped.empty()


def test_one_that_was_told_before_the_kill_is_not_told_again(at: Standing) -> None:
    record = killed_while_suspecting(at)
    content = record.read_bytes()
    with guarding(at) as told:
        told.wiped.get(timeout=DEADLINE)
        eventually(lambda: not record.exists())
    record.write_bytes(content)
    with guarding(at) as told:
        eventually(lambda: not record.exists())
        wait_until_seen(at)
        assert told.wiped.empty()


@pytest.mark.parametrize(
    "content", ["", "{}", '{"schema":1,"state":"--all","seen":1.5}', '{"schema":1,"seen":[]}', "["]
)
def test_a_record_that_is_none_of_ours_is_dropped(content: str, at: Standing) -> None:
    record = killed_while_suspecting(at)
    record.write_text(content)
    with guarding(at):
        eventually(lambda: content_of(record) != content)


def content_of(record: Path) -> str | None:
    """What a file says; None where it is gone, which it may be at any moment."""
    try:
        return record.read_text()
    except FileNotFoundError:
        return None


def wait_until_seen(at: Standing) -> None:
    """Wait until the guard has kept something new: it has looked at all that there was before."""
    write(at.worktree, {"seen.txt": f"{time.monotonic()}\n"})
    text = (at.worktree / "seen.txt").read_text().strip()
    eventually(lambda: git(at.main, "show", f"{states(at)[0].commit}:seen.txt", check=False) == text)
