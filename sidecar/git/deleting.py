"""Deleting a large folder without anybody waiting for it: a process of the system's own goes on when ours has ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

LONGEST_START = 10.0
"""Seconds that the shell may take to leave the work behind."""

_BEHIND = """(
rm -rf -- "$1" || { find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \\; ; rm -rf -- "$1" ; }
rmdir -- "$2"
) </dev/null >/dev/null 2>&1 &"""
"""Deletes a directory, also one with read-only directories in it, then the one above when that is empty."""


def delete_behind(folder: Path, held: int) -> None:
    """Have a folder deleted, and the one above it if that is empty then; what can't be deleted stays, without a word.

    Returns at once where there is a shell (sh(1p)). The process keeps the descriptor `held` open as long as it runs, so
    a lock on it tells that it does. No link is followed.
    """
    shell = shutil.which("sh", path=os.defpath)
    if shell is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [shell, "-c", _BEHIND, "sh", str(folder), str(folder.parent)],
            cwd="/",
            env={"PATH": os.defpath},
            pass_fds=(held,),
            start_new_session=True,
            check=False,
            timeout=LONGEST_START,
        )
