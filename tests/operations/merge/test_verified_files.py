"""Verify has the files that land, and only those: not another checkout's, none missing without a word."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.operations.merge.run import MergeChoices
from tests.harness import add_worktree, commit, git, init, write
from tests.operations.merge.deeds import assert_nothing_left, merged, only, tip


def verified(main: Path, line: str, name: str = "feat") -> tuple[str, set[str]]:
    """The outcome of a merge that runs this, and the codes of what was found."""
    result = merged(main, name, MergeChoices(verify=line))
    assert_nothing_left(main)
    return result.outcome, {one.code for one in result.findings}


# ---- sparse ----


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Trunk with two folders; the branch breaks a file in one of them."""
    main = init(tmp_path / "shop")
    commit(main, {"css/f": "good\n", "js/f": "good\n"}, "Begin")
    commit(add_worktree(main, "feat"), {"js/f": "broken\n"}, "Break it")
    return main


BROKEN = "! grep -rq broken --exclude-dir=.git ."


@pytest.mark.parametrize("how", [("css",), ("--no-cone", "/css/"), ("--sparse-index", "css")])
def test_sparse_trunk_is_verified_with_all_files(broken: Path, how: tuple[str, ...]) -> None:
    git(broken, "sparse-checkout", "set", *how)
    before = tip(broken)
    assert verified(broken, BROKEN)[0] == "failed"
    assert tip(broken) == before
    assert verified(broken, "test -f js/f && test -f css/f")[0] == "merged"
    assert git(broken, "status", "--porcelain") == ""
    assert not (broken / "js").exists()


def test_sparse_main_is_nothing_to_trunk_elsewhere(broken: Path, tmp_path: Path) -> None:
    git(broken, "switch", "-q", "-c", "other")
    git(broken, "worktree", "add", "-q", str(tmp_path / "trunk"), "main")
    git(broken, "sparse-checkout", "set", "css")
    assert verified(tmp_path / "trunk", BROKEN)[0] == "failed"
    assert verified(tmp_path / "trunk", "test -f js/f")[0] == "merged"


# ---- links ----


@pytest.mark.parametrize(
    "prepare",
    [
        'ln -s "$SIDECAR_CHECKOUT/node_modules" .',
        'ln -s "$SIDECAR_WORKTREE/node_modules" .',
        'mkdir -p node_modules/@us && ln -s "$SIDECAR_CHECKOUT/dir" node_modules/@us/lib',
        'd=node_modules/.pnpm/us@1/node_modules && mkdir -p $d && ln -s "$SIDECAR_CHECKOUT" $d/us',
        'mkdir -p a/b && ln -s "$SIDECAR_CHECKOUT/node_modules" a/b/',
        'ln -s "$SIDECAR_CHECKOUT/a.txt" .env',
        'ln -s "$SIDECAR_CHECKOUT" /tmp/sidecar-way-$$ && mv /tmp/sidecar-way-$$ way',
        'mkdir -p .venv/lib/site-packages && echo "$SIDECAR_CHECKOUT/src" > .venv/lib/site-packages/us.pth',
        "mkdir -p .venv/lib && echo \"MAPPING = {'us': '$SIDECAR_CHECKOUT/us'}\" > .venv/lib/__editable___us.py",
        'mkdir -p .venv/bin && touch .venv/pyvenv.cfg && echo "#!$SIDECAR_CHECKOUT/.venv/bin/python" > .venv/bin/x',
    ],
)
def test_what_leads_into_another_checkout_is_refused(main: Path, feat: Path, prepare: str) -> None:
    git(main, "config", "sidecar.prepare", prepare)
    before = tip(main)
    result = merged(main, choices=MergeChoices(verify="true"))
    found = only(result.findings)
    assert (result.outcome, found.code, len(found.paths)) == ("failed", "links-elsewhere", 1)
    assert str(main.parent) in found.message
    assert "npm ci" in found.message
    assert tip(main) == before
    assert_nothing_left(main)


def test_a_link_that_verify_makes_itself_is_found_too(main: Path, feat: Path) -> None:
    assert verified(main, 'ln -s "$SIDECAR_CHECKOUT/dir" lib') == ("failed", {"links-elsewhere"})


