"""What is published for which file, on which lines, and when it is withdrawn or held back."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lsprotocol.types import DiagnosticSeverity, Position, Range

from sidecar.git.surroundings import DRIVER_NOTE
from sidecar.lsp.client import Client
from sidecar.lsp.diagnostics import Published, news, page_uri, publish
from sidecar.lsp.editor_view import EditorView
from sidecar.lsp.problems import CODES, MOST
from sidecar.model.changes import COMMITTED, STAGED, UNSAVED, UNTRACKED, Change, Entry
from sidecar.model.overlaps import WHOLE_FILE, Overlap, Region, Unknown, Verdict, region
from sidecar.model.picture import Picture
from sidecar.session.lines import LINES_NOTE
from tests.lsp.pictures import AFTER, ALL, BEFORE, FEATURE, MINE, TRUNK, document, entry, picture, side, view, worktree

MY_FILE, THEIR_FILE = f"{MINE}/a.py", f"{FEATURE}/a.py"
CONTENTS = {BEFORE: "1\n2\n3\n4\n", AFTER: "one\ntwo\nthree\n"}


def overlap(verdict: Verdict = "conflict", kind: str = "content", *, key: str = FEATURE, **mine: object) -> Overlap:
    other = side(TRUNK, name=None) if key == TRUNK else side(key)
    return Overlap("a.py", verdict, kind, (side(MINE, **mine), other))


def shown(moment: EditorView) -> dict[str, list[tuple[str, Range]]]:
    by_uri = publish(moment, Published()).by_uri
    return {
        uri: [(str(found.code), found.range) for found in publication.diagnostics]
        for uri, publication in by_uri.items()
    }


def lines(first: int, last: int, end: int) -> Range:
    return Range(Position(first, 0), Position(last, end))


def test_both_sides_of_a_conflict_are_told() -> None:
    assert shown(view(picture(overlap()), CONTENTS)) == {
        f"file://{MY_FILE}": [("conflict", lines(2, 2, 5))],
        f"file://{THEIR_FILE}": [("conflict", lines(2, 2, 5))],
    }


def test_a_merge_that_git_may_end_otherwise_is_told_whatever_is_to_be_shown() -> None:
    undecided = replace(overlap("clean"), note=f"{DRIVER_NOTE} {LINES_NOTE}")
    found = view(picture(undecided), CONTENTS, show="conflicts")
    assert shown(found)[f"file://{MY_FILE}"] == [("overlap", lines(2, 2, 5))]
    for quiet in (overlap("clean"), replace(overlap("clean"), note=LINES_NOTE)):
        assert f"file://{MY_FILE}" not in shown(view(picture(quiet), CONTENTS, show="conflicts"))


@pytest.mark.parametrize(
    ("verdict", "key", "code", "severity"),
    [
        ("conflict", FEATURE, "conflict", DiagnosticSeverity.Warning),
        ("clean", FEATURE, "overlap", DiagnosticSeverity.Information),
        ("identical", FEATURE, "identical", DiagnosticSeverity.Hint),
        ("conflict", TRUNK, "trunk-conflict", DiagnosticSeverity.Warning),
        ("clean", TRUNK, "overlap", DiagnosticSeverity.Information),
    ],
)
def test_code_and_severity(verdict: Verdict, key: str, code: str, severity: DiagnosticSeverity) -> None:
    found = publish(view(picture(overlap(verdict, key=key)), CONTENTS), Published()).by_uri[f"file://{MY_FILE}"]
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.severity, diagnostic.source) == (code, severity, "sidecar")
    assert diagnostic.data == {"worktree": "feat-1" if key else None, "key": key, "index": 0}
    assert diagnostic.code_description is not None
    assert Path(unquote(urlsplit(diagnostic.code_description.href).path)).read_text().startswith(f"# `{code}`")


def test_what_is_not_known_is_told_in_open_files_that_it_may_concern() -> None:
    """Of all that feat-1 has not committed; of one path of the two; of others not."""
    everything = Unknown(((FEATURE, "feat-1"),), None, "What is not committed in feat-1 is not known.")
    here = Unknown(((MINE, "mine"), (FEATURE, "feat-1")), "b.py", "Whether the two conflict in b.py is not known.")
    files = [document(f"{MINE}/{name}", "1\n2\n") for name in ("a.py", "b.py")]
    drawn = replace(picture(), unknown=(everything, here))
    told = publish(view(drawn, {}, *files, document("/w/repo/b.py", "1\n")), Published()).by_uri
    said = {uri: [found.message for found in publication.diagnostics] for uri, publication in told.items()}
    assert said == {
        f"file://{MINE}/a.py": [everything.reason],
        f"file://{MINE}/b.py": [everything.reason, here.reason],
        "file:///w/repo/b.py": [everything.reason],
    }
    found = told[f"file://{MINE}/b.py"].diagnostics[1]
    assert (found.code, found.severity) == ("unknown", DiagnosticSeverity.Information)
    assert found.data == {"worktree": "feat-1", "key": MINE, "index": 0}
    assert shown(view(drawn, {})) == {}, "no file is open"


def test_a_worktree_whose_folder_is_away_has_no_files_to_show() -> None:
    drawn = picture(overlap())
    away = replace(drawn.worktrees[2], worktree=replace(drawn.worktrees[2].worktree, missing=True))
    told = publish(view(replace(drawn, worktrees=(*drawn.worktrees[:2], away)), CONTENTS), Published()).by_uri
    assert set(told) == {f"file://{MY_FILE}"}
    assert not told[f"file://{MY_FILE}"].diagnostics[0].related_information


def test_every_code_has_its_page() -> None:
    assert [code for code in CODES if page_uri(code) is None] == []


def test_related_information_is_the_other_sides_lines() -> None:
    (diagnostic,) = publish(view(picture(overlap()), CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    (related,) = diagnostic.related_information or ()
    assert (related.location.uri, related.location.range) == (f"file://{THEIR_FILE}", lines(2, 2, 5))
    assert "feat-1 (branch feature/one)" in related.message


def test_trunks_lines_are_where_trunk_is_checked_out_and_the_file_unchanged() -> None:
    drawn = picture(overlap(key=TRUNK))
    (diagnostic,) = publish(view(drawn, CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert diagnostic.related_information
    assert diagnostic.related_information[0].location.uri == "file:///w/repo/a.py"
    edited = worktree("/w/repo", "main", main=True, changes=(Change("a.py", BEFORE, entry(9), (STAGED,)),))
    drawn = replace(drawn, worktrees=(edited, *drawn.worktrees[1:]))
    (diagnostic,) = publish(view(drawn, CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert not diagnostic.related_information


def test_a_simple_client_gets_neither_links_nor_pages() -> None:
    (diagnostic,) = (
        publish(view(picture(overlap()), CONTENTS, client=Client()), Published())
        .by_uri[f"file://{MY_FILE}"]
        .diagnostics
    )
    assert diagnostic.related_information is None and diagnostic.code_description is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_ranges_are_in_the_clients_encoding(encoding: str) -> None:
    moment = view(picture(overlap()), {AFTER: "1\r\n2\r\n'😋'\r\n"}, client=replace(ALL, encoding=encoding))
    end = {"utf-8": 6, "utf-16": 4, "utf-32": 3}[encoding]
    assert shown(moment)[f"file://{MY_FILE}"] == [("conflict", lines(2, 2, end))]


def test_each_region_meets_its_counterpart() -> None:
    two = (Region(1, 1), Region(3, 3))
    drawn = picture(
        Overlap(
            "a.py", "clean", "content", (side(MINE, regions=two), side(FEATURE, changed=(Region(2, 2), region(4, 0))))
        )
    )
    found = publish(view(drawn, CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert [diagnostic.range.start.line for diagnostic in found] == [0, 2]
    assert ["changed line 2;" in found[0].message, "deleted lines after line 3;" in found[1].message] == [True, True]


def test_a_file_that_is_deleted_here_is_told_at_its_first_line() -> None:
    mine, other = side(MINE, after=None, regions=(WHOLE_FILE,), changed=()), side(FEATURE)
    drawn = picture(Overlap("a.py", "conflict", "modify/delete", (mine, other)))
    assert shown(view(drawn, CONTENTS))[f"file://{MY_FILE}"] == [("conflict", lines(0, 0, 0))]
    assert shown(view(drawn, CONTENTS))[f"file://{THEIR_FILE}"] == [("conflict", lines(2, 2, 5))]


def test_a_conflict_that_is_not_about_lines_is_told_on_all_that_was_changed() -> None:
    mine = side(MINE, regions=(Region(1, 1), Region(3, 3)))  # line 1 is like the stand-in for a file without lines
    drawn = picture(
        Overlap("a.py", "conflict", "modify/delete", (mine, side(FEATURE, after=None, regions=(WHOLE_FILE,))))
    )
    published = publish(view(drawn, CONTENTS), Published()).by_uri
    mine_told, theirs_told = (published[f"file://{path}"].diagnostics for path in (MY_FILE, THEIR_FILE))
    assert [found.range for found in mine_told] == [lines(0, 0, 3), lines(2, 2, 5)]
    assert {found.message for found in mine_told} == {
        "Conflicts with feat-1 (branch feature/one), which deleted this file."
    }
    assert [found.message for found in theirs_told] == [
        "Conflicts with mine (branch topic), which changed lines 1, 3, while it is deleted here."
    ]


def test_binary_content_has_no_lines() -> None:
    whole = {"regions": (WHOLE_FILE,), "changed": (WHOLE_FILE,)}
    drawn = picture(Overlap("a.py", "conflict", "binary", (side(MINE, **whole), side(FEATURE, **whole))))
    (found,) = publish(view(drawn, CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert found.message == "Conflicts with feat-1 (branch feature/one), which changed this file."


def test_a_rename_without_an_edit_changed_no_lines() -> None:
    other = side(FEATURE, path="b.py", after=BEFORE, regions=(region(4, 0),), changed=(WHOLE_FILE,))
    drawn = picture(Overlap("b.py", "clean", "content", (side(MINE, regions=(WHOLE_FILE,)), other)))
    (found,) = publish(view(drawn, CONTENTS), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert (
        found.message
        == "Meets feat-1 (branch feature/one), which renamed this file to b.py; git merges the two cleanly."
    )


def test_too_many_places_are_counted() -> None:
    many = tuple(Region(at, at) for at in range(1, MOST + 51))
    drawn = picture(Overlap("a.py", "conflict", "content", (side(MINE, regions=many), side(FEATURE, regions=many))))
    long = "".join(f"{at}\n" for at in range(1, MOST + 51))
    found = publish(view(drawn, {AFTER: long}), Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    assert len(found) == MOST
    assert found[-1].message.endswith("50 more places are not shown.")
    assert "not shown" not in found[-2].message


def test_files_outside_the_folders_are_told_only_when_they_are_open() -> None:
    drawn = picture(overlap())
    assert shown(view(drawn, CONTENTS, folders=())) == {}
    assert [*shown(view(drawn, CONTENTS, folders=(MINE,)))] == [f"file://{MY_FILE}"]
    opened = document(THEIR_FILE, "one\ntwo\nthree\n")
    assert [*shown(view(drawn, CONTENTS, opened, folders=()))] == [f"file://{THEIR_FILE}"]


def test_an_open_document_is_told_under_its_own_uri_and_version() -> None:
    opened = document(MY_FILE, "one\ntwo\nthree\n", version=5, uri="file:///link/a.py")
    published = publish(view(picture(overlap()), CONTENTS, opened), Published()).by_uri
    assert published["file:///link/a.py"].version == 5
    assert f"file://{MY_FILE}" not in published


def test_the_lines_of_unsaved_text_are_those_that_the_picture_saw() -> None:
    typed = document(MY_FILE, "one\ntwo\nthree and more\n", stamp=8)
    drawn = picture(overlap(sources=(COMMITTED, UNSAVED)), documents={MY_FILE: 8})
    assert shown(view(drawn, CONTENTS, typed))[f"file://{MY_FILE}"] == [("conflict", lines(2, 2, 14))]


def test_a_document_that_moved_on_keeps_what_it_has_until_its_own_picture_comes() -> None:
    first = document(MY_FILE, "one\ntwo\nthree\n", version=1, stamp=1)
    drawn = picture(overlap(), documents={MY_FILE: 1})
    before = publish(view(drawn, CONTENTS, first), Published())
    second = replace(first, text="zero\none\ntwo\nthree\n", version=2, stamp=2)
    moved = picture(number=2, documents={MY_FILE: 1})
    held = publish(view(moved, CONTENTS, second), before)
    assert held.by_uri[f"file://{MY_FILE}"] == before.by_uri[f"file://{MY_FILE}"]
    assert [params.uri for params in news(before, held)] == [f"file://{THEIR_FILE}"]
    own = picture(overlap(regions=(Region(4, 4),)), number=3, documents={MY_FILE: 2})
    after = publish(view(own, CONTENTS, second), held)
    assert (
        after.by_uri[f"file://{MY_FILE}"].version,
        after.by_uri[f"file://{MY_FILE}"].diagnostics[0].range.start.line,
    ) == (2, 3)


def test_a_document_that_reads_unlike_the_picture_waits() -> None:
    stale = document(MY_FILE, "something else\n")
    assert f"file://{MY_FILE}" not in shown(view(picture(overlap()), CONTENTS, stale))
    windows = document(MY_FILE, CONTENTS[AFTER].replace("\n", "\r\n"))
    assert f"file://{MY_FILE}" in shown(view(picture(overlap()), CONTENTS, windows))


def test_only_what_changed_is_sent_and_what_is_gone_is_withdrawn() -> None:
    first = publish(view(picture(overlap()), CONTENTS), Published())
    assert [*news(first, publish(view(picture(overlap(), number=2), CONTENTS), first))] == []
    other = Overlap("a.py", "conflict", "content", (side(MINE), side(FEATURE, regions=(Region(1, 1),))))
    second = publish(view(picture(other, number=2), CONTENTS), first)
    assert {params.uri for params in news(first, second)} == {f"file://{MY_FILE}", f"file://{THEIR_FILE}"}
    gone = publish(view(picture(number=3), CONTENTS), second)
    assert {(params.uri, len(params.diagnostics)) for params in news(second, gone)} == {
        (f"file://{MY_FILE}", 0),
        (f"file://{THEIR_FILE}", 0),
    }


def test_a_new_version_is_told_again_because_editors_move_what_they_show() -> None:
    first = document(MY_FILE, "one\ntwo\nthree\n", version=1, stamp=1)
    before = publish(view(picture(overlap(), documents={MY_FILE: 1}), CONTENTS, first), Published())
    second = replace(first, version=2, stamp=2)
    after = publish(view(picture(overlap(), number=2, documents={MY_FILE: 2}), CONTENTS, second), before)
    assert [params.uri for params in news(before, after)] == [f"file://{MY_FILE}"]


def test_files_that_nothing_happened_to_are_not_read_again() -> None:
    reads: list[object] = []
    stored = {key: text.encode() for key, text in CONTENTS.items()}
    moment = view(picture(overlap()), CONTENTS)

    def content(wanted: Entry) -> bytes | None:
        reads.append(wanted)
        return stored.get(wanted)

    counting = replace(moment, indexed=replace(moment.indexed, content=content))
    before = publish(counting, Published())
    assert reads
    reads.clear()
    assert publish(counting, before).by_uri == before.by_uri
    assert reads == []


def on_trunk(*changes: Change, others: bool = True) -> Picture:
    trunk = worktree("/w/repo", "main", main=True, changes=changes)
    return picture(states=(trunk, worktree(MINE, "topic")) if others else (trunk,))


def test_an_edit_on_trunk_is_told_on_its_first_changed_line() -> None:
    drawn = on_trunk(Change("a.py", BEFORE, entry(3), (STAGED,)), Change("new.py", None, entry(4), (UNTRACKED,)))
    assert shown(view(drawn, {BEFORE: "1\n2\n3\n", entry(3): "1\n2\nfour\n", entry(4): "x\n"})) == {
        "file:///w/repo/a.py": [("trunk-edit", lines(2, 2, 4))],
        "file:///w/repo/new.py": [("trunk-edit", lines(0, 0, 1))],
    }


@pytest.mark.parametrize(("after", "line"), [("1\n2\n", 1), ("1\n2\n3", 2), ("", 0), ("1\n2\n3\n4\n", 3)])
def test_the_first_changed_line_of_a_file_that_ends_elsewhere(after: str, line: int) -> None:
    drawn = on_trunk(Change("a.py", BEFORE, entry(3), (STAGED,)))
    ((_, place),) = shown(view(drawn, {BEFORE: "1\n2\n3\n", entry(3): after}))["file:///w/repo/a.py"]
    assert place.start.line == line


def test_trunk_is_for_editing_when_it_is_committed_or_alone() -> None:
    change = Change("a.py", BEFORE, entry(3), (STAGED,))
    assert shown(view(on_trunk(change, others=False), CONTENTS)) == {}
    assert shown(view(on_trunk(replace(change, sources=(COMMITTED,))), CONTENTS)) == {}
    drawn = picture(states=(worktree("/w/repo", "other", main=True, changes=(change,)), worktree(MINE)))
    assert shown(view(drawn, CONTENTS)) == {}
