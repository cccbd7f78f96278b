"""Read history: fork points, merge bases, what a branch has of its own, and which branch work comes back to.

`History` reads it as git merges. `Ancestry`, on which proofs rest, reads it as it was made, because replacements and
grafts (git-replace(1)) could make anything an ancestor of trunk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeAlias

from sidecar.git.objects import Objects
from sidecar.git.process import GitError, Place, run, run_for_status
from sidecar.git.refs import read_reflog
from sidecar.git.repository import Repository
from sidecar.git.trees import parse_raw
from sidecar.model.changes import Change
from sidecar.model.findings import Failure
from sidecar.model.picture import Tip, Trunk, Worktree


@dataclass(frozen=True, slots=True)
class Divergence:
    """A commit against trunk: their merge bases (best first), the commits of its own, how many only trunk has."""

    bases: tuple[str, ...]
    own: frozenset[str]
    behind: int


_Parents: TypeAlias = Mapping[str, Sequence[str]]


class History:
    """Answers about commit ids, remembered, since history does not change under an id.

    `place` is where git finds the repository, and what else it can be asked about.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.merge_bases: Callable[[str, str], tuple[str, ...]] = lru_cache(maxsize=8192)(partial(_merge_bases, place))
        self.divergence: Callable[[str, str], Divergence] = lru_cache(maxsize=1024)(self._divergence)

    def _divergence(self, trunk: str, head: str) -> Divergence:
        if trunk == head:
            return Divergence((head,), frozenset(), 0)
        said = run(self._place, "rev-list", "--left-right", "--parents", f"{trunk}...{head}")
        rows = [line.split() for line in said.decode("ascii").splitlines()]
        own = {row[0][1:]: row[1:] for row in rows if row[0].startswith(">")}
        trunks = {row[0][1:]: row[1:] for row in rows if row[0].startswith("<")}
        return Divergence(self._bases(trunk, head, own, trunks), frozenset(own), len(trunks))

    def _bases(self, trunk: str, head: str, own: _Parents, trunks: _Parents) -> tuple[str, ...]:
        """Give the merge bases by the parents of the commits that only one side has, where these settle it.

        All that the two have in common is reached through a commit that is a parent of one side's own commits and not
        one of them. Where there is one such commit, it is the only merge base.
        """
        if not own or not trunks:
            return (trunk if own else head,)
        for side in (own, trunks):
            shared = {parent for parents in side.values() for parent in parents} - side.keys()
            if len(shared) < 2:
                return tuple(shared)
        return self.merge_bases(trunk, head)

    def pair_bases(self, trunk: str, one: str, two: str) -> tuple[str, ...]:
        """Give the merge bases of two heads, from what is known of each against trunk where that settles it.

        Where neither has a commit of the other's own and both left trunk at one point each, what they have in common
        is what those two points have in common.
        """
        first, second = self.divergence(trunk, one), self.divergence(trunk, two)
        if len(first.bases) == len(second.bases) == 1 and first.own.isdisjoint(second.own):
            return self.merge_bases(*sorted((first.bases[0], second.bases[0])))
        return self.merge_bases(*sorted((one, two)))


def _merge_bases(place: Place, one: str, two: str) -> tuple[str, ...]:
    """Give every best common ancestor (git-merge-base(1)); none when the two share no history."""
    if one == two:
        return (one,)
    return tuple(run(place, "merge-base", "--all", one, two, accept=(0, 1)).decode("ascii").split())


OWN_WORK = (b"commit", b"cherry-pick", b"rebase", b"revert", b"am:")
"""How reflog messages begin where a branch got a commit that was made on it (git-reflog(1))."""


MOST_STEPS = 1000
"""How many of trunk's commits are looked at for one branch, newest first."""

MOST_OWN = 200
"""How many commits of its own a branch may have to be proved commit by commit."""

MOST_NAMED = 64
"""How many paths git is told to look for; with more, every commit of trunk is looked at."""

REMEMBERED = 512

