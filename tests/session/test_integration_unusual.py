"""The proof where history is unusual: cut off, rewritten in name, of another hash, far away, or too much of it."""

from pathlib import Path

import pytest

from sidecar.git import history as witnesses
from sidecar.model.proof import Proof
from tests.harness import Symlink, commit, commit_index, git, init, tick, write
from tests.harness import state_of as everything_of
from tests.session.stories import Story, begin, overlapping, proof_of, text, two_commits


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return begin(tmp_path)


def said(proof: Proof) -> tuple[str, str | None]:
    return proof.integration.state, proof.integration.how


YES, NO = ("integrated", "merge-adds-nothing"), ("not-integrated", None)


def test_what_lacks_a_proof_is_told(story: Story) -> None:
    first, second = two_commits(story)
    third = story.on_work({"b.txt": text({4: "four\n"}), "new.txt": "newer\n"}, "Third: ünicode\n\nMore of it.")
    story.on_trunk({"b.txt": text({20: "trunk's\n"})})
    story.pick(first)
    proof = story.proof()
    assert said(proof) == NO
    assert [(one.commit, one.subject, one.paths) for one in proof.unproven] == [
        (third, "Third: ünicode", ("b.txt", "new.txt")),
        (second, "Second", ("a.txt", "new.txt")),
    ]


def test_what_trunk_never_had_it_has_not_undone(story: Story) -> None:
    """A commit that undoes one of the branch's own has no proof in a trunk that lacks both."""
    added = story.on_work({"a.txt": text({3: "line 3\nmore\n"})}, "Added")
    undone = story.on_work({"a.txt": text()}, "Undone")
    more = story.on_work({"b.txt": text({3: "three\n"})}, "More")
    story.on_trunk({"a.txt": text({20: "twenty\n"})})
    assert [one.commit for one in story.proof().unproven] == [more, undone, added]


def test_reading_leaves_no_trace(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.squash()
    story.on_work({"b.txt": "more\n"})
    before = everything_of(story.main)
    assert said(story.proof()) == NO
    assert everything_of(story.main) == before


def test_no_work_and_work_by_the_reflog(story: Story) -> None:
    assert said(story.proof()) == ("no-work", None)
    assert said(story.proof(branch=None)) == ("no-work", None)
    two_commits(story)
    git(story.main, "merge", "--quiet", "--ff-only", "work")
    assert said(story.proof()) == ("integrated", "ancestor")


def test_a_receipt(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({3: "resolved by hand\n", 20: "also\n"}), "new.txt": "by hand\n"})
    assert said(story.proof()) == NO
    ours = {(story.head(), story.tip())}
    proof = story.proof(receipts=ours)
    assert said(proof) == ("integrated", "receipt")
    assert (proof.witness, proof.missing) == (story.tip(), ())
    for none in ("1" * 40, "None", "--all", ""):
        assert said(story.proof(receipts={(story.head(), none)})) == NO
    git(story.main, "reset", "--quiet", "--hard", "HEAD~1")
    assert said(story.proof(receipts=ours)) == NO


def test_work_after_a_receipt(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"a.txt": text({3: "resolved by hand\n", 20: "also\n"})})
    ours = {(story.head(), story.tip())}
    more = story.on_work({"b.txt": text({3: "three\n"})}, "More")
    assert [one.commit for one in story.proof(receipts=ours).unproven] == [more]
    story.pick(more)
    assert said(story.proof(receipts=ours)) == ("integrated", "commit-by-commit")


def test_merged_upstream(story: Story, tmp_path: Path) -> None:
    two_commits(story)
    git(story.main, "clone", "--quiet", "--bare", ".", tmp_path / "origin.git")
    git(story.main, "remote", "add", "origin", tmp_path / "origin.git")
    story.squash()
    git(story.main, "push", "--quiet", "origin", "main")
    git(story.main, "fetch", "--quiet", "origin")
    git(story.main, "reset", "--quiet", "--hard", "HEAD~1")
    proof = story.proof()
    assert (said(proof), proof.upstream) == (NO, "origin/main")
    assert proof.unproven
    git(story.main, "branch", "--quiet", "--set-upstream-to=origin/main")
    assert story.proof().upstream == "origin/main"
    git(story.main, "merge", "--quiet", "--ff-only", "origin/main")
    assert (said(story.proof()), story.proof().upstream) == (YES, None)


