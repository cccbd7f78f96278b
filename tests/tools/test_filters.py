"""Filters of real tools: git-lfs, git-crypt, nbstripout and git-annex."""

from pathlib import Path

from tests.cli.conftest import spawn
from tests.harness import add_worktree, git, write
from tests.tools.judging import REFUSED, asked, by_git, by_sidecar, do
from tests.tools.test_drivers import notebook, verdicts

LEFT_OUT = "The repository's own filter was left out, because the repository is not trusted."
LINES = "".join(f"line {number}\n" for number in range(1, 10))


def test_notebooks_that_nbstripout_strips_meet_as_git_sees_them(main: Path) -> None:
    do(main, "nbstripout", "--install", "--attributes", ".gitattributes")
    do(main, "git", "add", ".gitattributes")
    do(main, "git", "commit", "-qm", "chore: strip")
    do(main, "git", "config", "filter.nbstripout.smudge")
    feat = add_worktree(main, "feat")
    (main / "a.ipynb").write_text(notebook("x = 1", count=1))
    do(main, "git", "add", "a.ipynb")
    do(main, "git", "commit", "-qm", "feat: a")
    (feat / "a.ipynb").write_text(notebook("x = 1", count=7))
    do(feat, "git", "add", "a.ipynb")
    do(feat, "git", "commit", "-qm", "feat: a too")
    (feat / "a.ipynb").write_text(notebook("x = 1", count=9))
    assert do(feat, "git", "status", "--porcelain") in ("", " M a.ipynb\n")
    assert verdicts(asked(main, "overlaps", "feat", "--trust")) == {"identical"}
    plain = by_git(main, "feat")
    assert plain != REFUSED


def test_lfs_content_is_merged_as_in_git_merge(main: Path) -> None:
    do(main, "git", "lfs", "install", "--skip-repo")
    do(main, "git", "lfs", "track", "*.dat")
    do(main, "git", "add", ".gitattributes")
    do(main, "git", "commit", "-qm", "chore: lfs")
    (main / "a.dat").write_text(LINES)
    do(main, "git", "add", ".")
    do(main, "git", "commit", "-qm", "feat: data")
    feat = main.parent / "feat"
    do(main, "git", "worktree", "add", "-q", "-b", "feat", feat)
    (feat / "a.dat").write_text(LINES * 2)
    do(feat, "git", "commit", "-qam", "feat: more")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat", verify="test $(wc -l < a.dat) = 18") == plain


def test_a_filter_of_an_untrusted_repository_that_is_left_out_is_named(main: Path) -> None:
    do(main, "git", "lfs", "install", "--local", "--skip-repo")
    do(main, "git", "lfs", "track", "*.dat")
    (main / "a.dat").write_text(LINES)
    do(main, "git", "add", ".")
    do(main, "git", "commit", "-qm", "feat: data")
    feat = main.parent / "feat"
    do(main, "git", "worktree", "add", "-q", "-b", "feat", feat)
    (feat / "a.dat").write_text(LINES * 2)
    do(feat, "git", "commit", "-qam", "feat: more")
    other = main.parent / "other"
    do(main, "git", "worktree", "add", "-q", "-b", "other", other)
    for worktree in (main, other):  # so that git reads the file again
        (worktree / "a.dat").touch()
    for command in ("overlaps",), ("check", "a.dat"):
        assert LEFT_OUT in spawn(main, *command).out
        assert LEFT_OUT not in spawn(main, *command, "--trust").out