TAKES_BACK = '^This reverts commit [0-9a-f]|^Revert "|^Reapply "'


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as rev-list gives it: ids only; a commit at the edge of a shallow clone has no parents."""

    id: str
    tree: str
    parents: tuple[str, ...]


def read_tip(objects: Objects, commit: str) -> Tip | None:
    """Read a commit as a person knows it; None where it is not as git writes commits."""
    head, _, message = objects.read(commit)[1].partition(b"\n\n")
    fields = dict(line.partition(b" ")[::2] for line in reversed(head.split(b"\n")))
    encoding = fields.get(b"encoding", b"utf-8").decode("ascii", "replace")
    subject = b" ".join(message.strip().partition(b"\n\n")[0].split())
    author = fields.get(b"author", b"").partition(b" <")[0]
    time = re.search(rb"> ([0-9]{1,12}) ", fields.get(b"committer", b"") + b" ")
    try:
        "".encode(encoding)
    except LookupError:
        encoding = "utf-8"
    if time is None:
        return None
    return Tip(subject.decode(encoding, "replace"), author.decode(encoding, "replace"), int(time[1]))


class Ancestry:
    """Answers about commit ids, remembered, since history does not change under an id."""

    def __init__(self, repository: Repository) -> None:
        self._place = repository.place.plus(GIT_NO_REPLACE_OBJECTS="1", GIT_GRAFT_FILE=os.devnull)
        self.bases = lru_cache(maxsize=REMEMBERED)(partial(_merge_bases, self._place))
        self.contains = lru_cache(maxsize=REMEMBERED)(self._contains)
        self.commit = lru_cache(maxsize=REMEMBERED)(self._commit)
        self.own = lru_cache(maxsize=REMEMBERED)(self._own)
        self.steps = lru_cache(maxsize=64)(self._steps)
        self.bringer = lru_cache(maxsize=REMEMBERED)(self._bringer)
        self.log = lru_cache(maxsize=64)(partial(_log, repository, self._place))
        self.missing = lru_cache(maxsize=64)(self._missing)

    def _missing(self, tip: str, since: str, most: int) -> frozenset[str]:
        """List the newest commits, at most so many, that one commit has in its history and the other lacks."""
        return frozenset(run(self._place, "rev-list", f"--max-count={most}", tip, f"^{since}").decode("ascii").split())

    def common(self, commits: Collection[str]) -> str | None:
        """Give a commit that is in the history of all of these; None where there is none."""
        if not commits:
            return None
        said = run(self._place, "merge-base", "--octopus", *sorted(commits), accept=(0, 1)).decode("ascii").split()
        return said[0] if said else None

    def _contains(self, commit: str, ancestor: str) -> bool:
        """Tell whether a commit is another, or has it in its history."""
        return run_for_status(self._place, "merge-base", "--is-ancestor", ancestor, commit, accept=(0, 1))[0] == 0

    def _commit(self, commit: str) -> Commit:
        (found,) = self._list("--max-count=1", commit)
        return found

    def _own(self, trunk: str, head: str) -> tuple[Commit, ...]:
        """List the commits that a head has and trunk lacks, each before its parents; at most MOST_OWN and one more."""
        return self._list("--topo-order", f"--max-count={MOST_OWN + 1}", head, f"^{trunk}")

    def _steps(self, tip: str, since: str, paths: frozenset[str]) -> tuple[Commit, ...]:
        """List what `tip` stood at after `since`, newest first, where one of the paths changed.

        At most MOST_STEPS and one more. These are the first parents: commits that a merge brought were never the tip of
        this branch.
        """
        named = [f":(top,literal){path}" for path in sorted(paths)] if len(paths) <= MOST_NAMED else []
        return self._list("--first-parent", f"--max-count={MOST_STEPS + 1}", tip, f"^{since}", "--", *named)

    def _bringer(self, tip: str, head: str) -> Commit | None:
        """Find the merge that brought a head into a branch's history; None where it once was the branch's tip."""
        line = self._list("--first-parent", tip, f"^{head}")
        since = {commit.id for commit in self._list("--ancestry-path", tip, f"^{head}")}
        first = next((commit for commit in reversed(line) if commit.id in since), None)
        return None if first is None or first.parents[:1] == (head,) else first

    def takebacks(self, tip: str, since: str) -> tuple[str, ...]:
        """Give the commits, oldest first, whose messages say that they revert something."""
        asked = ("--reverse", "--topo-order", "--extended-regexp", f"--grep={TAKES_BACK}", tip, f"^{since}")
        return tuple(commit.id for commit in self._list(*asked))

    def _list(self, *arguments: str) -> tuple[Commit, ...]:
        said = run(self._place, "rev-list", "--no-commit-header", "--format=%H %T %P", *arguments)
        rows = (line.split(" ") for line in said.decode("ascii").splitlines())
        return tuple(Commit(row[0], row[1], tuple(parent for parent in row[2:] if parent)) for row in rows)


def upstream_of(repository: Repository, ref: str) -> tuple[str, str] | None:
    """Give (short name, commit) of the branch that a local one follows, else of its namesake at origin, or None."""
    name = ref.removeprefix("refs/heads/")
    if name == ref:
        return None
    said = run(repository.place, "for-each-ref", "--format=%(upstream)", "--end-of-options", ref).decode().strip()
    for candidate in filter(None, (said, f"refs/remotes/origin/{name}")):
        try:
            found = run(repository.place, "rev-parse", "--verify", "-q", "--end-of-options", f"{candidate}^{{commit}}")
        except GitError:
            continue
        return candidate.removeprefix("refs/remotes/").removeprefix("refs/heads/"), found.decode("ascii").strip()
    return None


def made_on(repository: Repository, branch: str) -> list[tuple[str | None, str]] | None:
    """Find what was made on a branch by its reflog (git-reflog(1)): (after which commit, up to which commit).

    None for the first is the commit's own parent. None as a whole where there is no reflog, or nothing is left of it.
    """
    try:
        log = read_reflog(repository, repository.place, f"refs/heads/{branch}")
    except (OSError, GitError):
        return None
    if not log:
        return None
    made: list[tuple[str | None, str]] = []
    for line in log.splitlines():
        head, _, message = line.partition(b"\t")
        if message.startswith(OWN_WORK):
            onto = re.search(rb" onto ([0-9a-f]{40,64})$", message.rstrip())
            made.append((onto[1].decode("ascii") if onto else None, head.split(b" ")[1].decode("ascii")))
    return made


def had_own_commits(repository: Repository, branch: str) -> bool:
    """Tell by its reflog whether commits were ever made on a branch, which tells work that trunk has from no work."""
    return bool(made_on(repository, branch))


def message_of(objects: Objects, commit: str) -> str:
    """Give a commit's message; what is not UTF-8 in it is replaced."""
    return objects.read(commit)[1].partition(b"\n\n")[2].decode("utf-8", "replace")


