"""The judge: git's merge of two trees, whatever happens to its processes and folders."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from sidecar.git import judge as judge_module
from sidecar.git import merge_process as merge_tree
from sidecar.git import process
from sidecar.git.judge import Judge, PathQuestion, Question, merged_blob
from sidecar.git.process import GitError
from sidecar.git.quarantine import Quarantine
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK, Entry
from sidecar.model.markers import Block, parse_markers
from sidecar.model.merging import Merge
from tests.git.leaving import children
from tests.git.opening import judging
from tests.harness import git
from tests.model.loose import File, Files, Store, open_store
from tests.model.tree_edits import text

BASE: Mapping[str, File] = {"a": (FILE, b"1\n2\n3\n"), "b": (FILE, b"b\n")}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store.git")


@pytest.fixture
def judge(store: Store) -> Iterator[tuple[Quarantine, Judge]]:
    with judging(store.path) as found:
        yield found


def ask(store: Store, judge: Judge, ours: Files, theirs: Files, base: Files = BASE) -> Merge:
    """Its merge of three trees."""
    paths = {*base, *ours, *theirs}
    return judge.merge_trees(Question(store.tree(ours), store.tree(theirs), store.tree(base)), paths)


def changed(content: bytes, path: str = "a") -> dict[str, File]:
    """The base with one file changed."""
    return {**BASE, path: (FILE, content)}


ONE, TWO = changed(b"1\none\n3\n"), changed(b"1\ntwo\n3\n")


def test_a_conflict(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    merge = ask(store, judge[1], ONE, TWO)
    assert not merge.clean
    assert set(merge.stages) == {"a"}
    assert {stage: entry.oid for stage, entry in merge.stages["a"].items()} == {
        1: store.write("blob", b"1\n2\n3\n"),
        2: store.write("blob", b"1\none\n3\n"),
        3: store.write("blob", b"1\ntwo\n3\n"),
    }
    assert [message.type for message in merge.messages] == ["Auto-merging", "CONFLICT (contents)"]
    blob = merged_blob(judge[0], merge, "a")
    assert blob is not None
    assert parse_markers(blob, merge.marker_size) == [[b"1"], Block((b"one",), (b"two",)), [b"3"]]


def test_a_merge_without_conflicts(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    merge = ask(store, judge[1], changed(b"0\n1\n2\n3\n"), changed(b"changed\n", "b"))
    assert merge.clean and not merge.stages
    assert merged_blob(judge[0], merge, "a") == b"0\n1\n2\n3\n"
    assert merged_blob(judge[0], merge, "b") == b"changed\n"
    assert merged_blob(judge[0], merge, "c") is None


def test_nothing_goes_into_the_users_store(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    for tree in (ONE, TWO, BASE):
        store.tree(tree)
    before = git(store.path, "count-objects", "-v")
    ask(store, judge[1], ONE, TWO)
    assert git(store.path, "count-objects", "-v") == before


def test_no_common_base(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    merge = judge[1].merge_trees(Question(store.tree(ONE), store.tree(TWO), None), ("a",))
    assert not merge.clean
    assert sorted(merge.stages["a"]) == [2, 3]


def test_several_merge_bases(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    """A criss-cross: git merges the bases first, and so does the judge, of the real commits."""
    root = store.commit(store.tree(BASE))
    left, right = store.commit(store.tree(ONE), root), store.commit(store.tree(changed(b"x\n", "b")), root)
    both = {**ONE, "b": (FILE, b"x\n")}
    first, second = store.commit(store.tree(both), left, right), store.commit(store.tree(both), right, left)
    ours = store.commit(store.tree({**both, "a": (FILE, b"1\nours\n3\n")}), first)
    theirs = store.commit(store.tree({**both, "a": (FILE, b"1\ntheirs\n3\n")}), second)
    assert len(store.git("merge-base", "--all", ours, theirs).split()) == 2
    mine, other = (store.git("rev-parse", f"{commit}^{{tree}}").decode().strip() for commit in (ours, theirs))
    question = Question(mine, other, None, (ours, theirs))
    merge = judge[1].merge_trees(question, ("a", "b"))
    told = store.merge(ours, theirs)
    assert merge.stages["a"][1].oid.encode() in told
    assert set(merge.stages) == {"a"}


def test_everything_is_deleted(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    """An empty tree comes out, again and again, and the answers stay in step."""
    for number in range(3):
        base = {**BASE, "c": (FILE, b"%d\n" % number)}
        left = {"c": base["c"]}
        gone = {path: file for path, file in base.items() if path != "c"}
        merge = ask(store, judge[1], left, gone, base)
        assert merge.clean
        assert merge.tree == judge[0].objects.empty_tree
        assert not ask(store, judge[1], changed(b"%d\n" % number), TWO).clean


@pytest.mark.parametrize("size", [47, 83, 131])
def test_markers_that_the_text_has_are_not_used(store: Store, judge: tuple[Quarantine, Judge], size: int) -> None:
    """Each size up to this one stands in the text, so that a longer one must be taken."""
    taken = [marker for marker in judge_module.MARKER_SIZES if marker <= size]
    lines = b"".join(b"%s x\n" % (mark * marker) for marker in taken for mark in (b"<", b"=", b">", b"|"))
    merge = ask(store, judge[1], changed(b"one\n" + lines), changed(b"two\n" + lines), changed(b"zero\n" + lines))
    assert merge.marker_size > size
    blob = merged_blob(judge[0], merge, "a")
    assert blob is not None
    segments = parse_markers(blob, merge.marker_size)
    assert [segment for segment in segments if isinstance(segment, Block)] == [Block((b"one",), (b"two",))]


def test_the_trees_own_marker_size_does_not_matter(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    attributes: dict[str, File] = {".gitattributes": (FILE, b"* conflict-marker-size=7\n")}
    merge = ask(store, judge[1], {**ONE, **attributes}, {**TWO, **attributes}, {**BASE, **attributes})
    assert merged_blob(judge[0], merge, "a") is not None
    blob = merged_blob(judge[0], merge, "a") or b""
    assert b"\n" + b"=" * merge.marker_size + b"\n" in blob


def _kill_the_new(before: set[int]) -> int:
    killed = 0
    for child in psutil.Process().children(recursive=True):
        if child.pid not in before:
            child.kill()
            child.wait()
            killed += 1
    return killed


def test_it_survives_that_its_process_is_killed(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    before = children()
    ask(store, judge[1], ONE, TWO)
    for number in range(3):
        assert _kill_the_new(before)
        for word in (b"killed", b"again"):
            assert not ask(store, judge[1], changed(b"%s %d\n" % (word, number)), TWO).clean


def test_it_survives_that_its_folder_is_deleted(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    before = children()
    ask(store, judge[1], ONE, TWO)
    for content in (b"x\n", b"y\n"):
        shutil.rmtree(judge[0].root / "repositories", ignore_errors=True)
        merge = ask(store, judge[1], changed(content), TWO)
        assert len(parse_markers(merged_blob(judge[0], merge, "a") or b"", merge.marker_size)) > 1
        _kill_the_new(before)


def test_what_git_cannot_merge_is_an_error_and_the_next_is_answered(
    store: Store, judge: tuple[Quarantine, Judge]
) -> None:
    tree = store.tree(ONE)
    blob = store.write("blob", b"to be lost\n")
    lost = store.tree(changed(b"to be lost\n"))
    (store.path / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError):
        judge[1].merge_trees(Question(lost, tree, store.tree(BASE)), ("a",))
    assert not ask(store, judge[1], ONE, TWO).clean


def test_a_warning_is_no_conflict(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    """Git says CONFLICT of a file that it moves aside for a directory, and then finds a place for after all."""
    base: Files = {"a": (FILE, text(0)), "b": (FILE, text(5)), "d/a": (FILE, text(1))}
    ours: Files = {"a": (FILE, text(0) + b"x\n"), "d/a": (FILE, text(1))}
    theirs: Files = {"a": (FILE, text(0)), "d/a/inner": (FILE, text(1) + b"y\n")}
    root = store.commit(store.tree(base))
    commits = [store.commit(store.tree(files), root) for files in (ours, theirs)]
    assert b"CONFLICT" in store.git("merge-tree", "--messages", *commits), "and yet its exit status is 0"
    assert ask(store, judge[1], ours, theirs, base).clean


def test_attributes_of_the_side_that_is_merged_into_count(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    """As in a checkout of it: at the top, in a directory, and when they change."""
    union: dict[str, File] = {".gitattributes": (FILE, b"a merge=union\n")}
    assert ask(store, judge[1], {**ONE, **union}, TWO).clean
    assert not ask(store, judge[1], ONE, {**TWO, **union}).clean
    assert ask(store, judge[1], {**ONE, **union}, TWO).clean
    below = {f"d/{path}": file for path, file in {**ONE, **union}.items()}
    other, base = ({f"d/{path}": file for path, file in files.items()} for files in (TWO, BASE))
    assert ask(store, judge[1], below, other, base).clean
    assert not ask(store, judge[1], {**ONE, "x/.gitattributes": union[".gitattributes"]}, TWO).clean
    link: dict[str, File] = {".gitattributes": (SYMLINK, b"b"), "b": (FILE, b"a merge=union\n")}
    assert not ask(store, judge[1], {**ONE, **link}, TWO).clean, "git follows no link to attributes"


def test_many_sets_of_attributes_need_few_processes(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    before = children()
    for turn in range(2):
        for number in range(judge_module.MOST_PROCESSES * 2):
            own: dict[str, File] = {".gitattributes": (FILE, b"# %d\n" % number)}
            mine = {**changed(b"%d %d\n" % (turn, number)), **own}
            assert not ask(store, judge[1], mine, TWO).clean
            assert len(children() - before) <= judge_module.MOST_PROCESSES
    judge[1].close()
    assert children() <= before


def test_answers_are_remembered(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    first = ask(store, judge[1], ONE, TWO)
    assert ask(store, judge[1], ONE, TWO) is first
    assert ask(store, judge[1], TWO, ONE) is not first


def _entry(store: Store, file: File) -> Entry:
    return Entry(file[0], store.write("blob", file[1]))


@pytest.mark.parametrize("path", ["a", "d/e/ä b", "end 0", "new\nline"])
def test_one_path_is_merged_as_in_the_whole(store: Store, judge: tuple[Quarantine, Judge], path: str) -> None:
    files = [{path: tree["a"], "other": (FILE, b"%d" % number)} for number, tree in enumerate((BASE, ONE, TWO))]
    base, ours, theirs = (_entry(store, tree[path]) for tree in files)
    into = store.tree(files[1])
    alone = judge[1].merge_path(PathQuestion(path, base, ours, theirs, into))
    assert alone.stages == {path: {1: base, 2: ours, 3: theirs}}
    added = judge[1].merge_path(PathQuestion(path, None, ours, theirs, into))
    assert added.stages == {path: {2: ours, 3: theirs}}
    clean = judge[1].merge_path(PathQuestion(path, base, Entry(EXECUTABLE, base.oid), theirs, into))
    assert clean.clean


def test_many_paths_asked_at_once_are_answered_as_each_alone(store: Store, judge: tuple[Quarantine, Judge]) -> None:
    """Also where one of them can't be merged at all."""
    base = _entry(store, BASE["a"])
    into = store.tree(ONE)
    questions = []
    for number in range(100):
        ours, theirs = (
            _entry(store, (FILE, b"1\n%s %d\n3\n%s" % (side, number, b"more\n" * number))) for side in (b"o", b"t")
        )
        questions.append(PathQuestion("a", base, ours, theirs if number % 3 else ours, into))
    missing = PathQuestion("a", base, _entry(store, ONE["a"]), Entry(FILE, "1" * 40), into)
    judge[1].prepare([*questions, missing, *questions])
    prepared = [judge[1].merge_path(question) for question in questions]
    with pytest.raises(GitError):
        judge[1].merge_path(missing)
    with judging(store.path) as (_, fresh):
        alone = [fresh.merge_path(question) for question in questions]
    assert [merge.clean for merge in prepared] == [number % 3 == 0 for number in range(100)]
    assert prepared == alone


