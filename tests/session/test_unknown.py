"""What is not known, live: the same as for somebody who looks now, and gone when it can be read again."""

from pathlib import Path

from tests.harness import add_worktree, commit, git, write
from tests.session.pictures import changes_of
from tests.session.watching import watching


def test_what_is_not_known_live_is_what_is_not_known_at_a_look(repo: Path) -> None:
    """A broken index, a folder that is away, a file that is too large: all come and go."""
    git(repo, "config", "sidecar.maxFileSize", "1")
    linked = add_worktree(repo, "linked")
    commit(linked, {"README.md": "# Linked\n"})
    write(repo, {"README.md": "# Main\n"})
    index = Path(git(linked, "rev-parse", "--absolute-git-dir")) / "index"
    said = index.read_bytes()
    with watching(repo) as live:
        index.write_bytes(b"junk")
        live.until(lambda picture: picture.unknown)
        assert [overlap.verdict for overlap in live.until_fresh().overlaps] == ["conflict"]
        index.write_bytes(said)
        live.until(lambda picture: not picture.unknown)
        live.until_fresh()
        linked.rename(linked.with_name("away"))
        live.session.refresh()
        live.until(lambda picture: picture.unknown)
        assert [overlap.verdict for overlap in live.until_fresh().overlaps] == ["conflict"]
        linked.with_name("away").rename(linked)
        live.session.refresh()
        live.until(lambda picture: not picture.unknown)
        write(linked, {"README.md": "x" * 1_100_000})
        live.until(lambda picture: picture.unknown)
        assert live.until_fresh().overlaps == ()
        write(linked, {"README.md": "y" * 1_100_000})
        live.until_fresh()
        write(linked, {"README.md": "# Small\n", "new": "x" * 1_100_000})
        live.until(lambda picture: not picture.unknown and "new" in changes_of(picture, linked))
        live.until_fresh()
        (linked / "new").unlink()
        live.until(lambda picture: "new" not in changes_of(picture, linked))
        live.until_fresh()