def test_what_leads_anywhere_else_is_fine(main: Path, feat: Path, tmp_path: Path) -> None:
    (tmp_path / "shop-2").mkdir()
    prepare = f"""
    mkdir -p node_modules .venv/bin packages/lib && touch .venv/pyvenv.cfg && ln -s ../packages/lib node_modules/lib
    ln -s {sys.executable} .venv/bin/python && echo "#!$PWD/.venv/bin/python" > .venv/bin/pytest
    ln -s {tmp_path}/shop-2 near && echo {tmp_path}/shop-2/src > near.pth && ln -s nowhere dangling && ln -s loop loop
    """
    git(main, "config", "sidecar.prepare", prepare)
    assert verified(main, "test -d node_modules/lib && test -d near") == ("merged", set())


def test_a_tree_that_passed_when_less_was_looked_at_is_tried_again(main: Path, feat: Path, tmp_path: Path) -> None:
    import hashlib

    line, tree = f"echo ran >> {tmp_path}/runs", git(main, "merge-tree", "--write-tree", "main", "feat")
    sidecar_dir = main / ".git/sidecar"
    sidecar_dir.mkdir(mode=0o700)
    known = f"{hashlib.sha256(bytes(1) + line.encode()).hexdigest()} {tree}"
    (sidecar_dir / "verified").write_text(json.dumps({"schema": 1, "passed": [known]}))
    assert verified(main, line)[0] == "merged"
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_what_is_ignored_in_trunks_checkout_is_lent_to_hooks_and_not_to_verify(main: Path, feat: Path) -> None:
    (main / "local").mkdir()
    (main / "local/tool").write_text("#!/bin/sh\n")
    hook = main / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntest -f local/tool && test -f debug.log\n")
    hook.chmod(0o755)
    assert verified(main, "test ! -e local && test ! -e debug.log") == ("merged", set())
    assert (main / "local/tool").exists()


# ---- npm ----


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
def test_a_branch_that_breaks_a_package_of_an_npm_workspace_does_not_land(tmp_path: Path) -> None:
    """The recipe of a link to trunk's node_modules had it pass: `lib` was trunk's own."""
    main = init(tmp_path / "shop")
    package, test = {"private": True, "workspaces": ["packages/*"]}, {"test": "node test.js"}
    files = {
        ".gitignore": "node_modules/\n",
        "package.json": json.dumps({**package, "name": "shop", "scripts": {"test": "npm test -w app"}}),
        "packages/lib/package.json": json.dumps({"name": "lib", "version": "1.0.0", "main": "index.js"}),
        "packages/lib/index.js": "module.exports = 1\n",
        "packages/app/package.json": json.dumps({"name": "app", "version": "1.0.0", "scripts": test}),
        "packages/app/test.js": "if (require('lib') !== 1) process.exit(1)\n",
    }
    write(main, files)
    quiet = ("--offline", "--no-audit", "--no-fund", "--no-update-notifier")
    subprocess.run(["npm", "install", *quiet], cwd=main, check=True, capture_output=True)
    commit(main, {}, "Begin")
    feat = add_worktree(main, "feat")
    commit(feat, {"packages/lib/index.js": "module.exports = 2\n"}, "Break it")
    git(main, "config", "sidecar.prepare", 'ln -s "$SIDECAR_CHECKOUT/node_modules" .')
    assert verified(main, "npm test") == ("failed", {"links-elsewhere"})
    git(main, "config", "sidecar.prepare", f"npm ci {' '.join(quiet)}")
    assert verified(main, "npm test") == ("failed", {"verify-failed"})
    commit(feat, {"packages/lib/index.js": "module.exports = 2 - 1\n"}, "Mend it")
    assert verified(main, "npm test") == ("merged", set())


# ---- submodules ----


@pytest.fixture
def lib(tmp_path: Path, home: Path) -> Path:
    """The origin of a submodule, which has two commits."""
    with open(home / ".gitconfig", "a", encoding="utf-8") as config:
        config.write('[protocol "file"]\n\tallow = always\n')
    path = init(tmp_path / "lib.origin")
    commit(path, {"l": "1\n"}, "One")
    return path


@pytest.fixture
def with_lib(tmp_path: Path, lib: Path) -> Path:
    """Trunk with the submodule checked out, and a worktree beside it without."""
    main = init(tmp_path / "shop")
    git(main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), "lib")
    commit(main, {"f": "f\n"}, "Begin")
    commit(add_worktree(main, "feat"), {"f": "feat\n"}, "Work")
    return main


