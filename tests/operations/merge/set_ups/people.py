"""Who commits, how it is signed, what the message is, and which options are set."""

from tests.harness import git
from tests.harness.beside import NINE, World
from tests.harness.repository import commit, write
from tests.operations.merge.set_ups import set_up
from tests.operations.merge.set_ups.content import both_change


@set_up
def an_identity_of_the_repository(world: World) -> None:
    world.plain()
    world.configure("user.name", "Here", cwd=world.main)
    world.hook("commit-msg")


@set_up
def an_identity_by_the_folder(world: World) -> None:
    world.plain()
    (world.home / "work").write_text("[user]\n\tname = At Work\n\temail = work@example.com\n")
    world.configure("--global", f"includeIf.gitdir:{world.root}/shop/.path", str(world.home / "work"))
    world.hook("commit-msg")


@set_up
def an_identity_of_the_home_folder_that_is_not_meant(world: World) -> None:
    """A condition that holds where the landing repository is, and not in trunk's checkout."""
    world.plain()
    (world.home / "private").write_text(
        "[user]\n\tname = At Home\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n"
    )
    world.configure("--global", f"includeIf.gitdir:{world.root}/cache/.path", str(world.home / "private"))


@set_up
def an_identity_by_the_branch(world: World) -> None:
    world.plain()
    (world.home / "trunk").write_text("[user]\n\tname = Trunk Keeper\n")
    world.configure("--global", "includeIf.onbranch:main.path", str(world.home / "trunk"))


@set_up
def an_included_file_of_the_repository(world: World) -> None:
    world.plain({".gitconfig": "[user]\n\tname = Of The Tree\n"})
    world.configure("include.path", "../.gitconfig", cwd=world.main)


@set_up
def an_identity_known_here_only(world: World) -> None:
    world.plain()
    world.configure("--global", "--unset", "user.name")
    world.configure("--global", "user.useConfigOnly", "true")
    world.configure("user.name", "Only Here", cwd=world.main)


SIGN = """#!/bin/sh
cat > /dev/null
printf '\\n[GNUPG:] SIG_CREATED \\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nstub\\n-----END PGP SIGNATURE-----\\n'
"""


@set_up
def signed(world: World) -> None:
    world.plain()
    world.configure("gpg.program", str(world.program(world.home / "bin/sign", SIGN)), cwd=world.main)
    world.configure("commit.gpgSign", "true", cwd=world.main)


@set_up
def signed_by_a_program_of_the_tree(world: World) -> None:
    world.plain()
    world.program(world.main / "local/sign", SIGN)
    world.configure("gpg.program", "local/sign", cwd=world.main)
    world.configure("commit.gpgSign", "true", cwd=world.main)


@set_up
def a_signature_that_fails(world: World) -> None:
    world.plain()
    world.configure("gpg.program", "false", cwd=world.main)
    world.configure("commit.gpgSign", "true", cwd=world.main)


@set_up
def signed_with_an_ssh_key_beside_the_files(world: World) -> None:
    world.plain()
    for key in ("key", "key.pub"):
        (world.main / key).write_bytes((world.keys / key).read_bytes())
        (world.main / key).chmod(0o600)
    for name, value in {"gpg.format": "ssh", "user.signingKey": "key.pub", "commit.gpgSign": "true"}.items():
        world.configure(name, value, cwd=world.main)


@set_up
def a_log_in_the_message(world: World) -> None:
    world.plain()
    world.configure("merge.log", "5", cwd=world.main)


@set_up
def a_description_of_the_branch(world: World) -> None:
    world.plain()
    world.configure("merge.branchdesc", "true", cwd=world.main)
    world.configure("merge.suppressDest", "", cwd=world.main)
    world.configure("branch.feat.description", "What it is for", cwd=world.main)


@set_up
def a_message_with_an_odd_clean_up(world: World) -> None:
    world.plain()
    world.configure("commit.cleanup", "scissors", cwd=world.main)
    world.hook("commit-msg", 'printf "\\n\\n# a comment\\n\\n\\n" >> "$1"')


@set_up
def another_encoding_of_commits(world: World) -> None:
    world.begin()
    world.configure("i18n.commitEncoding", "ISO-8859-1", cwd=world.main)
    git(world.main, "worktree", "add", "-q", "-b", "feat", str(world.feat))
    write(world.feat, {"g": "g\n"})
    git(world.feat, "add", "g")
    git(world.feat, "commit", "-q", "-F", "-", input="Für g\n".encode("latin-1"))
    commit(world.main, {"t": "t\n"}, "Trunk goes on")
    world.configure("merge.log", "true", cwd=world.main)


@set_up
def fast_forwards_only(world: World) -> None:
    world.plain()
    world.configure("merge.ff", "only", cwd=world.main)


@set_up
def options_of_the_branch(world: World) -> None:
    world.plain()
    world.configure("branch.main.mergeOptions", "--signoff", cwd=world.main)


@set_up
def a_strategy_of_the_branch(world: World) -> None:
    both_change(world)
    world.configure("branch.main.mergeOptions", "-X theirs", cwd=world.main)


@set_up
def renames_of_directories(world: World) -> None:
    world.begin({"d/1": "one\n" * 9, "d/2": "two\n" * 9})
    git(world.main, "worktree", "add", "-q", "-b", "feat", str(world.feat))
    git(world.feat, "mv", "d", "e")
    commit(world.feat, {}, "Moved")
    commit(world.main, {"d/3": "three\n"}, "Trunk goes on")
    world.configure("merge.directoryRenames", "true", cwd=world.main)


@set_up
def replaced_objects(world: World) -> None:
    both_change(world)
    base = git(world.main, "rev-parse", "feat~1:both")
    other = git(world.main, "hash-object", "-w", "--stdin", input=NINE.replace("5", "ours"))
    git(world.main, "replace", base, other)


@set_up
def rerere(world: World) -> None:
    world.plain()
    world.configure("rerere.enabled", "true", cwd=world.main)
    (world.main / ".git/rr-cache").mkdir()


@set_up
def notes_beside(world: World) -> None:
    world.plain()
    git(world.main, "notes", "add", "-m", "a note", "feat")
    world.configure("notes.rewriteRef", "refs/notes/*", cwd=world.main)


@set_up
def a_split_index(world: World) -> None:
    world.plain()
    world.configure("core.splitIndex", "true", cwd=world.main)
    git(world.main, "update-index", "--split-index")