def _conflicts(store: Store, count: int) -> list[PathQuestion]:
    base, into = _entry(store, BASE["a"]), store.tree(ONE)
    sides = [
        tuple(_entry(store, (FILE, b"1\n%s %d\n3\n" % (side, number))) for side in (b"o", b"t"))
        for number in range(count)
    ]
    return [PathQuestion("a", base, ours, theirs, into) for ours, theirs in sides]


def test_git_is_asked_once_for_each_of_many_however_little_is_remembered(
    store: Store, judge: tuple[Quarantine, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    send = merge_tree.MergeProcess.send

    def count(merge_process: merge_tree.MergeProcess, pairs: Sequence[tuple[str, str]]) -> None:
        said.extend(pairs)
        send(merge_process, pairs)

    monkeypatch.setattr(judge_module, "REMEMBERED", 0)
    monkeypatch.setattr(merge_tree.MergeProcess, "send", count)
    questions = _conflicts(store, 5 * judge_module.AT_ONCE)
    judge[1].prepare(questions)
    heard = [judge[1].merge_path(question) for question in questions]
    assert len(said) == len(questions)
    with judging(store.path) as (_, fresh):
        assert heard == [fresh.merge_path(question) for question in questions]


def test_a_process_that_has_had_enough_is_replaced(
    store: Store, judge: tuple[Quarantine, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SPENT", 100)
    questions = _conflicts(store, 3 * judge_module.AT_ONCE)
    seen = set()
    judge[1].prepare(questions)
    heard = []
    for question in questions:
        heard.append(judge[1].merge_path(question))
        seen |= children()
    for number in range(20):
        assert not ask(store, judge[1], changed(b"%d\n" % number), TWO).clean
        seen |= children()
    assert len(seen) > 10
    assert len(children()) == 1
    with judging(store.path) as (_, fresh):
        assert heard == [fresh.merge_path(question) for question in questions]


@pytest.mark.parametrize("order", ["backwards", "others between", "asked anew", "killed"])
def test_answers_that_are_on_their_way_may_be_wanted_in_any_order(
    store: Store, judge: tuple[Quarantine, Judge], order: str
) -> None:
    before = children()
    questions = _conflicts(store, 20)
    judge[1].prepare(questions[:10])
    if order == "others between":
        between = ask(store, judge[1], changed(b"between\n"), TWO)
        assert not between.clean
        assert judge[1].note_on("a", store.tree(ONE), between) is None
    if order == "asked anew":
        judge[1].prepare(questions[5:])
    if order == "killed":
        judge[1].merge_path(questions[2])
        assert _kill_the_new(before)
    heard = [judge[1].merge_path(question) for question in reversed(questions)]
    with judging(store.path) as (_, fresh):
        alone = [fresh.merge_path(question) for question in reversed(questions)]
    assert heard == alone
    assert len({tuple(merge.stages["a"].values()) for merge in heard}) == 20
