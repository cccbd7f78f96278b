"""What has changed between two Pictures, applied to the one, gives the other."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.changes import COMMITTED, UNSTAGED, Change, ChangeSet, Entry
from sidecar.model.decode import decode
from sidecar.model.encode import encode
from sidecar.model.inventory import Bytes
from sidecar.model.overlaps import WHOLE_FILE, Overlap, Side, Unknown, Unread, region
from sidecar.model.picture import Picture, Trunk, Worktree, WorktreeState
from sidecar.model.picture_change import NOTHING, PictureChange, apply_change, change_of

NAMES = ("a", "b/c", "d\udce9", "e", "f")


def entry(number: int) -> Entry:
    return Entry(0o100644, f"{number:040x}")


def change(path: str, number: int) -> Change:
    old = "old" if number % 5 == 4 else None
    return Change(path, entry(1), entry(number) if number % 3 else None, (COMMITTED, UNSTAGED)[: 1 + number % 2], old)


changes = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9)).map(
    lambda chosen: {path: change(path, number) for path, number in chosen.items()}
)


@st.composite
def states(draw: st.DrawFn, name: str) -> WorktreeState:
    touched = draw(changes)
    kept = draw(st.lists(st.sampled_from(sorted(touched) or ["a"]), unique=True))
    folded = {path: touched[path] for path in kept if path in touched}
    whole = ChangeSet("b" * 40, "c" * 40, touched, folded) if draw(st.booleans()) else None
    size = draw(st.none() | st.integers(0, 3).map(lambda number: Bytes(number, number)))
    worktree = Worktree(f"/{name}", name, f"/.git/{name}", False, name, "d" * 40)
    return WorktreeState(worktree, "e" * 40, whole, draw(st.integers(0, 2)), bytes=size, files={"a": Unread("large")})


def overlap(path: str, one: str, other: str, line: int) -> Overlap:
    sides = tuple(
        Side(f"/{name}", name, name, path, (region(line, 2), WHOLE_FILE), (), (COMMITTED,), entry(1), entry(line))
        for name in (one, other)
    )
    return Overlap(path, "conflict", "content", (sides[0], sides[1]))


overlaps = st.lists(
    st.builds(overlap, st.sampled_from(NAMES), st.sampled_from("xy"), st.sampled_from("yz"), st.integers(1, 4))
)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    names = draw(st.lists(st.sampled_from("xyz"), unique=True))
    worktrees = tuple(draw(states(name)) for name in names)
    unknown = (Unknown((("/x", "x"),), None, "why"),) * draw(st.integers(0, 1))
    trunk = draw(st.none() | st.just(Trunk("main", "refs/heads/main", "f" * 40)))
    return Picture(draw(st.integers(1, 9)), "/.git", trunk, worktrees, tuple(draw(overlaps)), {}, None, unknown)


def sent(before: Picture, after: Picture) -> PictureChange:
    received = decode(PictureChange, json.loads(encode(change_of(before, after))))
    assert isinstance(received, PictureChange), received
    return received


def in_full(picture: Picture) -> list[object]:
    """All of a Picture, with what its equality leaves out, and in its order."""
    sets = [state.changes for state in picture.worktrees if state.changes is not None]
    orders = [(list(one.touched), list(one.changes)) for one in sets]
    return [picture, [(state.bytes, state.undone) for state in picture.worktrees], orders]


def reordered(picture: Picture) -> Picture:
    """The same Picture, whose change sets have their paths in another order: it is equal."""

    def backwards(state: WorktreeState) -> WorktreeState:
        if state.changes is None:
            return state
        touched, folded = (dict(reversed(list(one.items()))) for one in (state.changes.touched, state.changes.changes))
        return replace(state, changes=replace(state.changes, touched=touched, changes=folded))

    return replace(picture, worktrees=tuple(map(backwards, picture.worktrees)))


@given(st.lists(st.tuples(pictures(), st.booleans()), min_size=1, max_size=3))
def test_a_door_that_gets_change_after_change_has_each_picture_in_full(told: list[tuple[Picture, bool]]) -> None:
    """Also where one is followed by itself in another order, which makes it no other Picture."""
    before, door = NOTHING, NOTHING
    for picture, twice in told:
        for after in (picture, reordered(picture))[: 1 + twice]:
            door = apply_change(door, sent(before, after))
            assert in_full(door) == in_full(after)
            before = after


@given(pictures(), pictures())
def test_a_change_makes_one_picture_of_the_other(one: Picture, two: Picture) -> None:
    first = apply_change(NOTHING, sent(NOTHING, one))
    assert in_full(first) == in_full(one)
    assert in_full(apply_change(first, sent(one, two))) == in_full(two)


@given(pictures())
def test_what_is_the_same_is_the_very_same(picture: Picture) -> None:
    again = apply_change(picture, change_of(picture, replace(picture, number=99)))
    assert all(now is then for now, then in zip(again.worktrees, picture.worktrees, strict=True))
    assert all(now is then for now, then in zip(again.overlaps, picture.overlaps, strict=True))


def test_a_save_among_thousands_of_overlaps_is_a_small_message() -> None:
    many = tuple(overlap(f"file-{number}", "x", "y", 1) for number in range(5000))
    before = Picture(1, "/.git", None, overlaps=many)
    after = replace(before, number=2, overlaps=(*many[:99], overlap("file-99", "x", "y", 2), *many[100:]))
    assert len(encode(change_of(before, after))) < 2000
