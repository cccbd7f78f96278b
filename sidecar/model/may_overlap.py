"""Tell which change sets can meet at all: a cheap, sound filter in front of git's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sidecar.model.changes import Change, Entry, ancestors
from sidecar.model.numbered import Number, numbers_added

Touched = Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What of a change set can meet another one.

    `directories` are all above a path that it has now; `emptied` those from which it took a path away, with all
    above; `plain` are the paths whose only change is in a regular file's text, or a regular file that is new, `edited`
    those of them that were there before;
    `attributes` what it has now of the attributes files (gitattributes(5)) that it changed; `numbers` those that new
    files have in their directories.
    """

    paths: frozenset[str]
    plain: frozenset[str]
    edited: frozenset[str]
    directories: frozenset[str] = field(repr=False)
    emptied: frozenset[str] = field(repr=False)
    filled: frozenset[str] = field(repr=False)
    attributes: frozenset[tuple[str, Entry | None]] = field(default=frozenset(), repr=False)
    numbers: frozenset[Number] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Interplay:
    """How two change sets meet: path by path (`paths`), or in the shape of their trees (`structural`)."""

    structural: bool
    paths: frozenset[str]

    def __bool__(self) -> bool:
        """Tell whether they meet at all."""
        return self.structural or bool(self.paths)


def footprint(touched: Touched) -> Footprint:
    """Give the footprint of a change set, given path by path."""
    present = [path for path, change in touched.items() if change.after is not None]
    added = [path for path, change in touched.items() if change.before is None]
    removed = [path for path, change in touched.items() if change.after is None]
    return Footprint(
        paths=frozenset(touched),
        plain=frozenset(path for path, change in touched.items() if _is_plain(change)),
        edited=frozenset(path for path, change in touched.items() if stays_plain(change)),
        directories=frozenset(above for path in present for above in ancestors(path)),
        emptied=frozenset(above for path in removed for above in ancestors(path)),
        filled=frozenset(above for path in added for above in ancestors(path)),
        attributes=frozenset(
            (path, change.after) for path, change in touched.items() if path.endswith(".gitattributes")
        ),
        numbers=numbers_added(added),
    )


@lru_cache(maxsize=256)
def interplay(one: Footprint, two: Footprint) -> Interplay:
    """Tell how two change sets can meet. Sound: where this says no, git's merge of the two has no path in common.

    Trees' shapes matter where a path of one is gone, moved or of another kind; where a file of one stands where the
    other has a directory; and where one adds below a directory that the other took paths from (a directory rename).
    """
    common = one.paths & two.paths
    structural = bool(
        (common - (one.plain & two.plain))
        or (one.paths & two.directories)
        or (two.paths & one.directories)
        or (one.filled & two.emptied)
        or (two.filled & one.emptied)
    )
    return Interplay(structural, common)


def separable(one: Footprint, two: Footprint) -> frozenset[str]:
    """Give the paths whose merge has nothing to do with the shape of the trees: a file that stays one on both sides.

    It is neither source nor target of a rename, so it can be merged by itself, and left out of the trees.
    """
    return (one.edited - (two.paths - two.edited)) | (two.edited - (one.paths - one.edited))


def _is_plain(change: Change) -> bool:
    if change.after is None or not change.after.is_file:
        return False
    if change.before is None:
        return True
    return change.before.is_file and change.before.mode == change.after.mode


def stays_plain(change: Change) -> bool:
    """Tell whether a change is in the text of a regular file that was there before and is still of the same mode."""
    return change.before is not None and _is_plain(change)