def test_another_hash(tmp_path: Path) -> None:
    main = init(tmp_path / "main", "--object-format=sha256")
    commit(main, {"a.txt": text()}, "Begin")
    git(main, "worktree", "add", "--quiet", "-b", "work", tmp_path / "work")
    story = Story(main, tmp_path / "work")
    two_commits(story)
    assert said(story.proof()) == NO
    story.squash()
    assert said(story.proof()) == YES
    story.on_trunk({"a.txt": text({3: "3\n", 20: "20\n"})})
    assert said(story.proof()) == ("integrated", "same-content")


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_shallow(story: Story, tmp_path: Path, depth: int) -> None:
    """Where the history is cut off nothing is proved that is not so."""
    story.on_trunk({"b.txt": text({1: "one\n"})})
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n", 2: "two\n"})})
    story.squash()
    story.on_trunk({"b.txt": text({1: "one\n", 3: "three\n"})})
    unmerged = story.on_work({"b.txt": text({20: "twenty\n"})})
    clone = tmp_path / f"clone{depth}"
    git(tmp_path, "clone", "--quiet", f"--depth={depth}", "--no-single-branch", f"file://{story.main}", clone)
    assert said(proof_of(clone, unmerged)) == NO
    squashed = git(story.main, "rev-parse", "work~1")
    if not git(clone, "cat-file", "-t", squashed, check=False):
        return
    assert said(proof_of(clone, squashed)) in ([NO] if depth < 4 else [YES])


def test_replacements_and_grafts_prove_nothing(story: Story) -> None:
    two_commits(story)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    git(story.main, "replace", "--graft", "main", "main~1", "work")
    assert git(story.main, "merge-base", "--is-ancestor", "work", "main", check=False) == ""
    assert story.head() in git(story.main, "rev-list", "main").split()
    assert said(story.proof()) == NO
    git(story.main, "replace", "--delete", "main")
    write(story.main, {".git/info/grafts": f"{story.tip()} {git(story.main, 'rev-parse', 'main~1')} {story.head()}\n"})
    assert story.head() in git(story.main, "rev-list", "main").split()
    assert said(story.proof()) == NO


