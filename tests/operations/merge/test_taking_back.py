"""A merge that would take back what trunk did is not made, until a person allows it."""

from pathlib import Path

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.run import MergeChoices
from tests.harness import commit, git
from tests.operations.merge.deeds import only, planned, tip

OLD = "".join(f"price_{number} = {number}\n" for number in range(9))
NEW = OLD.replace("price_4 = 4\n", "price_4 = round(4, 2)\n")


def test_it_names_the_commit_and_its_file_and_moves_nothing(main: Path, feat: Path) -> None:
    commit(main, {"prices.py": OLD}, "Begin prices")
    taken = commit(main, {"prices.py": NEW}, "Round prices")
    git(feat, "merge", "--quiet", "--no-edit", "main")
    commit(feat, {"prices.py": OLD, "own.py": "own = 1\n"}, "Work")
    found = only(planned(main).findings)
    assert (found.code, found.paths) == ("undoes-trunk", ("prices.py",))
    assert found.message == (
        f"feat takes back what Ada Harness did to main in {taken[:10]} (Round prices). "
        "Take main's lines back, or allow it if it is intended."
    )
    result = apply_merge(planned(main))
    assert (result.outcome, tip(main)) == ("refused", taken)


def test_what_is_allowed_is_merged_and_said(main: Path, feat: Path) -> None:
    commit(main, {"prices.py": OLD}, "Begin prices")
    commit(main, {"prices.py": NEW}, "Round prices")
    git(feat, "merge", "--quiet", "--no-edit", "main")
    commit(feat, {"prices.py": OLD, "own.py": "own = 1\n"}, "Work")
    plan = planned(main, choices=MergeChoices(allow=frozenset({"undoes-trunk"})))
    assert not plan.blocked
    assert [one.code for one in plan.findings if one.severity == "info"] == ["undoes-trunk"]
    assert apply_merge(plan).outcome == "merged"
    assert (main / "prices.py").read_text() == OLD


def test_what_is_to_be_committed_first_counts(main: Path, feat: Path) -> None:
    commit(main, {"prices.py": OLD}, "Begin prices")
    commit(main, {"prices.py": NEW}, "Round prices")
    git(feat, "merge", "--quiet", "--no-edit", "main")
    commit(feat, {"own.py": "own = 1\n"}, "Work")
    (feat / "prices.py").write_text(OLD)
    assert only(planned(main, choices=MergeChoices(commit="Work")).findings).code == "undoes-trunk"
