"""Tales of work that came into trunk piece by piece (T4)."""

from tests.harness import commit_index, git, tick
from tests.session.stories import Story, overlapping, text, two_commits, warned, yes


@yes("commit-by-commit")
def cherry_picked_then_edited_in_between(story: Story) -> None:
    first, second = two_commits(story)
    story.pick(first)
    story.on_trunk({"a.txt": text({3: "drei\n"})})
    story.pick(second)
    story.on_trunk({"a.txt": text({3: "drei\n", 20: "zwanzig\n"})})


@yes("commit-by-commit")
def overlapping_commits_picked_one_by_one(story: Story) -> None:
    first, second = overlapping(story)
    story.on_trunk({"a.txt": text({20: "trunk's\n"})})
    story.pick(first)
    story.on_trunk({"b.txt": text({2: "two\n"})})
    story.on_work({"b.txt": text({20: "twenty\n"})}, "Third")
    third = story.head()
    story.pick(third)
    story.on_trunk({"b.txt": text({20: "zwanzig\n"})})
    story.pick(second)


@yes("replayed")
def picked_in_another_order(story: Story) -> None:
    first, second = two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.pick(second, first)
    story.on_trunk({"a.txt": text({3: "3\n", 10: "ten\n", 20: "twenty\n"})})


@yes("commit-by-commit")
def squashed_then_trunk_merged_into_it(story: Story) -> None:
    overlapping(story)
    story.squash()
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge_trunk()


@yes("replayed")
def two_squashes_over_each_other(story: Story) -> None:
    overlapping(story)
    story.on_trunk({"a.txt": text({20: "trunk's\n"})})
    story.squash()
    base = story.head()
    story.on_work({"a.txt": text({3: "THREE!\n"})})
    story.on_work({"a.txt": text({3: "THREE!!\n"})})
    git(story.main, "cherry-pick", "--no-commit", f"{base}..work")
    commit_index(story.main)
    story.on_trunk({"a.txt": text({3: "3\n", 20: "trunk's\n"})})


@yes("commit-by-commit")
def picked_onto_a_side_and_merged(story: Story) -> None:
    first, second = two_commits(story)
    git(story.main, "switch", "--quiet", "-c", "develop")
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    git(story.main, "cherry-pick", first, env=tick(story.main))
    story.on_trunk({"a.txt": text({3: "drei\n", 10: "ten\n"})})
    git(story.main, "cherry-pick", second, env=tick(story.main))
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"b.txt": text({30: "thirty\n"})})
    story.merge(name="develop")


@warned("replayed", "a.txt", "new.txt")
def cherry_picked_and_one_reverted(story: Story) -> None:
    first, second = two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.pick(first)
    story.revert(story.pick(second))


@yes("commit-by-commit")
def picked_onto_a_side_and_merged_with_edits_of_trunk(story: Story) -> None:
    first, second = two_commits(story)
    git(story.main, "switch", "--quiet", "-c", "develop")
    git(story.main, "cherry-pick", first, env=tick(story.main))
    story.on_trunk({"a.txt": text({3: "drei\n"})})
    git(story.main, "cherry-pick", second, env=tick(story.main))
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"a.txt": text({30: "thirty\n"})})
    story.merge(name="develop")
