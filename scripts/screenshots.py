"""`python -m scripts.screenshots`: runs the editor's tests and renews the screenshots in the documents."""

import shutil
import subprocess
import sys

from scripts.stamp import BUILD
from scripts.steps import ROOT, exit_with

TAKEN = BUILD / "screenshots"
SHOWN = ROOT / "docs" / "images"
_NAMES = (
    *("conflict", "lines", "compare", "take", "hover", "overlaps", "unsaved", "map"),
    *("merge-fixes", "merge-conflict", "merge-picker", "merge-question", "merge-done", "merge-all"),
    *("regenerate", "links-elsewhere", "broken-use"),
    *("move-question", "release-picker", "release-findings", "release-done"),
    *("wiped", "state-diff"),
    *("worktrees", "worktrees-merge-editor", "worktrees-merged", "worktrees-restorable"),
)


def main() -> int:
    """Exit status of the tests; nothing is replaced when one fails."""
    status = subprocess.run([sys.executable, "-m", "pytest", "tests/editor"], cwd=ROOT).returncode
    if status != 0:
        return status
    SHOWN.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        shutil.copyfile(TAKEN / f"{name}.png", SHOWN / f"{name}.png")
        print(f"docs/images/{name}.png")
    return 0


if __name__ == "__main__":
    exit_with(main)
