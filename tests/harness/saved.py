"""A directory as it was saved, put back in place: directories that are still there stay the same ones (their inode)."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Saved:
    """A copy of a directory with all below it."""

    folder: Path
    copy: Path

    def put_back(self) -> None:
        """Make the directory as it was when it was saved."""
        _put_back(self.copy, self.folder)


def save(folder: Path, copy: Path) -> Saved:
    """Copy a directory to a place that is not there yet."""
    shutil.copytree(folder, copy, symlinks=True)
    return Saved(folder, copy)


def _put_back(source: Path, target: Path) -> None:
    wanted = {entry.name: entry for entry in os.scandir(source)}
    for entry in list(os.scandir(target)):
        same = entry.name in wanted and entry.is_dir(follow_symlinks=False)
        if same and wanted[entry.name].is_dir(follow_symlinks=False):
            continue
        shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
    for name, entry in wanted.items():
        if entry.is_dir(follow_symlinks=False):
            (target / name).mkdir(exist_ok=True)
            _put_back(source / name, target / name)
        else:
            shutil.copy2(entry, target / name, follow_symlinks=False)
    shutil.copystat(source, target)