def test_a_submodule(story: Story, tmp_path: Path) -> None:
    one, two, three = ("1" * 40, "2" * 40, "3" * 40)

    def point(worktree: Path, oid: str) -> None:
        git(worktree, "update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
        commit_index(worktree)

    point(story.main, one)
    git(story.work, "merge", "--quiet", "--ff-only", "main")
    point(story.work, two)
    assert said(story.proof()) == NO
    point(story.main, three)
    assert said(story.proof()) == NO
    point(story.main, two)
    assert said(story.proof()) == YES
    point(story.main, three)
    assert said(story.proof()) == ("integrated", "same-content")


@pytest.mark.parametrize("name", ["-d", "a](b)", ":(top)x", "*", "with\nline end", "ü space", "x\\y", "[a-z]"])
def test_names_of_all_kinds(story: Story, name: str) -> None:
    story.on_work({name: "odd\n"})
    assert said(story.proof()) == NO
    story.squash()
    story.on_trunk({name: "changed\n"})
    assert said(story.proof()) == ("integrated", "same-content")


def test_names_that_are_not_utf8(story: Story) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    story.on_work({name: "odd\n"}, "Odd")
    assert story.proof().unproven[0].paths == (name,)
    story.squash()
    story.on_trunk({name: "changed\n"})
    assert said(story.proof()) == ("integrated", "same-content")


def test_a_link_instead_of_a_file(story: Story) -> None:
    (story.work / "a.txt").unlink()
    story.on_work({"a.txt": Symlink("b.txt")})
    story.on_trunk({"a.txt": text({3: "three\n"})})
    assert said(story.proof()) == NO
    (story.main / "a.txt").unlink()
    story.on_trunk({"a.txt": Symlink("b.txt")})
    assert said(story.proof()) == YES


def test_more_paths_than_git_is_told(story: Story) -> None:
    files = {f"many/{number}.txt": f"{number}\n" for number in range(witnesses.MOST_NAMED * 2)}
    story.on_work(files)
    story.on_trunk({"b.txt": text({1: "one\n"})})
    assert said(story.proof()) == NO
    story.squash()
    story.on_trunk({"many/1.txt": "changed\n", "many/2.txt": None})
    assert said(story.proof()) == ("integrated", "same-content")


def test_what_was_not_looked_at_is_said(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    overlapping(story)
    story.squash()
    for number in range(4):
        story.on_trunk({"a.txt": text({3: f"{number}\n"})})
    assert (said(story.proof()), story.proof().remark) == (("integrated", "same-content"), None)
    monkeypatch.setattr("sidecar.session.proof_steps.MOST_STEPS", 3)
    monkeypatch.setattr("sidecar.git.history.MOST_STEPS", 3)
    proof = story.proof()
    assert said(proof) == NO
    assert proof.remark == "Only the newest 3 of trunk's commits since then were looked at."


def test_many_commits_of_its_own(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        story.on_work({"a.txt": text({3: f"{number}\n"})})
    monkeypatch.setattr("sidecar.session.proof_pieces.MOST_OWN", 3)
    proof = story.proof()
    assert (said(proof), len(proof.unproven)) == (NO, 4)
    assert proof.remark == "Only branches of up to 3 commits are looked at commit by commit."
    story.squash()
    assert (said(story.proof()), story.proof().remark) == (YES, None)


def test_a_missing_blob_is_no_proof(story: Story) -> None:
    """As in a partial clone: nothing is fetched, and nothing proved by it."""
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({10: "ten\n"})})
    story.squash()
    story.on_trunk({"a.txt": text({3: "three\n", 10: "ten\n", 20: "twenty\n"})})
    oid = git(story.main, "rev-parse", "work:a.txt")
    blob = story.main / ".git/objects" / oid[:2] / oid[2:]
    blob.rename(blob.with_suffix(".gone"))
    proof = story.proof()
    assert said(proof) == NO
    assert proof.remark is not None and oid in proof.remark
    blob.with_suffix(".gone").rename(blob)
    assert said(story.proof()) == YES


def test_a_stopped_proof_is_none(story: Story) -> None:
    overlapping(story)
    story.on_trunk({"a.txt": text({20: "twenty\n"})})
    story.squash()
    assert said(story.proof()) == YES
    proof = proof_of(story.main, story.head(), branch="work", cancelled=lambda: True)
    assert (said(proof), proof.remark) == (NO, "Not everything was looked at.")


def test_a_head_that_is_not_there(story: Story) -> None:
    proof = proof_of(story.main, "1" * 40)
    assert said(proof) == NO
    assert proof.remark is not None


def test_the_persons_own_settings_prove_nothing(story: Story, home: Path) -> None:
    """A driver of the person's own keeps trunk's side of every file, so that every merge adds nothing."""
    write(home, {".config/git/attributes": "* merge=keep\n", ".gitconfig": '[merge "keep"]\n\tdriver = true\n'})
    story.on_work({"a.txt": text({3: "three\n"})})
    story.on_trunk({"a.txt": text({20: "line 20\nthree\n"})})
    own = {"XDG_CONFIG_HOME": str(home / ".config"), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    assert git(story.main, "merge-tree", "--write-tree", "main", "work", env=own) == git(
        story.main, "rev-parse", "main^{tree}"
    )
    assert said(story.proof()) == NO


def test_stacked_branches(story: Story) -> None:
    overlapping(story)
    git(story.work, "switch", "--quiet", "-c", "upper")
    upper = story.on_work({"a.txt": text({3: "THREE!\n"})}, "Upper")
    story.on_trunk({"a.txt": text({20: "trunk's\n"})})
    story.squash()
    proof = story.proof(branch="upper")
    assert (said(proof), [one.commit for one in proof.unproven]) == (NO, [upper])
    git(story.main, "cherry-pick", upper, env=tick(story.main))
    story.on_trunk({"a.txt": text({3: "3\n", 20: "trunk's\n"})})
    assert story.proof(branch="upper").integration.state == "integrated"
