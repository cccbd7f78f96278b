"""Git as the person has it: what is handed to it and what it says go on at the same time."""

from pathlib import Path

from sidecar.git.process import Place
from sidecar.git.user_git import UserGit, run_user_git
from tests.harness import init


def test_one_that_answers_while_it_is_handed_more_than_a_pipe_holds(tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    given = b"nothing\n" * 200_000
    said = run_user_git(UserGit("merge-20260101-000000"), Place(str(main)), "cat-file", "--batch-check", stdin=given)
    assert said.ok
    assert said.output.endswith("nothing missing\n")


def test_one_that_reads_nothing_is_not_waited_for(tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    given = b"x" * (1 << 20)
    assert run_user_git(UserGit("merge-20260101-000000"), Place(str(main)), "version", stdin=given).status == 0
