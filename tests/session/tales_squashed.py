"""Tales of work that trunk has as one commit (T1 to T3)."""

from tests.harness import Executable, Symlink, commit_index, git
from tests.session.stories import Story, overlapping, text, two_commits, warned, yes


@yes("merge-adds-nothing")
def squash(story: Story) -> None:
    two_commits(story)
    story.squash()


@yes("merge-adds-nothing")
def squash_after_trunk_edited_other_lines(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"}), "b.txt": text({1: "one\n"})})
    story.squash()


@yes("merge-adds-nothing")
def squash_then_other_lines(story: Story) -> None:
    squash(story)
    story.on_trunk({"a.txt": text({3: "three\n", 20: "twenty\n", 10: "ten\n"})})


@yes("merge-adds-nothing")
def rebase(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.rebased_copy()
    git(story.main, "merge", "--quiet", "--ff-only", "copy")


@yes("merge-adds-nothing")
def rebased_copy_merged(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.rebased_copy()
    story.merge(name="copy")


@yes("merge-adds-nothing")
def cherry_picked_all(story: Story) -> None:
    picked = two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.pick(*picked)


@yes("merge-adds-nothing")
def rename_squashed(story: Story) -> None:
    git(story.work, "mv", "a.txt", "z.txt")
    story.on_work({"z.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({20: "twenty\n"})})
    story.squash()


@yes("merge-adds-nothing")
def squash_where_trunk_renamed(story: Story) -> None:
    two_commits(story)
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()
    story.squash()


@yes("merge-adds-nothing")
def binary_squashed(story: Story) -> None:
    story.on_work({"x.bin": b"\0\1\2", "a.txt": text({1: "one\n"})})
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.squash()


@yes("merge-adds-nothing")
def mode_squashed(story: Story) -> None:
    story.on_work({"a.txt": Executable(text())})
    story.on_trunk({"a.txt": text({1: "one\n"})})
    story.squash()


@yes("merge-adds-nothing")
def link_squashed(story: Story) -> None:
    story.on_work({"l": Symlink("a.txt")})
    story.squash()


@yes("merge-adds-nothing")
def deletion_squashed(story: Story) -> None:
    story.on_work({"a.txt": None})
    story.squash()


@yes("merge-adds-nothing")
def empty_commit_beside_work(story: Story) -> None:
    two_commits(story)
    story.on_work({}, "Nothing")
    story.squash()


@yes("merge-adds-nothing")
def squash_of_a_branch_that_merged_trunk(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.merge_trunk()
    story.on_work({"a.txt": text({3: "three\n", 10: "ten\n", 20: "twenty\n"})})
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.squash()


@yes("merge-adds-nothing")
def squash_with_content_in_the_branchs_own_merge(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({3: "trunk's\n"})})
    git(story.work, "merge", "--no-edit", "main", check=False)
    story.on_work({"a.txt": text({3: "both\n"})})
    story.squash()


@yes("merge-adds-nothing")
def two_squashes(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    story.squash()
    story.on_work({"b.txt": text({3: "three\n"})})
    story.squash()


@yes("same-content")
def squash_then_same_lines_edited(story: Story) -> None:
    squash(story)
    story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"}), "new.txt": "newer\n"})


@yes("same-content")
def squash_then_file_deleted(story: Story) -> None:
    squash(story)
    story.on_trunk({"a.txt": None, "new.txt": None})


@yes("same-content")
def squash_then_file_renamed_and_edited(story: Story) -> None:
    squash(story)
    git(story.main, "mv", "new.txt", "newer.txt")
    story.on_trunk({"newer.txt": "newer\n"})


@yes("same-content")
def squash_of_a_new_file_then_deleted(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.squash()
    story.on_trunk({"new.txt": None})


@yes("same-content")
def binary_squashed_then_changed(story: Story) -> None:
    story.on_work({"x.bin": b"\0\1\2"})
    story.squash()
    story.on_trunk({"x.bin": b"\0\3"})


@yes("same-content")
def overlapping_commits_squashed_then_edited(story: Story) -> None:
    overlapping(story)
    story.squash()
    story.on_trunk({"a.txt": text({3: "drei\n"})})


@warned("same-content", "a.txt", "new.txt")
def squash_reverted(story: Story) -> None:
    two_commits(story)
    story.revert(story.squash())


@warned("same-content", "new.txt")
def squash_of_a_new_file_reverted(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.revert(story.squash())


@warned("same-content", "new.txt")
def squash_of_a_new_file_reverted_by_a_forge(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.squash(message="Add a file (#12)")
    story.on_trunk({"new.txt": None}, 'Revert "Add a file (#12)" (#13)\n\nReverts shop/shop#12')


@warned("same-content", "a.txt")
def squash_partly_reverted(story: Story) -> None:
    squash(story)
    story.on_trunk({"a.txt": text()})


@yes("replayed")
def squash_between_edits(story: Story) -> None:
    squash_after_trunk_edited_other_lines(story)
    story.on_trunk({"a.txt": text({3: "3\n", 10: "zehn\n", 20: "20\n"})})


@yes("replayed")
def squash_where_trunk_renamed_then_edited(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()
    story.squash()
    story.on_trunk({"z.txt": text({3: "drei\n"})})


@warned("replayed", "a.txt")
def mode_squashed_then_taken_back(story: Story) -> None:
    mode_squashed(story)
    story.on_trunk({"a.txt": text({1: "eins\n"})})
    git(story.main, "update-index", "--chmod=-x", "a.txt")
    (story.main / "a.txt").chmod(0o644)
    commit_index(story.main)


@yes("replayed")
def rebased_copy_merged_then_edited(story: Story) -> None:
    rebased_copy_merged(story)
    story.on_trunk({"a.txt": text({3: "3\n", 10: "10\n", 20: "20\n"})})


@warned("replayed", "a.txt", "new.txt")
def replayed_squash_reverted(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.revert(story.squash())


@yes("replayed")
def squash_of_a_renamed_file_that_trunk_changed_much(story: Story) -> None:
    story.on_trunk({"small": "1\n2\n3\n4\n5\n6\n"})
    git(story.work, "merge", "--quiet", "--ff-only", "main")
    git(story.work, "mv", "small", "moved")
    story.on_work()
    story.on_trunk({"small": "1\n2\none\ntwo\nthree\nfour\n"})
    story.squash()
    story.on_trunk({"b.txt": text({1: "one\n"})})


@warned("same-content", "a.txt", "new.txt")
def squash_reverted_after_trunk_renamed_the_file(story: Story) -> None:
    two_commits(story)
    squashed = story.squash()
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()
    story.on_trunk({"b.txt": text({1: "one\n"})})
    story.revert(squashed)


@warned("merge-adds-nothing", "a.txt", "new.txt")
def squash_after_a_merge_with_ours(story: Story) -> None:
    two_commits(story)
    story.merge("--strategy=ours")
    story.on_work({"b.txt": text({3: "three\n"})})
    story.squash()


@warned("same-content", "new.txt")
def squash_of_a_new_file_reverted_back_and_again(story: Story) -> None:
    story.on_work({"new.txt": "new\n"})
    story.revert(story.revert(story.revert(story.squash())))