def test_a_repository_that_git_crypt_unlocked_is_read_and_merged(main: Path) -> None:
    """Its filter looks for the key in the git directory of the worktree in which it runs."""
    do(main, "git-crypt", "init")
    write(main, {".gitattributes": "*.key filter=git-crypt diff=git-crypt\n", "a.key": LINES})
    do(main, "git", "add", ".")
    do(main, "git", "commit", "-qm", "feat: keys")
    feat = main.parent / "feat"
    do(main, "git", "worktree", "add", "-q", "--no-checkout", "-b", "feat", feat)
    keys = Path(git(feat, "rev-parse", "--git-dir")) / "git-crypt"
    keys.symlink_to(main / ".git" / "git-crypt")
    do(feat, "git", "reset", "-q", "--hard")
    (feat / "b.txt").write_text("beside the keys\n")
    do(feat, "git", "add", ".")
    do(feat, "git", "commit", "-qm", "feat: b")
    assert asked(main, "overlaps", "--trust")["overlaps"] == []
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat") == plain


def test_a_worktree_whose_git_file_annex_made_a_link_is_one_like_any_other(main: Path) -> None:
    do(main, "git", "annex", "init", "--quiet")
    (main / "large.bin").write_bytes(bytes(5000))
    do(main, "git", "annex", "add", "--quiet", "large.bin")
    do(main, "git", "commit", "-qm", "feat: large")
    feat = main.parent / "feat"
    do(main, "git", "worktree", "add", "-q", "-b", "feat", feat)
    assert (feat / ".git").is_symlink()
    (feat / "b.txt").write_text("b\n")
    do(feat, "git", "add", "b.txt")
    do(feat, "git", "commit", "-qm", "feat: b")
    (feat / "a.txt").write_text("edited\n")
    (one,) = [one for one in asked(main, "status")["worktrees"] if one["path"] == str(feat)]
    assert (one["problem"], one["integration"]["state"]) == (None, "not-integrated"), one
    do(feat, "git", "checkout", "-q", "a.txt")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat") == plain
    do(main, "git", "merge", "-q", "--no-edit", "feat")
    released = asked(main, "release", "feat", "--yes")
    assert released["outcome"] == "released", released
    assert not feat.exists()
    assert asked(main, "restore", released["receipt"])["outcome"] == "restored"
    assert do(feat, "git", "status", "--porcelain") == ""
    assert (feat / "b.txt").read_text() == "b\n"


def test_what_sidecar_opens_in_an_annex_is_there(main: Path) -> None:
    do(main, "git", "annex", "init", "--quiet")
    said = asked(main, "open", "task")
    assert said["outcome"] == "opened", said
    assert do(Path(said["path"]), "git", "status", "--porcelain") == ""
    assert "task" in git(main, "worktree", "list")


def test_lfs_content_that_only_a_released_worktree_has_survives_or_is_named(tmp_path: Path, main: Path) -> None:
    """`git lfs prune` looks at branches and tags only, not at what a release keeps."""
    do(main, "git", "init", "-q", "--bare", tmp_path / "origin.git")
    do(main, "git", "remote", "add", "origin", tmp_path / "origin.git")
    do(main, "git", "lfs", "install", "--skip-repo")
    do(main, "git", "lfs", "track", "*.dat")
    (main / "a.dat").write_text(LINES)
    do(main, "git", "add", ".")
    do(main, "git", "commit", "-qm", "feat: data")
    do(main, "git", "push", "-q", "-u", "origin", "main")
    feat = main.parent / "feat"
    do(main, "git", "worktree", "add", "-q", "-b", "feat", feat)
    for number in range(3):
        (feat / "a.dat").write_text(LINES + f"version {number}\n")
        do(feat, "git", "commit", "-qam", f"feat: version {number}")
    plan = asked(main, "release", "feat", "--dry-run")
    allow = [one["code"] for one in plan["findings"] if one["severity"] == "blocks"]
    named = any("lfs" in one["message"].lower() for one in plan["findings"])
    released = asked(main, "release", "feat", "--yes", *(word for code in allow for word in ("--allow", code)))
    assert released["outcome"] == "released", released
    do(main, "git", "lfs", "prune")
    assert asked(main, "restore", released["receipt"])["outcome"] == "restored"
    there = "version 1" in do(feat, "git", "show", "HEAD:a.dat") or "version 1" in do(
        feat, "sh", "-c", "git show HEAD~1:a.dat | git lfs smudge", check=False
    )
    assert there or named
