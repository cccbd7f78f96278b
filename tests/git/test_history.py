"""What commits have in common, held against git for histories at random."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from sidecar.git.history import History, had_own_commits, made_on
from sidecar.git.refs import resolve_commit
from tests.git.opening import opened
from tests.harness import commit, git, init, tick
from tests.model.examples import examples
from tests.model.loose import Store, open_store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with TemporaryDirectory() as place:
        yield open_store(Path(place) / "store.git")


@pytest.fixture(scope="module")
def history(store: Store) -> History:
    return History(opened(store.path).place)


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """Parents of each commit, by number: roots, lines, merges, criss-crosses."""
    parents: list[list[int]] = [[]]
    for number in range(1, draw(st.integers(3, 9))):
        near = st.integers(max(0, number - 4), number - 1)
        parents.append(draw(st.lists(near, max_size=2, unique=True, min_size=draw(st.sampled_from([0, 1, 1, 1, 1])))))
    return parents


@examples(25)
@given(parents=graphs(), label=st.integers(0, 10**9))
def test_merge_bases_and_distances(store: Store, history: History, parents: list[list[int]], label: int) -> None:
    """Also where they are told from what is known of each side against trunk."""
    tree = store.tree({})
    commits: list[str] = []
    for number, above in enumerate(parents):
        commits.append(store.commit(tree, *(commits[parent] for parent in above), note=f"{label} {number}"))
    note(f"{parents}")
    trunk, one, two = commits[-3:]
    for ours, theirs in permutations((trunk, one, two), 2):
        found = set(store.git("merge-base", "--all", ours, theirs, accept_failure=True).decode().split())
        assert set(history.merge_bases(ours, theirs)) == found
    for head in (one, two):
        against = history.divergence(trunk, head)
        assert set(against.bases) == set(history.merge_bases(trunk, head))
        assert against.own == set(store.git("rev-list", f"{trunk}..{head}").decode().split())
        assert against.behind == int(store.git("rev-list", "--count", f"{head}..{trunk}"))
    told = history.pair_bases(trunk, one, two)
    event(f"{len(told)} bases")
    assert set(told) == set(history.merge_bases(one, two))
    assert history.merge_bases(one, one) == (one,)


@pytest.mark.parametrize(
    ("name", "what"),
    [("main", "main"), ("HEAD", "main"), ("v1", "main"), ("refs/heads/main", "main"), ("main~1", "main~1")],
)
def test_names_of_commits(repo: Path, name: str, what: str) -> None:
    commit(repo)
    git(repo, "tag", "-m", "A tag", "v1")
    assert resolve_commit(opened(repo).place, name) == git(repo, "rev-parse", f"{what}^{{commit}}")


@pytest.mark.parametrize(
    "name", ["nothing", "-d", "--all", "HEAD:README.md", "HEAD^{tree}", "", "main..main", "1" * 40]
)
def test_names_of_no_commit(repo: Path, name: str) -> None:
    assert resolve_commit(opened(repo).place, name) is None


STORES = [(), pytest.param(("--ref-format=reftable",), marks=pytest.mark.needs_git(2, 45))]


@pytest.mark.parametrize("store", STORES)
def test_whether_commits_were_made_on_a_branch(tmp_path: Path, store: tuple[str, ...]) -> None:
    repo = init(tmp_path / "repo", *store)
    commit(repo, {"README.md": "# Repository\n"})
    git(repo, "branch", "untouched")
    assert not had_own_commits(opened(repo), "untouched")
    assert not had_own_commits(opened(repo), "nothing")
    git(repo, "checkout", "--quiet", "-b", "topic/deep")
    assert not had_own_commits(opened(repo), "topic/deep")
    commit(repo, {"a.txt": "a\n"})
    assert had_own_commits(opened(repo), "topic/deep")
    git(repo, "checkout", "--quiet", "untouched")
    git(repo, "merge", "--quiet", "--ff-only", "topic/deep")
    assert not had_own_commits(opened(repo), "untouched"), "it only caught up"
    git(repo, "checkout", "--quiet", "-b", "picks", "main")
    git(repo, "cherry-pick", "topic/deep", env=tick(repo))
    assert had_own_commits(opened(repo), "picks")
    made = [(None, git(repo, "rev-parse", "topic/deep"))]
    assert (made_on(opened(repo), "topic/deep"), made_on(opened(repo), "untouched")) == (made, [])
    assert made_on(opened(repo), "nothing") is None
    git(repo, "reflog", "expire", "--expire=all", "refs/heads/topic/deep")
    assert made_on(opened(repo), "topic/deep") is None, "nothing is left of it"
