"""Tales of work that trunk has not, or that nothing proves to be there."""

from tests.harness import Executable, git, tick
from tests.session.stories import Story, no, text, two_commits


@no
def unmerged(story: Story) -> None:
    two_commits(story)


@no
def unmerged_while_trunk_works_on_the_same_file(story: Story) -> None:
    two_commits(story)
    for number in (1, 10, 29):
        story.on_trunk({"a.txt": text({number: "trunk's\n"})})


@no
def squashed_and_went_on(story: Story) -> None:
    two_commits(story)
    story.squash()
    story.on_work({"b.txt": text({1: "one\n"})})


@no
def one_of_two_picked(story: Story) -> None:
    first, _ = two_commits(story)
    story.pick(first)


@no
def half_of_a_commit_taken(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"new.txt": "new\n"})


@no
def one_hunk_of_two_taken(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n", 20: "twenty\n"})})
    story.on_trunk({"a.txt": text({3: "three\n"})})


@no
def differs_by_white_space(story: Story) -> None:
    story.on_work({"a.txt": text({3: "if x:\n        three\n"})})
    story.on_trunk({"a.txt": text({3: "if x:\n    three\n"})})


@no
def same_lines_elsewhere(story: Story) -> None:
    story.on_work({"a.txt": text({3: "line 3\nextra\n"})})
    story.on_trunk({"a.txt": text({20: "line 20\nextra\n"})})


@no
def mode_not_taken(story: Story) -> None:
    story.on_work({"a.txt": Executable(text({1: "one\n"}))})
    story.on_trunk({"a.txt": text({1: "one\n"})})


@no
def other_binary(story: Story) -> None:
    story.on_work({"x.bin": b"\0\1\2"})
    story.on_trunk({"x.bin": b"\0\1"})


@no
def a_revert_of_its_own_not_taken(story: Story) -> None:
    first, _ = two_commits(story)
    git(story.work, "revert", "--no-edit", first, env=tick(story.work))
    story.pick(first)


@no
def net_empty(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    git(story.work, "revert", "--no-edit", "HEAD", env=tick(story.work))
    story.on_trunk({"b.txt": text({1: "one\n"})})


@no
def only_an_empty_commit(story: Story) -> None:
    story.on_work({}, "Nothing")


@no
def taken_back_while_trunk_took_it(story: Story) -> None:
    """The branch's second commit undoes what trunk had once itself, before it took the first."""
    story.on_work({"a.txt": text({3: "three\n"})}, "First")
    first = story.head()
    story.on_work({"a.txt": text()}, "Second")
    story.on_trunk({"a.txt": text({3: "3\n"})})
    story.on_trunk({"a.txt": text()})
    story.pick(first)


@no
def deleted_but_renamed_by_trunk(story: Story) -> None:
    story.on_work({"a.txt": None})
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk()


@no
def a_driver_that_keeps_ours(story: Story) -> None:
    story.on_trunk({".gitattributes": "a.txt merge=keep\n"})
    story.merge_trunk()
    git(story.main, "config", "merge.keep.driver", "true")
    git(story.main, "config", "merge.default", "keep")
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({20: "twenty\nthree\n"})})


@no
def a_driver_that_unites(story: Story) -> None:
    story.on_trunk({".gitattributes": "*.txt merge=union\n"})
    story.merge_trunk()
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({3: "line 3\nthree\n"})})


@no
def content_dropped_by_ours_then_went_on(story: Story) -> None:
    two_commits(story)
    story.merge("--strategy=ours")
    story.on_work({"b.txt": text({3: "three\n"})})


@no
def content_in_its_own_merge(story: Story) -> None:
    first, second = two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    git(story.work, "merge", "--no-commit", "main", env=tick(story.work))
    story.on_work({"evil.txt": "evil\n"})
    story.pick(first, second)


@no
def criss_cross(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    work, trunk = story.head(), story.tip()
    story.merge(name=work)
    git(story.work, "merge", "--quiet", "--no-ff", "--no-edit", trunk, env=tick(story.work))
    story.on_work({"d/c.txt": text({5: "five\n"})})
    story.squash()


@no
def unrelated(story: Story) -> None:
    git(story.work, "switch", "--quiet", "--orphan", "apart")
    story.on_work({"a.txt": text(), "apart.txt": "apart\n"})
    story.on_trunk({"apart.txt": "apart\n"})


@no
def dropped_by_the_merge_that_brought_a_copy(story: Story) -> None:
    picked = two_commits(story)
    git(story.main, "switch", "--quiet", "-c", "copy")
    story.on_trunk({"b.txt": text({1: "one\n"})})
    git(story.main, "cherry-pick", *picked, env=tick(story.main))
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"b.txt": text({30: "thirty\n"})})
    story.merge("--strategy=ours", name="copy")


@no
def edited_where_trunk_renamed(story: Story) -> None:
    story.on_work({"a.txt": text({3: "three\n"})})
    git(story.main, "mv", "a.txt", "z.txt")
    story.on_trunk({"z.txt": text({10: "ten\n"})})
    story.on_trunk({"z.txt": text({10: "zehn\n"})})


@no
def renamed_where_trunk_edited(story: Story) -> None:
    git(story.work, "mv", "a.txt", "z.txt")
    story.on_work({"z.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({3: "three\n"})})


@no
def put_back_as_trunk_once_was_elsewhere(story: Story) -> None:
    """What one line of trunk was before it met the line that the branch left is no witness."""
    git(story.main, "switch", "--quiet", "-c", "other")
    story.on_trunk({"a.txt": text({3: "three\n"})})
    git(story.work, "merge", "--quiet", "--ff-only", "other")
    story.on_work({"a.txt": text()})
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"a.txt": text({5: "five\n"})})
    story.on_trunk({"a.txt": text()})
    story.merge(name="other")


@no
def dropped_by_a_merge_that_changed_the_file_otherwise(story: Story) -> None:
    picked = two_commits(story)
    git(story.main, "switch", "--quiet", "-c", "copy")
    git(story.main, "cherry-pick", *picked, env=tick(story.main))
    git(story.main, "switch", "--quiet", "main")
    story.on_trunk({"b.txt": text({30: "thirty\n"})})
    git(story.main, "merge", "--quiet", "--no-commit", "--strategy=ours", "copy")
    story.on_trunk({"a.txt": text({10: "ten\n"}), "new.txt": "another\n"})
