"""List the modules on the way from the terminal's door to everything that a command writes.

Run it as a program, because an audit hook can't be taken out again: `python writing_modules.py TOP COMMAND...` runs the
sidecar's COMMAND in the current directory and prints a line for each file of `sidecar/` that was on the call stack when
something below TOP was written, or when git was run to write. What only reads (a plan, its proof) is not among them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import sidecar

HOUSE = f"{Path(sidecar.__file__).parent}{os.sep}"
CHANGES = {
    f"os.{name}" for name in ("rename", "remove", "mkdir", "rmdir", "link", "symlink", "truncate", "chmod", "utime")
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
STARTING = ("__main__.py", "cli/app.py")
"""What finds the door of a command; the way begins behind it."""


def modules_on_stack(frame: FrameType | None) -> Iterator[str]:
    """Give the files of `sidecar/` that have a function on this stack, the innermost first."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(HOUSE):
            yield name.removeprefix(HOUSE)
        frame = frame.f_back


def is_write(event: str, args: tuple[object, ...], top: str, stack: list[str]) -> bool:
    """Tell whether an audit event (sys.audit) is a change of something below a directory, or a git that writes."""
    if event == "subprocess.Popen":
        called = args[1] if isinstance(args[1], list | tuple) else ()
        return "git/user_git.py" in stack or "update-ref" in called
    return is_change(event, args, top)


def is_change(event: str, args: tuple[object, ...], top: str) -> bool:
    """Tell whether an audit event (sys.audit) is a change of something below a directory, by Python itself."""
    if event == "open":
        flags = args[2]
        return isinstance(flags, int) and bool(flags & WRITING) and str(args[0]).startswith(top)
    paths = [os.fsdecode(one) for one in args if isinstance(one, str | bytes)]
    return event in CHANGES and any(path.startswith(top) for path in paths)


def main(top: str, *command: str) -> None:
    """Run a command and print the modules on the way to its writes."""
    from sidecar.__main__ import main as run_sidecar

    found: set[str] = set()

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event in CHANGES or event in ("open", "subprocess.Popen"):
            stack = list(modules_on_stack(sys._getframe(1)))
            if is_write(event, args, top, stack):
                found.update(stack)

    sys.addaudithook(hook)
    try:
        sys.argv = ["sidecar", *command]
        run_sidecar()
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        print("\n".join(sorted(found)), flush=True)


def modules_that_write(folder: Path, top: Path, *command: str) -> list[str]:
    """Run `sidecar COMMAND...` in a folder and give the modules on the way to what it writes below a directory."""
    said = subprocess.run(
        [sys.executable, __file__, str(top), *command], cwd=folder, check=True, capture_output=True, text=True
    )
    return [line for line in said.stdout.splitlines() if line.endswith(".py") and line not in STARTING]


if __name__ == "__main__":
    main(*sys.argv[1:])