def _state(main: Path) -> tuple[str, str, str]:
    """What must not change of trunk's own submodule."""
    own = main / "lib"
    return (
        git(own, "status", "--porcelain", "--branch"),
        (main / ".git/modules/lib/config").read_text(),
        tip(own, "HEAD"),
    )


def test_a_submodule_is_there_as_it_lands(with_lib: Path) -> None:
    before = _state(with_lib)
    assert verified(with_lib, 'test "$(cat lib/l)" = 1 && git -C lib status --porcelain') == ("merged", set())
    assert _state(with_lib) == before


def test_a_commit_of_a_submodule_that_the_branch_has(with_lib: Path, lib: Path) -> None:
    """It is pushed, and trunk's checkout has not fetched it; nothing is fetched for verify either."""
    feat = with_lib.parent / "feat"
    git(feat, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    new = commit(lib, {"l": "2\n"}, "Two")
    git(feat / "lib", "-c", "protocol.file.allow=always", "fetch", "-q", "origin")
    git(feat / "lib", "checkout", "-q", new)
    commit(feat, {}, "Another lib")
    lib.rename(lib.with_name("away"))
    before = _state(with_lib)
    assert verified(with_lib, 'test "$(cat lib/l)" = 2 && git -C lib log -2 --format=%s') == ("merged", set())
    assert _state(with_lib) == before
    assert git(with_lib, "fsck", "--connectivity-only") == ""


def test_a_submodule_that_is_nowhere_here_is_named(with_lib: Path, tmp_path: Path) -> None:
    git(with_lib, "submodule", "deinit", "-q", "--all")
    runs = tmp_path / "runs"
    assert verified(with_lib, f"ls lib | wc -l >> {runs}; exit 0") == ("merged", {"submodule-missing"})
    git(with_lib, "reset", "-q", "--hard", "HEAD~1")
    assert verified(with_lib, f"ls lib | wc -l >> {runs}; exit 0") == ("merged", {"submodule-missing"})
    assert [line.strip() for line in runs.read_text().splitlines()] == ["0", "0"], "it was not remembered"


def test_a_prepare_that_updates_submodules_leaves_trunks_own_alone(with_lib: Path) -> None:
    git(with_lib, "config", "sidecar.prepare", "git submodule update --init --quiet")
    before = _state(with_lib)
    assert verified(with_lib, "echo broken > lib/l && git -C lib commit -qam 'In verify' && cat lib/l")[0] == "merged"
    assert _state(with_lib) == before
    git(with_lib, "submodule", "deinit", "-q", "--all")
    commit(with_lib.parent / "feat", {"f": "more\n"}, "More")
    assert verified(with_lib, "test -f lib/l") == ("merged", set())


def test_a_hook_that_updates_submodules_leaves_trunks_own_alone(with_lib: Path) -> None:
    hook = with_lib / ".git/hooks/pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit submodule update --init --force --quiet && test -f lib/l\n")
    hook.chmod(0o755)
    before = _state(with_lib)
    assert verified(with_lib, "") == ("merged", set())
    assert _state(with_lib) == before


def test_a_submodule_in_a_submodule_is_there_too(with_lib: Path, lib: Path, tmp_path: Path) -> None:
    deep = init(tmp_path / "deep")
    commit(deep, {"d": "d\n"}, "Deep")
    git(with_lib / "lib", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(deep), "deep")
    commit(with_lib / "lib", {}, "With a submodule")
    commit(with_lib, {}, "Another lib")
    assert verified(with_lib, "test -f lib/deep/d") == ("merged", set())


# ---- what stands for content ----


def test_pointers_are_named(main: Path, feat: Path, tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    commit(
        feat, {".gitattributes": "*.dat filter=lfs\n", "x.dat": pointer, "y.txt": pointer, "z.dat": "whole\n"}, "Large"
    )
    result = merged(main, choices=MergeChoices(verify="true"))
    found = only(result.findings, "info")
    assert (result.outcome, found.code, found.paths) == ("merged", "pointers", ("x.dat",))
    assert "git lfs pull" in found.message
    assert not (main / ".git/sidecar/verified").exists()
    assert_nothing_left(main)
