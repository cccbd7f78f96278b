"""Histories at random in which it is known, because of how they were made, whether trunk has the branch's work."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, note
from hypothesis import strategies as st

from tests.harness import Content, Executable, GitFailedError, add_worktree, commit, commit_index, git, init, tick
from tests.model.examples import examples
from tests.session.stories import Story, proof_of

SHARED = tuple(f"d/shared{number}.txt" for number in range(3))
"""What both edit, rename and replace."""

BRANCHS, TRUNKS = ("b1.txt", "b2.txt", "sub/b3.txt"), ("t1.txt", "t2.txt", "sub/t3.txt")
"""What only one of them deletes and makes executable: doing that twice can't be told from doing it once."""

BINARY = "pic.bin"


@dataclass
class Tale:
    """A story with chance in it; no two edits are alike, so that trunk has nothing by chance."""

    story: Story
    chance: random.Random
    number: int = 0
    deeds: list[str] = field(default_factory=list)

    def word(self) -> str:
        self.number += 1
        return f"edit {self.number} {self.chance.random()}\n"

    def files(self, worktree: Path) -> list[str]:
        return [name for name in git(worktree, "ls-files").splitlines() if (worktree / name).is_file()]

    def edit(self, worktree: Path, own: tuple[str, ...], *, taking_out: bool = True) -> None:
        """One change of some kind to the files of a worktree."""
        files = [name for name in self.files(worktree) if name != BINARY]
        text = [name for name in files if (worktree / name).read_bytes().count(b"\n") > 3]
        mine = [name for name in own if name in files]
        kind = self.chance.choice(["line"] * 6 + ["more", "less", "new", "delete", "rename", "mode", "binary"])
        self.deeds.append(f"{worktree.name}: {kind}")
        if kind == "binary":
            (worktree / BINARY).write_bytes(b"\0" + self.word().encode())
        elif kind == "new":
            (worktree / f"new{self.number}.txt").write_text("".join(self.word() for _ in range(5)))
        elif kind == "delete" and mine:
            (worktree / self.chance.choice(mine)).unlink()
        elif kind == "mode" and mine:
            (worktree / self.chance.choice(mine)).chmod(0o755)
        elif kind == "rename" and text:
            git(worktree, "mv", self.chance.choice(text), f"moved{self.number}-{worktree.name}.txt")
            self.number += 1
        elif text:
            self._edit_lines(worktree / self.chance.choice(text), "line" if kind == "less" and not taking_out else kind)

    def _edit_lines(self, path: Path, kind: str) -> None:
        lines = path.read_text().splitlines(keepends=True)
        at = self.chance.randrange(len(lines))
        lines[at : at + (kind != "more")] = [] if kind == "less" else [self.word()]
        path.write_text("".join(lines))

    def on_work(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.edit(self.story.work, BRANCHS)
        commit(self.story.work, message=f"Work {self.word()}")

    def on_trunk(self, *, taking_out: bool = True) -> None:
        for _ in range(self.chance.randint(1, 2)):
            self.edit(self.story.main, TRUNKS, taking_out=taking_out)
        commit(self.story.main, message=f"Trunk {self.word()}")

    def tried(self, worktree: Path, *arguments: str) -> bool:
        """Whether git could do it; if not, nothing has been done."""
        self.deeds.append(f"{worktree.name}: git {' '.join(arguments)}")
        before = git(worktree, "rev-parse", "HEAD")
        try:
            git(worktree, *arguments, env=tick(worktree))
        except GitFailedError:
            self.deeds.append("stopped")
            for name in ("cherry-pick", "merge", "revert", "rebase"):
                git(worktree, name, "--abort", check=False)
            git(worktree, "reset", "--quiet", "--hard", before)
            return False
        return True


def squash(tale: Tale) -> bool:
    done = tale.tried(tale.story.main, "merge", "--squash", "work")
    if done:
        commit_index(tale.story.main, f"Squashed {tale.word()}")
    return done


def squash_and_more(tale: Tale) -> bool:
    """Trunk's own edit of another file comes with it."""
    done = tale.tried(tale.story.main, "merge", "--squash", "work")
    if done:
        commit(tale.story.main, {f"beside{tale.number}.txt": tale.word()}, "Squashed, and more")
    return done


def merge(tale: Tale) -> bool:
    return tale.tried(tale.story.main, "merge", "--no-ff", "--no-edit", "work")


def pick(tale: Tale) -> bool:
    own = git(tale.story.main, "rev-list", "--reverse", "--no-merges", "main..work").split()
    for one in own:
        if not tale.tried(tale.story.main, "cherry-pick", "--allow-empty", "--keep-redundant-commits", one):
            return False
        if tale.chance.random() < 0.3:
            tale.on_trunk()
    return True


def _rebased(tale: Tale) -> bool:
    copy = add_worktree(tale.story.main, "copy", start="work")
    return tale.tried(copy, "rebase", "main")


def rebase(tale: Tale) -> bool:
    return _rebased(tale) and tale.tried(tale.story.main, "merge", "--ff-only", "copy")


def rebase_and_merge(tale: Tale) -> bool:
    return _rebased(tale) and tale.tried(tale.story.main, "merge", "--no-ff", "--no-edit", "copy")


def twice_squashed(tale: Tale) -> bool:
    if not squash(tale):
        return False
    tale.on_work()
    return squash(tale)


def squash_then_merge_trunk(tale: Tale) -> bool:
    return squash(tale) and tale.tried(tale.story.work, "merge", "--no-edit", "main")


def _on_a_side(tale: Tale, *options: str) -> bool:
    """Picked onto another branch, which is merged."""
    main = tale.story.main
    git(main, "switch", "--quiet", "--create", "side")
    picked = pick(tale)
    git(main, "switch", "--quiet", "main")
    if not picked:
        return False
    commit(main, {"of-trunk.txt": tale.word()})
    return tale.tried(main, "merge", "--no-ff", "--no-edit", *options, "side")


def picked_on_a_side(tale: Tale) -> bool:
    return _on_a_side(tale)


def merged_with_ours(tale: Tale) -> bool:
    """Taken in name only."""
    return tale.tried(tale.story.main, "merge", "--no-ff", "--no-edit", "--strategy=ours", "work")


WHOLE: tuple[Callable[[Tale], bool], ...] = (
    *(squash, squash_and_more, merge, pick, rebase, rebase_and_merge, twice_squashed, squash_then_merge_trunk),
    *(picked_on_a_side, merged_with_ours),
)


def nothing(tale: Tale) -> bool:
    return True


def some_picked(tale: Tale) -> bool:
    own = git(tale.story.main, "rev-list", "--reverse", "--no-merges", "main..work").split()
    for one in own[:-1]:
        if tale.chance.random() < 0.6:
            tale.tried(tale.story.main, "cherry-pick", "--allow-empty", "--keep-redundant-commits", one)
    return True


def squash_and_work_on(tale: Tale) -> bool:
    squash(tale)
    tale.on_work()
    return True


def squash_with_a_file_left_out(tale: Tale) -> bool:
    if tale.tried(tale.story.main, "merge", "--squash", "work"):
        changed = git(tale.story.main, "diff", "--cached", "--name-only", "--no-renames", "HEAD").splitlines()
        left_out = tale.chance.choice(changed) if changed else ""
        git(tale.story.main, "restore", "--staged", "--worktree", "--source=HEAD", "--", left_out, check=False)
        (tale.story.main / left_out).unlink() if _is_untracked(tale.story.main, left_out) else None
        commit(tale.story.main, message="Squashed in part")
    return True


def dropped_with_its_side(tale: Tale) -> bool:
    return _on_a_side(tale, "--strategy=ours")


def _is_untracked(worktree: Path, name: str) -> bool:
    return (worktree / name).is_file() and not git(worktree, "ls-files", "--", name)


PARTLY: tuple[Callable[[Tale], bool], ...] = (
    *(nothing, some_picked, squash_and_work_on, squash_with_a_file_left_out, dropped_with_its_side),
)


def adds_something(story: Story) -> bool:
    """Whether git's merge of the branch into trunk now would change trunk, or stop."""
    tree = git(story.main, "merge-tree", "--write-tree", "main", "work", check=False).partition("\n")[0]
    return tree != git(story.main, "rev-parse", "main^{tree}")


def begun(place: Path, seed: int) -> Tale:
    main = init(place / "main")
    files: dict[str, Content] = {
        name: "".join(f"{name} {line}\n" for line in range(24)) for name in (*SHARED, *BRANCHS, *TRUNKS)
    }
    commit(main, {**files, "run.sh": Executable("#!/bin/sh\nexit\n1\n2\n"), BINARY: b"\0first"}, "Begin")
    tale = Tale(Story(main, add_worktree(main, "work")), random.Random(seed))
    for _ in range(tale.chance.randint(1, 4)):
        tale.on_work()
        if tale.chance.random() < 0.5:
            tale.on_trunk()
        if tale.chance.random() < 0.15:
            tale.tried(tale.story.work, "merge", "--no-edit", "main")
        if tale.chance.random() < 0.15:
            tale.tried(tale.story.work, "revert", "--no-edit", "HEAD")
    return tale


def is_net_empty(story: Story) -> bool:
    """Whether the branch has nothing, in the end, that was not in trunk where it left."""
    base = git(story.main, "merge-base", "main", "work")
    return not git(story.main, "diff", "--name-only", base, "work")


SEEDS = st.integers(0, 2**40)


@examples(10)
@given(seed=SEEDS)
def test_taken_as_a_whole(seed: int) -> None:
    with TemporaryDirectory() as place:
        tale = begun(Path(place), seed)
        story = tale.story
        empty = is_net_empty(story)
        take = tale.chance.choice(WHOLE)
        before = story.tip()
        if empty or not take(tale):
            event("not taken")
            return
        took = story.tip()
        reverted = take is merged_with_ours
        for _ in range(tale.chance.randint(0, 3)):
            tale.on_trunk(taking_out=False)
        if tale.chance.random() < 0.3 and git(story.main, "rev-list", "--count", f"{before}..{took}") != "0":
            main_line = ["-m1"] if take in (merge, rebase_and_merge) else []
            if take in (squash, merge, rebase_and_merge) and tale.tried(
                story.main, "revert", "--no-edit", *main_line, took
            ):
                reverted = True
                if tale.chance.random() < 0.4:
                    reverted = not tale.tried(story.main, "revert", "--no-edit", "HEAD")
                for _ in range(tale.chance.randint(0, 2)):
                    tale.on_trunk(taking_out=False)
        note("\n".join(tale.deeds))
        proof = proof_of(story.main, story.head(), branch="work")
        note(f"{seed} {take.__name__} {proof}")
        event(f"{take.__name__}: {proof.integration.how}{', reverted' if reverted else ''}")
        assert proof.integration.state == "integrated"
        assert bool(proof.missing) == reverted


@examples(10)
@given(seed=SEEDS)
def test_taken_in_part(seed: int) -> None:
    with TemporaryDirectory() as place:
        tale = begun(Path(place), seed)
        story = tale.story
        take = tale.chance.choice(PARTLY)
        take(tale)
        if not adds_something(story) or is_net_empty(story):
            event("has it all")
            return
        for _ in range(tale.chance.randint(0, 3)):
            tale.on_trunk()
        note("\n".join(tale.deeds))
        proof = proof_of(story.main, story.head(), branch="work")
        note(f"{seed} {take.__name__} {proof}")
        event(f"{take.__name__}: {proof.integration.state}")
        if proof.integration.state == "integrated":  # trunk had it all until it picked what the branch undid later
            assert proof.missing and any("revert" in deed for deed in tale.deeds)
        else:
            assert proof.unproven
