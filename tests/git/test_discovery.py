"""Finding the repository of a folder, whatever the folder is."""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.git.repository import find_common_dir, list_worktrees
from sidecar.session.once import look
from tests.git.opening import opened, refused
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import pictured


def test_from_every_folder(repo: Path) -> None:
    linked = add_worktree(repo, "linked")
    nested = add_worktree(repo, ".claude/worktrees/nested")
    write(linked, {"deep/down/a.txt": "a\n"})
    folders = [repo, repo / ".git", repo / ".git/refs/heads", linked, linked / "deep/down", nested, repo / ".claude"]
    folders += [repo / ".git/worktrees/linked"]
    for folder in folders:
        assert find_common_dir(folder) == str(repo / ".git"), folder


def test_from_a_file_or_a_folder_that_is_not_there_yet(repo: Path) -> None:
    """Editors ask about files, and about folders that are about to be made."""
    for path in (repo / "README.md", repo / "new", repo / "new/er/est.txt"):
        assert find_common_dir(path) == str(repo / ".git")


def test_a_bare_repository(tmp_path: Path) -> None:
    bare = init(tmp_path / "project.git", "--bare")
    for folder in (bare, bare / "refs", bare / "hooks"):
        assert opened(folder).common_dir == str(bare)


def test_a_bare_repository_that_is_not_named(tmp_path: Path, home: Path) -> None:
    """Where safe.bareRepository is explicit, a worktree of it is the way in."""
    bare = init(tmp_path / "project.git", "--bare")
    first = init(tmp_path / "first")
    commit(first, {"a.txt": "a\n"})
    git(bare, "fetch", "--quiet", str(first), "main:main")
    git(bare, "worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    (home / ".gitconfig").write_text("[safe]\n\tbareRepository = explicit\n")
    failure = refused(bare)
    assert (failure.code, "Run sidecar in a worktree of it." in failure.message) == ("unsafe-repository", True)
    assert [found.problem for found in list_worktrees(opened(tmp_path / "linked"))] == [None, None]


def test_a_bare_repository_with_worktrees_beside_it(tmp_path: Path) -> None:
    """The layout of many who work with worktrees: project/.bare, project/.git that names it, project/main."""
    project = tmp_path / "project"
    bare = init(project / ".bare", "--bare")
    (project / ".git").write_text("gitdir: ./.bare\n")
    first = init(tmp_path / "first")
    commit(first, {"a.txt": "a\n"})
    git(bare, "fetch", "--quiet", str(first), "main:main")
    git(project, "worktree", "add", "--quiet", str(project / "main"), "main")
    for folder in (project, bare, project / "main"):
        repository = opened(folder)
        assert repository.common_dir == str(bare)
        assert [(found.name, found.bare, found.problem) for found in list_worktrees(repository)] == [
            (".bare", True, None),
            ("main", False, None),
        ]


def test_a_git_directory_elsewhere(tmp_path: Path) -> None:
    """`git init --separate-git-dir`: seen from inside, and from a linked worktree, which can't know the main one."""
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere.git"
    init(work, "--separate-git-dir", str(elsewhere))
    commit(work, {"a.txt": "a\n", "deep/b.txt": "b\n"})
    for folder in (work, work / "deep"):
        repository = opened(folder)
        assert repository.common_dir == str(elsewhere)
        (main,) = list_worktrees(repository)
        assert (main.key, main.name, main.main, main.problem) == (str(work), "work", True, None)
    git(work, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    for folder in (tmp_path / "linked", elsewhere):
        main, linked = list_worktrees(opened(folder))
        assert main.problem is not None and not main.readable
        assert linked.problem is None
    assert [found.problem for found in list_worktrees(opened(work))] == [None, None]


@pytest.mark.parametrize("how", ["link", "file"])
def test_a_git_directory_under_another_name_beside(tmp_path: Path, how: str) -> None:
    """`.git` is a link to `.git.nosync`, or a file that names it: the main worktree is known from everywhere."""
    work = init(tmp_path / "work")
    commit(work, {"a.txt": "a\n", "deep/b.txt": "b\n"})
    (work / ".git").rename(work / ".git.nosync")
    if how == "link":
        (work / ".git").symlink_to(".git.nosync")
    else:
        (work / ".git").write_text("gitdir: .git.nosync\n")
    git(work, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    for folder in (work, work / "deep", work / ".git.nosync", tmp_path / "linked"):
        main, linked = list_worktrees(opened(folder))
        assert (main.key, main.name, main.branch, main.problem) == (str(work), "work", "main", None), folder
        assert linked.problem is None


def _stray_init(repo: Path) -> None:
    """A `git init` somewhere else that has the GIT_DIR of a linked worktree."""
    git(repo.parent, "init", "--quiet", env={"GIT_DIR": str(repo / ".git/worktrees/linked")})


def _in_worktree_config(repo: Path) -> None:
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(repo, "config", "--worktree", "core.bare", "true")


@pytest.mark.parametrize("how", [_stray_init, _in_worktree_config])
def test_a_checkout_that_is_called_bare_is_a_checkout(repo: Path, how: Callable[[Path], None]) -> None:
    linked = add_worktree(repo, "linked")
    how(repo)
    assert git(repo, "rev-parse", "--is-bare-repository") == "true"
    for folder in (repo, linked):
        main = list_worktrees(opened(folder))[0]
        assert (main.key, main.bare, main.branch, main.readable) == (str(repo), False, "main", False)
        assert main.head == git(linked, "rev-parse", "main")
        assert main.problem is not None and "core.bare" in main.problem
        said = main.problem
    mend = said.partition("run: git ")[2].partition(". If")[0]
    git(repo.parent, *shlex.split(mend))
    assert [(found.bare, found.problem) for found in list_worktrees(opened(repo))] == [(False, None)] * 2


def test_a_checkout_with_its_git_directory_elsewhere_that_is_called_bare(tmp_path: Path) -> None:
    work = init(tmp_path / "work", "--separate-git-dir", str(tmp_path / "elsewhere.git"))
    commit(work, {"deep/a.txt": "a\n"})
    git(work, "config", "core.bare", "true")
    for folder in (work, work / "deep"):
        (main,) = list_worktrees(opened(folder))
        assert (main.key, main.bare, main.branch) == (str(work), False, "main")
        assert main.problem is not None and "core.bare" in main.problem


def test_a_bare_repository_with_an_index_but_no_files_is_bare(repo: Path) -> None:
    """As one that was made of a clone on purpose."""
    git(repo, "config", "core.bare", "true")
    (repo / "README.md").unlink()
    assert [(found.bare, found.problem) for found in list_worktrees(opened(repo))] == [(True, None)]


@pytest.fixture
def submodule(tmp_path: Path, repo: Path) -> Path:
    """A submodule `lib` of `repo`."""
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "lib\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    commit(repo)
    return repo / "lib"


def test_a_submodule_is_a_repository_of_its_own(repo: Path, submodule: Path) -> None:
    write(submodule, {"deep/a.txt": "a\n"})
    for folder in (submodule, submodule / "deep"):
        repository = opened(folder)
        assert repository.common_dir == str(repo / ".git/modules/lib")
        (main,) = list_worktrees(repository)
        assert (main.key, main.main, main.problem) == (str(submodule), True, None)
    assert opened(repo).common_dir == str(repo / ".git")


def test_a_worktree_of_a_submodule(repo: Path, submodule: Path, tmp_path: Path) -> None:
    git(submodule, "worktree", "add", "--quiet", str(tmp_path / "lib-work"))
    for folder in (submodule, tmp_path / "lib-work"):
        main, linked = list_worktrees(opened(folder))
        assert (main.key, main.problem) == (str(submodule), None)
        assert (linked.key, linked.problem) == (str(tmp_path / "lib-work"), None)
        assert linked.git_dir == str(repo / ".git/modules/lib/worktrees/lib-work")


def test_a_submodule_in_a_linked_worktree(repo: Path, submodule: Path) -> None:
    linked = add_worktree(repo, "linked")
    git(linked, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    (main,) = list_worktrees(opened(linked / "lib"))
    assert (main.key, main.problem) == (str(linked / "lib"), None)


def test_a_repository_inside_another(repo: Path) -> None:
    inner = init(repo / "vendor/inner")
    assert find_common_dir(inner) == str(inner / ".git")
    assert find_common_dir(repo / "vendor") == str(repo / ".git")


def test_a_caller_who_stands_elsewhere(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR as a hook has it, and a working directory in another repository."""
    other = init(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.chdir(other)
    assert find_common_dir(repo) == str(repo / ".git")


ODD_NAMES = [
    "with space",
    "ünïcödé",
    "trailing ",
    "new\nline",
    "ends\n",
    "tab\there",
    'quo"te',
    "'quotes'",
    "back\\slash",
    "semi;colon",
    "co:lon",
    "#hash",
    "-dash",
    "$(touch x)",
    "%41",
    "*glob?[a]",
    os.fsdecode(b"not-utf8-\xff"),
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_paths(name: str, tmp_path: Path) -> None:
    """Of the repository and of its worktrees, down to what they changed."""
    repository = init(tmp_path / name / "main")
    commit(repository, {"a.txt": "1\n"})
    linked = tmp_path / name / f"{name} linked"
    git(repository, "worktree", "add", "--quiet", "-b", "linked", str(linked))
    write(repository, {"a.txt": "main\n"})
    write(linked, {"a.txt": "linked\n"})
    for folder in (repository, linked):
        picture = pictured(look(folder))
        assert picture.repository == str(repository / ".git")
        assert [(state.worktree.key, state.worktree.problem, state.problem) for state in picture.worktrees] == [
            (str(repository), None, None),
            (str(linked), None, None),
        ]
        assert [(overlap.path, overlap.verdict) for overlap in picture.overlaps] == [("a.txt", "conflict")]


def test_links_are_followed(repo: Path, tmp_path: Path) -> None:
    """One repository has one name, however it was reached."""
    linked = add_worktree(repo, "linked")
    (tmp_path / "link").symlink_to(repo)
    (tmp_path / "link-to-linked").symlink_to(linked)
    for folder in (tmp_path / "link", tmp_path / "link-to-linked"):
        repository = opened(folder)
        assert repository.common_dir == str(repo / ".git")
        assert [worktree.key for worktree in list_worktrees(repository)] == [str(repo), str(linked)]


def test_a_repository_reached_through_a_link_when_it_was_made(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    main = init(tmp_path / "link/main")
    commit(main, {"a.txt": "a\n"})
    linked = add_worktree(main, tmp_path / "link/linked")
    assert [(found.key, found.problem) for found in list_worktrees(opened(linked))] == [
        (str(tmp_path / "real/main"), None),
        (str(tmp_path / "real/linked"), None),
    ]


def test_no_repository(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "not/there", Path("/")):
        failure = refused(folder)
        assert failure.code == "not-a-repository"
        assert str(folder) in failure.message


def test_a_repository_of_the_future(repo: Path) -> None:
    git(repo, "config", "core.repositoryFormatVersion", "1")
    git(repo, "config", "extensions.notYetInvented", "true")
    failure = refused(repo)
    assert failure.code == "unreadable-repository"
    assert "notyetinvented" in failure.message


def test_a_broken_configuration(repo: Path) -> None:
    (repo / ".git/config").write_text("[core\n")
    failure = refused(repo)
    assert failure.code == "unreadable-repository"
    assert "line 1" in failure.message


def test_a_git_file_that_names_nothing(repo: Path, tmp_path: Path) -> None:
    linked = add_worktree(repo, "linked")
    (linked / ".git").write_text(f"gitdir: {tmp_path}/nothing\n")
    assert refused(linked).code == "not-a-repository"
    (linked / ".git").write_text("nonsense\n")
    assert refused(linked).code in ("not-a-repository", "unreadable-repository")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")
def test_a_repository_of_another_user(repo: Path, home: Path) -> None:
    write(repo, {"deep/er/a.txt": "a\n"})
    for path in (repo, repo / ".git"):
        os.chown(path, 65534, 65534)
    for folder in (repo, repo / "deep/er"):
        failure = refused(folder)
        assert failure.code == "unsafe-repository"
        advice = failure.message.partition("run: ")[2]
        assert advice == f"git config --global --add safe.directory {repo}", "the top, or it would not help"
    git(repo, "config", "--file", str(home / ".gitconfig"), "--add", "safe.directory", str(repo))
    assert opened(repo).common_dir == str(repo / ".git")


def test_the_object_format_is_known(tmp_path: Path, repo: Path) -> None:
    assert opened(repo).object_format == "sha1"
    assert opened(init(tmp_path / "sha256", "--object-format=sha256")).object_format == "sha256"


def test_a_repository_that_borrows_objects(repo: Path, tmp_path: Path) -> None:
    """Alternates of alternates, relative ones too."""
    git(tmp_path, "clone", "--quiet", "--shared", str(repo), "middle")
    git(tmp_path, "clone", "--quiet", "--shared", "middle", "last")
    (tmp_path / "middle/.git/objects/info/alternates").write_text("../../../repo/.git/objects\n")
    write(tmp_path / "last", {"README.md": "changed\n"})
    (state,) = pictured(look(tmp_path / "last")).worktrees
    assert state.problem is None
    assert state.changes is not None and list(state.changes.changes) == ["README.md"]


def test_a_folder_that_vanishes(repo: Path) -> None:
    (repo / "deep").mkdir()
    shutil.rmtree(repo / "deep")
    assert find_common_dir(repo / "deep") == str(repo / ".git")
