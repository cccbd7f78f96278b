"""Histories at random: what lands is what `git merge` makes of it, and what stops is what stops `git merge`."""

import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.findings import Failure
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.recovery import recover_all
from tests.harness import GitFailedError, git, git_bytes
from tests.model.examples import examples
from tests.operations.merge.deeds import TRUSTED, tip
from tests.session.histories import History, build, histories

MINE = b"a person's own\n"


def _plain(main: Path, before: str, head: str) -> str | None:
    """The tree of a plain merge in a clone; None where it stops."""
    with tempfile.TemporaryDirectory() as passing:
        clone = Path(passing) / "clone"
        git(main, "clone", "-q", "--no-local", "--no-checkout", str(main), str(clone))
        git(clone, "fetch", "-q", str(main), f"{head}:refs/heads/theirs", check=False)
        git(clone, "checkout", "-q", "--detach", before)
        try:
            git(clone, "merge", "-q", "--no-ff", "-m", "Plain", head)
        except GitFailedError:
            return None
        return git(clone, "rev-parse", "HEAD^{tree}")


@examples(10)
@given(history=histories(1, 1), own=st.sets(st.integers(0, 40), max_size=2), ignored=st.booleans())
def test_it_lands_exactly_where_git_merge_would(history: History, own: set[int], ignored: bool) -> None:
    with tempfile.TemporaryDirectory() as passing:
        main = build(Path(passing), history)
        feat = next(path for path in main.parent.iterdir() if path != main)
        git(main, "config", "user.name", "Ada")
        git(main, "config", "user.email", "ada@example.com")
        if ignored:
            (main / ".git/info/exclude").write_text("*\n")
        wanted = git_bytes(main, "ls-tree", "-r", "-z", "--name-only", tip(main, feat.name)).split(b"\0")
        placed = {}
        for number in own:
            path = main / wanted[number % len(wanted)].decode()
            if path != main and not os.path.lexists(path) and path.parent.is_dir():
                path.write_bytes(MINE)
                placed[path] = MINE
        before, status = tip(main), git_bytes(main, "status", "--porcelain", "-z", "--ignored", "-uall")
        plan = plan_merge(main, feat.name, TRUSTED, MergeChoices(commit="The rest"))
        assert not isinstance(plan, Failure), plan
        result = apply_merge(plan)
        codes = {one.code for one in result.findings if one.severity == "blocks"}
        if result.outcome == "merged":
            assert git(main, "rev-parse", "main^{tree}") == _plain(main, before, tip(main, feat.name))
            assert git(main, "diff", "HEAD") == ""
        else:
            assert result.outcome == "refused", result
            assert codes <= {"conflict", "would-overwrite", "nothing-to-merge"}, result
            assert (tip(main), git_bytes(main, "status", "--porcelain", "-z", "--ignored", "-uall")) == (before, status)
            if codes == {"conflict"} and git(feat, "status", "--porcelain") == "":
                assert _plain(main, before, tip(main, feat.name)) is None
        for path, content in placed.items():
            assert path.read_bytes() == content
        assert recover_all(main) == ()
