"""Minutes of turmoil under a session that is killed again and again; all of its doors must be right then.

    python -m bench.kills [--minutes N] [--doors N] [--worktrees N] [--seed N] [--json]

The deeds are those of bench.soak; each door types into files of its own. Between two kills there are some seconds. Now
and then all of that pauses: every door's Picture must come to equal one that is computed afresh. At the end there must
be no process, socket, lock or note. Exit status 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import turmoil
from bench.processes import PLACES, RUNTIME, sessions
from bench.report import Row, print_report, share
from bench.soak import AGREE, OPTIONS, Looker, Wrong, difference, own_place, plain
from sidecar.model.findings import Failure
from sidecar.session.attached import AttachedSession, Hears
from sidecar.session.doors import find_session
from sidecar.session.once import look

BETWEEN = 20.0
"""Seconds of turmoil between two pauses."""
QUIET, LONGEST = 0.2, 6.0
"""Seconds between two kills."""
STAYS = {"key", "turn.lock"}
"""What all sessions share."""


@dataclass(frozen=True)
class Doors:
    """Doors that type, each into files of its own."""

    sessions: Sequence[AttachedSession]
    lookers: Sequence[Looker]

    def set_unsaved(self, path: str, text: str | None, version: int) -> None:
        """Type at the door of this file."""
        self.sessions[sum(path.encode()) % len(self.sessions)].set_unsaved(path, text, version)

    def refresh(self) -> None:
        """Have everything looked at again."""
        self.sessions[0].refresh()


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--doors", type=int, default=5, help="how many doors (5)")
    parser.add_argument("--worktrees", type=int, default=12, help="linked worktrees (12)")
    parser.add_argument("--seed", type=int, default=1, help="the same number, the same turmoil")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(given)
    with own_place(None) as (root, _):
        os.environ |= {**PLACES, "SIDECAR_SESSION": "1"}
        try:
            rows = kills(root, chosen.minutes, chosen.doors, chosen.worktrees, chosen.seed)
        except Wrong as wrong:
            print(f"kills --seed {chosen.seed}: {wrong}", file=sys.stderr)
            return 1
    setting = {"minutes": chosen.minutes, "doors": chosen.doors, "worktrees": chosen.worktrees, "seed": chosen.seed}
    print_report("kills", setting, rows, None, as_json=chosen.json)
    return 0


def kills(root: Path, minutes: float, number: int, worktrees: int, seed: int) -> list[Row]:
    """Do it; raises Wrong."""
    chance = random.Random(seed)
    repository = turmoil.found(root, worktrees)
    lookers = [Looker() for _ in range(number)]
    doors = Doors([_opened(repository, looker) for looker in lookers], lookers)
    world = turmoil.World(repository, doors, chance, worktrees)
    end, killed = time.monotonic() + minutes * 60, 0
    waits = _agree(world, doors)
    while time.monotonic() < end:
        pause = min(end, time.monotonic() + BETWEEN)
        next_kill = time.monotonic() + chance.uniform(QUIET, LONGEST)
        while time.monotonic() < pause:
            turmoil.act(world)
            time.sleep(chance.choice([0.0, 0.0, 0.02, 0.1]))
            if time.monotonic() > next_kill:
                next_kill = time.monotonic() + chance.uniform(QUIET, LONGEST)
                for session in sessions():
                    with suppress(psutil.Error):
                        session.kill()
                        killed += 1
        waits += _agree(world, doors)
    for door in doors.sessions:
        door.close()
    _nothing_left()
    return [
        Row("deeds", sum(world.done.values()), "", note=f"{world.refused} were refused"),
        Row("kills", killed, ""),
        Row("Pictures held against a fresh one, all of them right", len(waits), ""),
        Row("seconds until they were, median", share(waits, 50), "s"),
        Row("seconds until they were, most", max(waits), "s"),
        Row("left behind", 0, "", note="no process, socket, lock or note"),
    ]


def _opened(repository: Path, looker: Looker) -> AttachedSession:
    found = find_session(repository, OPTIONS, Hears(looker))
    if isinstance(found, Failure):
        raise Wrong(found.message)
    session, why = found
    if not isinstance(session, AttachedSession):
        raise Wrong(f"There is no session to attach to. {why}")
    return session


def _agree(world: turmoil.World, doors: Doors) -> list[float]:
    """Seconds until each door's Picture is the one computed afresh; raises Wrong where it never is."""
    turmoil.close_documents(world)
    begun, waits = time.monotonic(), []
    fresh = look(world.main, OPTIONS)
    if isinstance(fresh, Failure):
        raise Wrong(fresh.message)
    for session, looker in zip(doors.sessions, doors.lookers, strict=True):

        def agrees(session: AttachedSession = session) -> bool:
            return session.picture is not None and plain(session.picture) == plain(fresh)

        if not looker.until(agrees, AGREE):
            raise Wrong(f"A door's Picture is wrong for {AGREE:.0f} s.\n{difference(session.picture, fresh)}")
        waits.append(time.monotonic() - begun)
    return waits


def _nothing_left() -> None:
    """Wait for the last session to end; raises Wrong where anything is left."""
    end = time.monotonic() + AGREE
    place = RUNTIME / "worktree-sidecar"
    while left := {path.name for path in place.iterdir()} - STAYS:
        if time.monotonic() > end:
            raise Wrong(f"There is still {', '.join(sorted(left))}.")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
