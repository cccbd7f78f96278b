"""A merge runs in its landing repository the hooks that `git merge` runs in trunk's checkout, each of them once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.operations.merge.run import MergeChoices
from tests.harness import commit, git
from tests.operations.merge.deeds import assert_nothing_left, hook, merged, only, tip

NAMES = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-merge",
    "pre-rebase",
)
LOG = """\
#!/bin/sh
. "$(dirname "$0")/beside.sh"
note "$(basename "$0")"
"""


def put_hooks(folder: Path, log: Path) -> Path:
    """Every hook of a merge, each of which needs a file beside it to note its name and its stage."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "beside.sh").write_text(f'note() {{ echo "$1 ${{SIDECAR_STAGE:-plain}}" >> "{log}"; }}\n')
    for name in NAMES:
        (folder / name).write_text(LOG)
        (folder / name).chmod(0o755)
    return folder


def noted(log: Path) -> list[str]:
    """The hooks that ran since the last time, in their order."""
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [line.partition(" ")[0] for line in lines]


def own(main: Path, log: Path) -> None:
    put_hooks(main / ".git/hooks", log)


def tracked(main: Path, log: Path) -> None:
    put_hooks(main / ".githooks", log)
    git(main, "add", ".githooks")
    git(main, "commit", "-q", "-m", "Hooks", "--", ".githooks")
    git(main, "config", "core.hooksPath", ".githooks")


def generated(main: Path, log: Path) -> None:
    """As husky has them: ignored, and made again in every checkout that is set up."""
    put_hooks(main / "local/_", log)
    git(main, "config", "core.hooksPath", "local/_")


def elsewhere(main: Path, log: Path) -> None:
    git(main, "config", "core.hooksPath", str(put_hooks(main.parent / "odd 'name'", log)))


def at_home(main: Path, log: Path) -> None:
    put_hooks(Path.home() / "my hooks", log)
    git(main, "config", "core.hooksPath", "~/my hooks")


def of_the_checkout(main: Path, log: Path) -> None:
    git(main, "config", "extensions.worktreeConfig", "true")
    git(main, "config", "--worktree", "core.hooksPath", str(put_hooks(main.parent / "its own", log)))


def nowhere(main: Path, log: Path) -> None:
    own(main, log)
    git(main, "config", "core.hooksPath", "")


def missing(main: Path, log: Path) -> None:
    own(main, log)
    git(main, "config", "core.hooksPath", "never/made")


@pytest.mark.parametrize(
    "where",
    [own, tracked, generated, elsewhere, at_home, of_the_checkout, nowhere, missing],
    ids=lambda one: one.__name__,
)
def test_the_hooks_are_those_of_a_plain_merge(
    main: Path, feat: Path, tmp_path: Path, where: Callable[[Path, Path], None]
) -> None:
    log = tmp_path / "log"
    where(main, log)
    before = tip(main)
    noted(log)
    git(main, "merge", "-q", "--no-ff", "--no-edit", "feat", env={"HOME": str(Path.home())})
    plain = noted(log)
    assert len(plain) == (0 if where in (nowhere, missing) else 4)
    git(main, "reset", "-q", "--keep", before)
    assert merged(main).outcome == "merged"
    assert noted(log) == plain
    assert_nothing_left(main)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_post_merge_runs_once_in_trunks_checkout(main: Path, feat: Path, tmp_path: Path, strategy: str) -> None:
    commit(main, {"c.txt": "trunk went on\n"}, "Go on")
    log = tmp_path / "log"
    put_hooks(main / ".git/hooks", tmp_path / "others")
    (main / ".git/hooks/post-merge").write_text(f'#!/bin/sh\necho "$PWD $1 $SIDECAR_STAGE" >> "{log}"\n')
    assert merged(main, choices=MergeChoices(strategy)).outcome == "merged"  # type: ignore[arg-type]
    assert log.read_text() == f"{main} 0 land\n"


def test_post_merge_runs_where_it_was_made_if_trunk_is_checked_out_nowhere(
    main: Path, feat: Path, tmp_path: Path
) -> None:
    own(main, tmp_path / "log")
    git(main, "switch", "-q", "-c", "other")
    assert merged(main).outcome == "merged"
    assert (tmp_path / "log").read_text().splitlines().count("post-merge land") == 1


@pytest.mark.parametrize(("strategy", "name"), [("merge", "post-merge"), ("squash", "post-commit")])
def test_a_hook_that_amends_what_has_landed(main: Path, feat: Path, strategy: str, name: str) -> None:
    """As one that puts the version's number into the commit: trunk has the merge, under another id."""
    commit(main, {"c.txt": "trunk went on\n"}, "Go on")
    amend = "[ -f VERSION ] || { echo 2 > VERSION; git add VERSION; git commit -q --amend --no-edit --no-verify; }"
    hook(main, name, amend)
    result = merged(main, choices=MergeChoices(strategy))  # type: ignore[arg-type]
    assert result.outcome == "merged"
    assert result.receipt is not None
    assert tip(main) != result.after
    assert git(main, "show", "main:VERSION") == "2"
    assert (main / "a.txt").read_text() == "one\n2\nthree\n"
    (found,) = [one for one in result.findings if one.code == "trunk-moved"]
    assert found.severity == "info"
    assert found.message.startswith(f"main is at {tip(main)[:10]} by now: ")
    assert_nothing_left(main)


@pytest.mark.parametrize("where", [own, tracked, generated], ids=lambda one: one.__name__)
def test_a_hook_that_says_no_is_obeyed_wherever_it_is(
    main: Path, feat: Path, tmp_path: Path, where: Callable[[Path, Path], None]
) -> None:
    where(main, tmp_path / "log")
    folders: dict[Callable[[Path, Path], None], str] = {own: ".git/hooks", tracked: ".githooks", generated: "local/_"}
    (main / folders[where] / "commit-msg").write_text(
        '#!/bin/sh\ngrep -q TICKET "$1" || { echo "No ticket."; exit 1; }\n'
    )
    before = tip(main)
    result = merged(main)
    assert (result.outcome, only(result.findings).code) == ("failed", "merge-failed")
    assert "No ticket." in only(result.findings).message
    assert tip(main) == before
    assert_nothing_left(main)
    assert merged(main, choices=MergeChoices(message="TICKET 1")).outcome == "merged"