def subject_of(objects: Objects, commit: str) -> str:
    """Give the first line of a commit's message."""
    return message_of(objects, commit).strip().partition("\n")[0]


ORIGIN = "refs/remotes/origin/"
ORIGIN_HEAD = f"{ORIGIN}HEAD"


def find_trunk(repository: Repository, worktrees: Sequence[Worktree], configured: str) -> Trunk | Failure:
    """Find trunk by the rule of the design; `configured` is the setting's value, '' when not set.

    A branch that exists at origin only is trunk by its remote-tracking ref. Before the first commit trunk is the main
    worktree's branch, without a commit.
    """
    refs = _read_refs(repository, configured)
    if configured:
        refs = {ref: known for ref, known in refs.items() if ref != ORIGIN_HEAD}
        found = _branch(configured.removeprefix("refs/heads/"), refs)
        return found or Failure(
            "no-trunk",
            f"sidecar.trunk names {configured}, but there is no such branch. Set it to a branch that exists.",
        )
    pointed = refs.get(ORIGIN_HEAD, ("", ""))[1]
    if pointed.startswith(ORIGIN) and (found := _branch(pointed.removeprefix(ORIGIN), refs)) is not None:
        return found
    for name in ("main", "master"):
        if (ref := f"refs/heads/{name}") in refs:
            return Trunk(name, ref, refs[ref][0])
    main = next((worktree for worktree in worktrees if worktree.main), None)
    if main is not None and main.branch is not None:
        ref = f"refs/heads/{main.branch}"
        return Trunk(main.branch, ref, _list_refs(repository, [ref]).get(ref, ("", ""))[0] or main.head)
    return Failure("no-trunk", "Which branch is trunk is not clear. Name it with: git config sidecar.trunk BRANCH")


