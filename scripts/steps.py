"""Long work shown as named steps with their times."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent


class StepError(Exception):
    """A command of a step failed; the text is its output, ready for a person."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print `what` now, and again with its seconds when the block is done."""
    start = time.monotonic()
    print(f"… {what}", flush=True)
    yield
    print(f"✓ {what} ({time.monotonic() - start:.1f} s)", flush=True)


def run(command: Sequence[str | Path], cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Run a command in silence and return its output; StepError with that output when it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode != 0:
        line = " ".join(str(part) for part in command)
        raise StepError(f"{done.stdout.rstrip()}\nThis failed with status {done.returncode}: {line}")
    return done.stdout


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Exit with what `main` returns; a failed step is told in its own words, without a stack trace."""
    try:
        sys.exit(main())
    except StepError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
