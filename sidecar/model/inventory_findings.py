"""Say what an inventory means for a person: one finding for each kind of thing that is at stake, kept or gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sidecar.model.findings import Finding, finding, gravest_first
from sidecar.model.inventory import MOST_COMMITS, Administration, Commits, Files, Inventory, Surroundings
from sidecar.model.words import counted, escape, named, shown, some

_SUBMODULE_CHANGES = "uncommitted changes in submodules"


def findings_of(inventory: Inventory, *, head_in_trunk: bool = False) -> tuple[Finding, ...]:
    """Give every finding of an inventory; commits of a branch are left to the question whether trunk has them.

    `head_in_trunk`: the same question has been answered with yes for a detached HEAD.
    """
    name = inventory.name
    found = [
        *_of_files(name, inventory.files),
        *_of_commits(name, inventory.commits, head_in_trunk=head_in_trunk),
        *_of_administration(name, inventory.administration),
        *_of_surroundings(name, inventory.commits.branch, inventory.surroundings),
    ]
    return gravest_first(found)


def _of_files(name: str, files: Files) -> Iterator[Finding]:
    tracked = tuple(sorted({*files.staged, *files.conflicted, *files.unstaged}))
    worktrees = tuple(nested.path for nested in files.nested if nested.kind == "worktree")
    repositories = tuple(nested.path for nested in files.nested if nested.kind == "repository")
    output = tuple(output.path for output in files.output)
    amount = size_text(sum(output.bytes for output in files.output))
    groups = (
        ("uncommitted", tracked, "uncommitted change", "uncommitted changes"),
        ("untracked", files.untracked, "untracked file", "untracked files"),
        ("hidden-changes", files.hidden, "change that no commit would have", "changes that no commit would have"),
        ("submodule-changes", files.submodule_changes, "uncommitted change in a submodule", _SUBMODULE_CHANGES),
        ("nested-repository", repositories, "other repository inside", "other repositories inside"),
        ("nested-worktree", worktrees, "other worktree inside", "other worktrees inside"),
        ("mount", files.mounts, "mounted file system inside", "mounted file systems inside"),
        ("unreadable", files.unreadable, "unreadable entry", "unreadable entries"),
        ("overlong-path", files.overlong, "path too long to open", "paths too long to open"),
        ("ignored-unique", files.unique, "ignored file that is only here", "ignored files that are only here"),
        ("special-file", files.special, "pipe, socket or device", "pipes, sockets or devices"),
        ("empty-directories", files.empty_directories, "empty directory", "empty directories"),
        ("xattrs", files.xattrs, "entry with extended attributes", "entries with extended attributes"),
        ("build-output", output, f"piece of build output ({amount})", f"pieces of build output ({amount})"),
        ("ignored-equal", files.equal, "ignored file as in the main worktree", "ignored files as in the main worktree"),
        ("hard-links", files.hard_links, "file with another name outside", "files with another name outside"),
    )
    for code, paths, one, many in groups:
        if paths:
            yield finding(code, f"{shown(name)} has {counted(len(paths), one, many)}: {named(paths)}.", paths)


def _of_commits(name: str, commits: Commits, *, head_in_trunk: bool) -> Iterator[Finding]:
    detached = commits.own if commits.branch is None and not head_in_trunk else ()
    if detached:
        yield finding(
            "unreachable-commits",
            f"{shown(name)} has {_counted_commits(detached)} on a detached HEAD that no branch holds: "
            f"{_short(detached)}.",
        )
    if commits.by_refs:
        refs = named([ref for ref, _ in commits.refs])
        yield finding(
            "unreachable-commits",
            f"{shown(name)} has {_counted_commits(commits.by_refs)} that only refs of its own hold ({refs}): "
            f"{_short(commits.by_refs)}.",
        )
    elif commits.refs:
        refs = named([ref for ref, _ in commits.refs])
        yield finding(
            "worktree-refs", f"{shown(name)} has {counted(len(commits.refs), 'ref', 'refs')} of its own: {refs}."
        )
    if commits.by_log:
        yield finding(
            "reflog-commits",
            f"{shown(name)} has {_counted_commits(commits.by_log)} that only a reflog or a ref like ORIG_HEAD names: "
            f"{_short(commits.by_log)}.",
        )


def _of_administration(name: str, administration: Administration) -> Iterator[Finding]:
    if administration.operations:
        what = " and ".join(map(some, administration.operations))
        yield finding("operation-in-progress", f"{shown(name)} is in the middle of {what}. Finish or abort it.")
    if administration.locked is not None:
        reason = f": {escape(administration.locked)}" if administration.locked else ""
        yield finding("locked", f"{shown(name)} is locked{reason}.")
    if administration.worktree_config:
        yield finding("worktree-config", f"{shown(name)} has configuration of its own (config.worktree).")
    groups = (
        ("administrative-files", administration.extras, "entry that is not git's", "entries that are not git's"),
        (
            "git-lock",
            administration.locks,
            "lock file of a git at work or killed",
            "lock files of a git at work or killed",
        ),
        ("unreadable", administration.unreadable, "unreadable entry", "unreadable entries"),
    )
    for code, entries, one, many in groups:
        if entries:
            there = f"There {'is' if len(entries) == 1 else 'are'} {counted(len(entries), one, many)}"
            which = ", ".join(map(escape, entries[:3])) + (f" and {len(entries) - 3} more" if entries[3:] else "")
            yield finding(code, f"{there} in git's own directories of {shown(name)}: {which}.", entries)


def _of_surroundings(name: str, branch: str | None, surroundings: Surroundings) -> Iterator[Finding]:
    if surroundings.pointers:
        where = named([f"{key} = {value}" for key, value in surroundings.pointers])
        yield finding("config-inside", f"The configuration, or a hook, points into {shown(name)}: {where}.")
    for path, count in surroundings.submodule_commits:
        commits = counted(count, "commit", "commits")
        yield finding("submodule-commits", f"The submodule {escape(path)} has {commits} that nobody else has.", (path,))
    if surroundings.contents:
        paths = tuple(sorted({*surroundings.contents.values()}))
        contents = counted(len(surroundings.contents), "content", "contents")
        said = f"Git LFS has {contents} for {shown(name)} that no remote and no other branch has: {named(paths)}."
        yield finding("lfs-contents", said, paths)
    if surroundings.stashes:
        entries = counted(len(surroundings.stashes), "stash entry stays", "stash entries stay")
        yield finding("stash", f"{entries}: {escape(surroundings.stashes[0])}.")
    if surroundings.elsewhere:
        users = named(surroundings.elsewhere)
        yield finding("branch-elsewhere", f"{shown(branch or '')} is in use in {users} too, and stays.")


def _counted_commits(commits: Sequence[str]) -> str:
    if len(commits) >= MOST_COMMITS:
        return f"{MOST_COMMITS} or more commits"
    return counted(len(commits), "commit", "commits")


def _short(commits: Sequence[str]) -> str:
    return named([commit[:10] for commit in commits])


def sizes_text(freed: int, kept: int) -> str:
    """Say what a release frees, and what it keeps on the disk if it is anything."""
    return f"{size_text(freed)} freed" + (f", {size_text(kept)} kept" if kept else "")


def size_text(count: int) -> str:
    """Write bytes for a person: 14 kB, 2.3 GB (powers of 1,000)."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
