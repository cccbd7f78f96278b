"""Tales of commits that trunk has (T0)."""

from tests.harness import commit_index, git, tick
from tests.session.stories import Story, text, two_commits, warned, yes


@yes("ancestor")
def fast_forward(story: Story) -> None:
    two_commits(story)
    git(story.main, "merge", "--quiet", "--ff-only", "work")


@yes("ancestor")
def fast_forward_then_edited(story: Story) -> None:
    fast_forward(story)
    story.on_trunk({"a.txt": text({3: "trunk's three\n", 20: "trunk's twenty\n"})})


@yes("ancestor")
def merge_commit(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge()


@yes("ancestor")
def merge_then_same_lines_edited(story: Story) -> None:
    merge_commit(story)
    story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"}), "new.txt": "newer\n"})


@yes("ancestor")
def merge_then_files_deleted(story: Story) -> None:
    merge_commit(story)
    story.on_trunk({"a.txt": None, "new.txt": None})


@yes("ancestor")
def merge_then_file_renamed_and_edited(story: Story) -> None:
    merge_commit(story)
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk({"z.txt": text({3: "three\n", 20: "20\n"})})


@yes("ancestor")
def merge_of_a_file_that_trunk_renamed(story: Story) -> None:
    two_commits(story)
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()
    story.merge()


@yes("ancestor")
def merge_with_a_conflict_resolved(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({3: "trunk's\n"})})
    git(story.main, "merge", "--no-ff", "--no-edit", "work", check=False)
    story.on_trunk({"a.txt": text({3: "three and trunk's\n", 20: "twenty\n"})})


@yes("ancestor")
def merge_reverted_and_reverted_again(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.revert(story.revert(story.merge(), "-m1"))


@yes("ancestor")
def octopus(story: Story) -> None:
    two_commits(story)
    git(story.main, "branch", "other")
    git(story.main, "switch", "--quiet", "other")
    story.on_trunk({"o.txt": "o\n"})
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"b.txt": text({1: "one\n"})})
    git(story.main, "merge", "--quiet", "--no-edit", "work", "other", env=tick(story.main))


@yes("ancestor")
def merged_through_another_branch(story: Story) -> None:
    two_commits(story)
    git(story.main, "switch", "--quiet", "-c", "develop")
    story.on_trunk({"b.txt": text({1: "one\n"})})
    git(story.main, "merge", "--quiet", "--no-edit", "work", env=tick(story.main))
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"b.txt": text({30: "thirty\n"})})
    story.merge(name="develop")


@warned("ancestor", "a.txt", "new.txt")
def merged_with_ours(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge("--strategy=ours")


@warned("ancestor", "a.txt", "new.txt")
def merged_with_ours_where_trunk_edited_the_same_lines(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"})})
    story.merge("--strategy=ours")
    story.on_trunk({"a.txt": text({3: "drei\n", 20: "zwanzig\n"})})


@yes("ancestor")
def merged_with_ours_and_taken_later(story: Story) -> None:
    _, second = two_commits(story)
    story.merge("--strategy=ours")
    git(story.main, "checkout", "--quiet", second, "--", ".")
    commit_index(story.main)


@warned("ancestor", "a.txt", "new.txt")
def merge_reverted(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.revert(story.merge(), "-m1")


@warned("ancestor", "a.txt", "new.txt")
def merge_reverted_then_edited(story: Story) -> None:
    merge_reverted(story)
    story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"})})


@warned("ancestor", "a.txt", "new.txt")
def fast_forward_with_one_commit_reverted(story: Story) -> None:
    fast_forward(story)
    story.revert(story.head())


@warned("ancestor", "new.txt")
def merge_whose_new_file_is_reverted(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.revert(story.merge(), "-m1")


@yes("ancestor")
def own_revert_merged(story: Story) -> None:
    two_commits(story)
    git(story.work, "revert", "--no-edit", "HEAD", env=tick(story.work))
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.merge()


@warned("ancestor", "a.txt", "new.txt")
def merged_with_ours_where_trunk_renamed(story: Story) -> None:
    two_commits(story)
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()
    story.merge("--strategy=ours")


@warned("ancestor", "new.txt")
def merge_of_a_new_file_reverted_back_and_again(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.revert(story.revert(story.revert(story.merge(), "-m1")))