def upstream_ahead(repository: Repository, trunk: Trunk) -> tuple[str, int] | None:
    """Give trunk's upstream, by its short name, and how many commits it has that trunk lacks, as of the last fetch.

    None where it has none, or that can't be told.
    """
    form = "%(upstream:short)%00%(upstream)"
    said = run(repository.place, "for-each-ref", f"--format={form}", "--end-of-options", trunk.ref)
    upstream, _, ref = os.fsdecode(said.split(b"\n")[0]).partition("\0")
    if not ref:
        return None
    try:
        ahead = int(run(repository.place, "rev-list", "--count", f"{trunk.commit}..{ref}", "--"))
    except (GitError, ValueError):
        return None
    return (upstream, ahead) if ahead else None


def _branch(name: str, refs: dict[str, tuple[str, str]]) -> Trunk | None:
    for ref in (f"refs/heads/{name}", f"refs/remotes/origin/{name}"):
        if ref in refs:
            return Trunk(name, ref, refs[ref][0])
    return None


def _read_refs(repository: Repository, configured: str) -> dict[str, tuple[str, str]]:
    names = ["main", "master", *([configured.removeprefix("refs/heads/")] if configured else [])]
    patterns = [ORIGIN_HEAD, *(f"refs/heads/{name}" for name in names)]
    refs = _list_refs(repository, patterns)
    pointed = refs.get(ORIGIN_HEAD, ("", ""))[1]
    if pointed:
        local = pointed.replace("refs/remotes/origin/", "refs/heads/", 1)
        refs |= _list_refs(repository, [pointed, local])
    if configured and f"refs/heads/{configured}" not in refs:
        refs |= _list_refs(repository, [f"refs/remotes/origin/{configured}"])
    return refs


def _list_refs(repository: Repository, patterns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give full name -> (commit id, symbolic target or ''), for the refs that exist under exactly these names."""
    form = "%(refname)%00%(objectname)%00%(symref)"
    listing = run(repository.place, "for-each-ref", f"--format={form}", "--end-of-options", *patterns)
    rows = [line.decode("utf-8", "surrogateescape").split("\0") for line in listing.split(b"\n") if line]
    return {name: (oid, symref) for name, oid, symref in rows if name in patterns}


_HEADER = b"\1"
"""What begins a commit here: no raw record and, decoded by git, no object id begins with it."""


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """One commit: `time` is the committer's, in seconds; `changes` are against its only parent, none for a merge."""

    id: str
    author: str
    time: int
    message: str
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """Give the first line of the message."""
        return self.message.strip().partition("\n")[0]


ALIKE, THE_SAME = "-M", "-M100%"
"""The options with which git finds renames of files that are alike, and only of the same, which reads no content."""


def _log(repository: Repository, place: Place, *revisions: str, most: int) -> tuple[LoggedCommit, ...]:
    """Read a log; in a partial clone that lacks contents, with renames of the same content only. Raises GitError."""
    try:
        return read_log(place, *revisions, most=most)
    except GitError:
        if not repository.why_missing:
            raise
    try:
        return read_log(place, *revisions, most=most, renames=THE_SAME)
    except GitError as error:
        raise GitError(f"{error.message.rstrip('.')}.{repository.why_missing}") from error


def read_log(place: Place, *revisions: str, most: int, renames: str = ALIKE) -> tuple[LoggedCommit, ...]:
    """Read at most so many commits of some revisions, the newest first, with renames found. Raises GitError."""
    said = run(
        place,
        *("log", "-z", "--raw", "--no-abbrev", renames, "--no-notes", "--no-show-signature", "--no-ext-diff"),
        *("--encoding=UTF-8", "--format=%x01%H%x00%an%x00%ct%x00%B", f"--max-count={most}", *revisions, "--"),
    )
    return tuple(_parse(said.split(b"\0")))


def _parse(tokens: list[bytes]) -> Iterator[LoggedCommit]:
    at = 0
    while at < len(tokens):
        if not tokens[at].startswith(_HEADER):
            at += 1
            continue
        commit, author, time, message = tokens[at : at + 4]
        at += 4
        end = next((n for n in range(at, len(tokens)) if tokens[n].startswith(_HEADER)), len(tokens))
        records = [token for token in tokens[at:end] if token]
        changes = parse_raw(b"\0".join([*records, b""]).lstrip(b"\n")) if records else []
        text = message.decode("utf-8", "replace")
        yield LoggedCommit(commit[1:].decode("ascii"), os.fsdecode(author), int(time), text, tuple(changes))
        at = end
