"""All measurements in small, one after the other; or one of them with its own arguments.

python -m bench                      all, in a few minutes
python -m bench --list               what there is
python -m bench NAME [ARGUMENT...]   one, as python -m bench.NAME does
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import import_module

SIZE = ("--files", "5000", "--worktrees", "10")
SMALL: Mapping[str, Sequence[str]] = {
    "start": (*SIZE, "--starts", "3"),
    "save": (*SIZE, "--saves", "40"),
    "windows": (*SIZE, "--windows", "3", "--saves", "20"),
    "keystroke": (*SIZE, "--bursts", "8"),
    "growth": (*SIZE, "--saves", "20"),
    "memory": (*SIZE, "--saves", "40"),
    "idle": (*SIZE, "--seconds", "20"),
    "watches": (*SIZE, "--ignored", "50000"),
    "merge": ("--files", "5000", "--worktrees", "10", "--merges", "3"),
    "release": ("--files", "5000", "--worktrees", "10", "--releases", "1"),
    "guard": ("--files", "5000", "--worktrees", "10"),
    "breaking": (*SIZE, "--saves", "20"),
    "hook": (*SIZE, "--calls", "10"),
    "builds": (*SIZE, "--saves", "20", "--bursts", "4", "--rounds", "2"),
    "soak": ("--minutes", "0.5"),
    "kills": ("--minutes", "0.5"),
}
"""What each is run with among all."""
OTHERS = ("replay", "map", "view")
"""What needs a repository to be named, or Chromium."""


def main(given: Sequence[str]) -> int:
    if given and given[0] in (*SMALL, *OTHERS):
        return _run(given[0], given[1:])
    if list(given) == ["--list"]:
        for name in (*SMALL, *OTHERS):
            print(f"{name:<10} {_about(name)}")
        return 0
    if given:
        print(__doc__, file=sys.stderr)
        return 2
    return run_all()


def run_all() -> int:
    """Run all of them in small; exit status 1 when one failed."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as keep:
        for name, arguments in SMALL.items():
            begun = time.monotonic()
            print(_about(name), flush=True)
            if _run(name, [*arguments, *(() if name in ("soak", "kills") else ("--keep", keep))]):
                failed.append(name)
            print(f"({time.monotonic() - begun:.0f} s)\n", flush=True)
    print(f"Failed: {', '.join(failed)}" if failed else "All measured. Larger sizes: docs/performance.md says how.")
    return 1 if failed else 0


def _run(name: str, arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], check=False).returncode


def _about(name: str) -> str:
    return (import_module(f"bench.{name}").__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
