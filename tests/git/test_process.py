"""Running git: what it gets to see, how it fails, and that nothing of it stays."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sidecar.git import process
from sidecar.git.process import Conversation, GitError, GitMissingError, Place, environment, run
from tests.git.leaving import children, descriptors
from tests.harness import commit, git, init, write

POINTERS = {
    "GIT_DIR": "/nowhere",
    "GIT_WORK_TREE": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere",
    "GIT_OBJECT_DIRECTORY": "/nowhere",
    "GIT_COMMON_DIR": "/nowhere",
    "GIT_NAMESPACE": "other",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.bare",
    "GIT_CONFIG_VALUE_0": "true",
    "GIT_CONFIG_PARAMETERS": "'core.bare'='true'",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_TRACE": "1",
    "GIT_SSH_COMMAND": "false",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_DEFAULT_HASH": "sha256",
}


def test_nothing_of_the_caller_points_git_elsewhere(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook, where GIT_DIR and GIT_INDEX_FILE are set."""
    for name, value in POINTERS.items():
        monkeypatch.setenv(name, value)
    assert not POINTERS.keys() & environment({}).keys()
    assert run(Place(str(repo)), "rev-parse", "--show-toplevel", "--is-bare-repository") == f"{repo}\nfalse\n".encode()


def test_the_persons_own_set_up_is_kept(repo: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "other.config").write_text("[user]\n\tname = Person\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "other.config"))
    assert run(Place(str(repo)), "config", "user.name") == b"Person\n"


def test_messages_are_in_english_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    assert environment({})["LC_ALL"] == "C"
    assert environment({})["GIT_TERMINAL_PROMPT"] == "0"
    with pytest.raises(GitError, match=r"^not a git repository"):
        run(Place(str(tmp_path)), "rev-parse", "--git-dir")


def test_a_place_names_the_repository(repo: Path) -> None:
    place = Place("/", {"GIT_DIR": str(repo / ".git")}).plus(GIT_WORK_TREE=str(repo))
    assert place.cwd == "/"
    assert run(place, "rev-parse", "--git-dir") == f"{repo}/.git\n".encode()
    assert run(place, "rev-parse", "--show-toplevel") == f"{repo}\n".encode()


def test_config_pairs_take_any_key(repo: Path) -> None:
    """Also those that `-c` can't say, with `=` in them."""
    pairs = [("filter.a=b.clean", "cat"), ("remote.x y.url", "u=v"), ("user.name", "")]
    place = Place(str(repo)).set(pairs[:1]).set(pairs[1:])
    for key, value in pairs:
        assert run(place, "config", key) == value.encode() + b"\n"


def test_settings_win_over_what_is_configured_there(repo: Path) -> None:
    git(repo, "config", "user.name", "There")
    assert run(Place(str(repo)).set([("user.name", "Here")]), "config", "user.name") == b"Here\n"


def test_a_refusal_is_one_line_with_the_status(repo: Path) -> None:
    with pytest.raises(GitError) as refusal:
        run(Place(str(repo)), "rev-parse", "--verify", "nothing")
    assert refusal.value.message == "Needed a single revision"
    assert refusal.value.status == 128
    assert run(Place(str(repo)), "config", "no.such", accept=(0, 1)) == b""
    with pytest.raises(GitError, match="git config failed"):
        run(Place(str(repo)), "config", "no.such")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not there") as refusal:
        run(Place(str(tmp_path / "gone")), "version")
    assert not isinstance(refusal.value, GitMissingError)
    (tmp_path / "file").touch()
    with pytest.raises(GitError, match=str(tmp_path / "file")):
        run(Place(str(tmp_path / "file")), "version")


def test_no_git_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError, match="Install git"):
        run(Place(str(tmp_path)), "version")
    with pytest.raises(GitError):
        Conversation(Place(str(tmp_path)), "version")


def test_a_git_that_hangs_is_given_up(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TIMEOUT", 0.3)
    git(repo, "config", "alias.hang", "!exec sleep 20")
    with pytest.raises(GitError, match="gave no answer"):
        run(Place(str(repo)), "hang")


def test_standard_input_is_what_was_given_or_nothing(repo: Path) -> None:
    assert run(Place(str(repo)), "hash-object", "--stdin", stdin=b"text\n") == f"{_blob(repo, 'text')}\n".encode()
    assert run(Place(str(repo)), "hash-object", "--stdin") == f"{_blob(repo, '')}\n".encode()


def _blob(repo: Path, text: str) -> str:
    return git(repo, "hash-object", "--stdin", input=text and text + "\n")


def test_reading_takes_no_locks(repo: Path) -> None:
    """A status that could refresh the index leaves it alone, so that no person's git meets a lock of ours."""
    before = (repo / ".git/index").stat().st_mtime_ns
    os.utime(repo / "README.md", (1, 1))
    run(Place(str(repo)), "status")
    assert (repo / ".git/index").stat().st_mtime_ns == before
    git(repo, "status")
    assert (repo / ".git/index").stat().st_mtime_ns != before


def test_a_conversation_goes_on(repo: Path) -> None:
    talk = Conversation(Place(str(repo)), "cat-file", "--batch-check")
    head = git(repo, "rev-parse", "HEAD").encode()
    for _ in range(3):
        answer = talk.ask(head + b"\n", b"\n")
        assert answer.startswith(head + b" commit ")
    talk.close()
    talk.close()


def test_a_long_answer_comes_whole(tmp_path: Path) -> None:
    """More than a pipe holds."""
    repository = init(tmp_path / "r")
    text = b"line\n" * 400_000
    write(repository, {"large": text})
    commit(repository)
    talk = Conversation(Place(str(repository)), "cat-file", "--batch")
    talk.ask(b"HEAD:large\n", b"\n")
    assert talk.read(len(text) + 1) == text + b"\n"
    talk.close()


def test_a_conversation_that_git_ends(repo: Path) -> None:
    talk = Conversation(Place(str(repo)), "rev-parse", "HEAD")
    with pytest.raises(GitError, match="ended early"):
        talk.ask(b"", b"never")
    with pytest.raises(GitError, match="ended early"):
        talk.ask(b"more\n", b"never")
    talk.close()


def test_a_conversation_in_which_git_keeps_silent(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TIMEOUT", 0.2)
    talk = Conversation(Place(str(repo)), "cat-file", "--batch")
    with pytest.raises(GitError, match="gave no answer"):
        talk.ask(b"HEAD", b"never")
    talk.close()


def test_a_conversation_is_out_of_the_terminals_reach(repo: Path) -> None:
    """Ctrl+C is for the sidecar, which ends its processes in order."""
    before = children()
    talk = Conversation(Place(str(repo)), "cat-file", "--batch")
    (talking,) = children() - before
    assert os.getsid(talking) != os.getsid(0)
    talk.close()


def test_nothing_stays_of_conversations(repo: Path) -> None:
    before = descriptors(), children()
    for _ in range(5):
        talk = Conversation(Place(str(repo)), "cat-file", "--batch")
        talk.ask(b"HEAD\n", b"\n")
        talk.close()
    assert (descriptors(), children()) == before


def test_a_conversation_ends_with_us(repo: Path) -> None:
    """When the sidecar is killed, git reads the end of its input and goes too."""
    code = (
        "import sys; from sidecar.git.process import Conversation, Place\n"
        f"talk = Conversation(Place({str(repo)!r}), 'cat-file', '--batch')\n"
        "print(talk._process.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    with owner:
        assert owner.stdout is not None
        talking = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
        owner.wait()
        talking.wait(timeout=10)
