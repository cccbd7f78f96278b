"""Without files laid out, git makes the same commit; where anything may read files, they are laid out."""

import os
import random
from pathlib import Path

import pytest

from sidecar.git.process import Place
from sidecar.git.refs import is_ancestor
from sidecar.operations.merge import make_commit as making
from sidecar.operations.merge.run import MergeChoices
from tests.harness import add_worktree, commit, git, init
from tests.harness.killing import build
from tests.operations.merge.deeds import assert_nothing_left, hook, merged, tip

FIXED = {f"GIT_{who}_DATE": "1767225600 +0000" for who in ("AUTHOR", "COMMITTER")}


def _both_ways(main: Path, choices: MergeChoices, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commit that is made with everything laid out, and the one without."""
    before, made = tip(main), []
    for name, value in FIXED.items():
        monkeypatch.setenv(name, value)
    for lean in (False, True):
        monkeypatch.setattr(making, "is_lean", lambda _repository, lean=lean: lean)
        result = merged(main, choices=choices)
        assert result.outcome == "merged", result
        assert git(main, "diff-files", "--name-only") == ""
        made.append(tip(main))
        assert_nothing_left(main)
        git(main, "reset", "-q", "--hard", before)
    return made


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_same_commit_of_every_kind_of_change(
    tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = build(tmp_path, 60)
    git(site.main, "reset", "-q", "--hard")
    commit(site.main, {"src/2/f2.txt": "trunk\n", "t/new.txt": "t\n"}, "Trunk")
    full, lean = _both_ways(site.main, MergeChoices(strategy), monkeypatch)  # type: ignore[arg-type]
    assert full == lean


@pytest.mark.parametrize("seed", range(3))
def test_the_same_commit_with_attributes_and_renames(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    main = init(tmp_path / "shop")
    git(main, "config", "merge.directoryRenames", "true")
    names = [f"{chance.choice('abc')}/{number}.{chance.choice('ubt')}" for number in range(30)]
    files = {name: "".join(f"line {number} of {name}\n" for number in range(30)) for name in names}
    attributes = {
        ".gitattributes": "*.u merge=union\n*.t text eol=crlf\n",
        "b/.gitattributes": "*.u -merge\n*.b text\n",
    }
    commit(main, files | attributes, "Begin")
    feat = add_worktree(main, "feat")
    for number, (path, text) in enumerate(files.items()):
        if path.endswith(".u") and not path.startswith("b/"):
            commit(main, {path: text + f"trunk {number}\n"}, "Trunk")
            commit(feat, {path: text + f"feat {number}\n"}, "Feat")
        elif number % 3 == 0:
            git(feat, "mv", path, path.replace("/", "/moved-", 1))
            commit(main, {path: f"trunk {number}\n" + text}, "Trunk")
        else:
            commit(feat, {path: text.replace("line 3 ", "line three ")}, "Feat")
    commit(feat, {}, "Moved")
    git(feat, "mv", "a", "z") if (feat / "a").exists() else None
    commit(feat, {}, "A directory moved")
    commit(main, {"a/late.txt": "late\n"}, "Into the directory that moved")
    full, lean = _both_ways(main, MergeChoices(), monkeypatch)
    assert full == lean


def test_hooks_drivers_and_verify_have_all_files(main: Path, feat: Path, tmp_path: Path) -> None:
    hook(main, "pre-merge-commit", f"ls > {tmp_path}/seen")
    assert merged(main).outcome == "merged"
    assert "b.txt" in (tmp_path / "seen").read_text()


def test_nothing_is_laid_out_where_nothing_reads_it(main: Path, feat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[list[str]] = []

    def look(where: Place, old: str, new: str) -> bool:
        (place,) = (Path(os.environ["XDG_CACHE_HOME"]) / "worktree-sidecar").glob("*/sidecar-merge-*")
        looked.append(sorted(path.name for path in place.iterdir()))
        return is_ancestor(where, old, new)

    monkeypatch.setattr(making, "is_ancestor", look)
    assert merged(main).outcome == "merged"
    assert looked == [[".git"]]
    assert git(main, "config", "--list", "--local").count("sparse") == 0
