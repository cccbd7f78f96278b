"""Integration as `status` and a live Picture show it."""

from pathlib import Path

import pytest

from sidecar.model.picture import Integration
from sidecar.session.once import look
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, commit_index, git, tick, write
from tests.harness import state_of as everything_of
from tests.session.pictures import pictured, state_of
from tests.session.stories import Story, begin, text, two_commits
from tests.session.watching import Live, watching

OPEN = Integration("not-integrated")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return begin(tmp_path)


def shown(story: Story) -> Integration:
    """What somebody who looks now sees."""
    return state_of(pictured(look(story.main)), story.work).integration


def until(live: Live, story: Story, wanted: Integration) -> None:
    live.until(lambda picture: state_of(picture, story.work).integration == wanted)


def test_a_squash_is_seen(story: Story) -> None:
    two_commits(story)
    assert shown(story) == OPEN
    story.squash()
    before = everything_of(story.main)
    assert shown(story) == Integration("integrated", "merge-adds-nothing")
    assert everything_of(story.main) == before


def test_with_uncommitted_work_it_is_not_all_integrated(story: Story) -> None:
    two_commits(story)
    story.squash()
    write(story.work, {"b.txt": text({1: "one\n"})})
    assert shown(story) == OPEN
    git(story.work, "checkout", "--quiet", "--", "b.txt")
    write(story.work, {"a.txt": text()})  # as it was where the branch left trunk
    assert shown(story) == OPEN


def test_only_uncommitted_work(story: Story) -> None:
    write(story.work, {"a.txt": text({3: "three\n"})})
    assert shown(story) == OPEN
    write(story.main, {"a.txt": text({3: "three\n"})})
    commit(story.main)
    assert shown(story) == OPEN


def test_no_work(story: Story) -> None:
    assert shown(story) == Integration("no-work")
    story.on_trunk({"b.txt": text({1: "one\n"})})
    assert shown(story) == Integration("no-work")
    git(story.work, "merge", "--quiet", "--ff-only", "main")
    assert shown(story) == Integration("no-work")


def test_detached(story: Story) -> None:
    git(story.work, "switch", "--quiet", "--detach")
    assert shown(story) == Integration("no-work")
    story.on_work({"a.txt": text({3: "three\n"})})
    assert shown(story) == OPEN
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge(name=story.head())
    assert shown(story) == Integration("integrated", "ancestor")


def test_without_a_reflog_a_merge_tells(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge()
    (story.main / ".git/logs/refs/heads/work").unlink()
    with watching(story.main) as live:
        until(live, story, Integration("integrated", "ancestor"))
        live.until_fresh()
    assert story.proof().integration == Integration("integrated", "ancestor")


def test_live(story: Story) -> None:
    two_commits(story)
    with watching(story.main) as live:
        assert state_of(live.pictures[0], story.work).integration == OPEN
        before = story.tip()
        story.squash()
        until(live, story, Integration("integrated", "merge-adds-nothing"))
        live.until_fresh()
        write(story.work, {"b.txt": "more\n"})
        until(live, story, OPEN)
        git(story.work, "checkout", "--quiet", "--", "b.txt")
        until(live, story, Integration("integrated", "merge-adds-nothing"))
        story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"})})
        until(live, story, Integration("integrated", "same-content"))
        git(story.main, "reset", "--quiet", "--hard", before)
        until(live, story, OPEN)
        live.until_fresh()


def test_many_at_once_live(story: Story) -> None:
    others = [add_worktree(story.main, f"other{number}") for number in range(4)]
    for number, other in enumerate(others):
        commit(other, {f"{number}.txt": f"{number}\n"})
    with watching(story.main) as live:
        for other in others[:3]:
            git(story.main, "merge", "--quiet", "--squash", other.name, env=tick(story.main))
            commit_index(story.main)

        def states() -> list[str]:
            picture = live.session.picture
            return [state_of(picture, other).integration.state for other in others] if picture else []

        eventually(lambda: states() == [*["integrated"] * 3, "not-integrated"])
        live.until_fresh()


def test_the_first_picture_waits_for_no_proof(story: Story) -> None:
    two_commits(story)
    story.squash()
    with watching(story.main) as live:
        until(live, story, Integration("integrated", "merge-adds-nothing"))
        first = live.pictures[0]
        assert state_of(first, story.work).integration == OPEN
        proved = live.session.proved(first)
        assert proved is not None, "who asks for proofs gets those that came after the Picture"
        assert state_of(proved, story.work).integration == Integration("integrated", "merge-adds-nothing")
