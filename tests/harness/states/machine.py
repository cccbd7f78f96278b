"""What this machine lets a test do."""

import functools
import subprocess
import tempfile
from pathlib import Path


@functools.cache
def allows(what: str) -> bool:
    """Whether a state's `needs` can be met: "" always, "mount" where file systems may be mounted."""
    if not what:
        return True
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one"), Path(folder, "two")
        one.mkdir()
        two.mkdir()
        try:
            done = subprocess.run(["mount", "--bind", str(one), str(two)], check=False, capture_output=True)
        except OSError:
            return False
        if done.returncode == 0:
            subprocess.run(["umount", str(two)], check=True)
        return done.returncode == 0
