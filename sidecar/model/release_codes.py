"""What the proof before a release can find."""

from __future__ import annotations

from sidecar.model.finding_code import IN_THE_SNAPSHOT, IN_THE_TRASH, NOT_AT_STAKE, SHARED, FindingCode

RELEASE_CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "uncommitted",
        "blocks",
        "A tracked file, or the index, is not as in HEAD: edited, staged, deleted, conflicted, or with another mode.",
        IN_THE_SNAPSHOT,
        "Commit or revert the changes.",
    ),
    FindingCode(
        "untracked",
        "blocks",
        "A file that git neither tracks nor ignores.",
        IN_THE_SNAPSHOT,
        "Commit the files, or delete them.",
    ),
    FindingCode(
        "hidden-changes",
        "blocks",
        "A tracked file differs from the index in a way that `git status` does not show: assume-unchanged, "
        "skip-worktree, `core.fileMode=false`, or a filter that would not give this content back.",
        IN_THE_SNAPSHOT,
        "See them with: git update-index --no-assume-unchanged --no-skip-worktree PATH. Trust the repository if its "
        "filters should be asked.",
    ),
    FindingCode(
        "not-integrated",
        "blocks",
        "Commits of the worktree are not proven to be in trunk.",
        IN_THE_SNAPSHOT,
        "Merge the branch into trunk.",
    ),
    FindingCode(
        "content-not-in-trunk",
        "blocks",
        "The commits are in trunk's history, but trunk's files do not have what they changed: merged with `-s ours`, "
        "or reverted since.",
        IN_THE_SNAPSHOT,
        "Look at what trunk has now; allow it when that is meant.",
    ),
    FindingCode(
        "unreachable-commits",
        "blocks",
        "Commits that no branch, tag or remote-tracking branch holds: on a detached HEAD, or under refs of this "
        "worktree alone.",
        IN_THE_SNAPSHOT,
        "Give them a branch: git branch NAME COMMIT",
    ),
    FindingCode(
        "operation-in-progress",
        "blocks",
        "A rebase, merge, cherry-pick, revert, am or bisect is under way.",
        IN_THE_TRASH,
        "Finish it, or abort it.",
    ),
    FindingCode(
        "nested-repository",
        "blocks",
        "Another repository lies inside. In build output, only if it has work of its own.",
        IN_THE_TRASH,
        "Move it out of the worktree.",
    ),
    FindingCode(
        "nested-worktree",
        "blocks",
        "Another worktree lies inside.",
        NOT_AT_STAKE,
        "Release it first, or move it: git worktree move",
    ),
    FindingCode(
        "submodule-changes",
        "blocks",
        "A submodule has changes, or files, that are not committed in it.",
        IN_THE_TRASH,
        "Commit them in the submodule and push.",
    ),
    FindingCode(
        "submodule-commits",
        "blocks",
        "A submodule has commits that only this worktree's copy of it holds.",
        IN_THE_TRASH,
        "Push them from the submodule.",
    ),
    FindingCode("mount", "blocks", "Another file system is mounted inside, or here.", NOT_AT_STAKE, "Unmount it."),
    FindingCode(
        "config-inside",
        "blocks",
        "A configuration value or an alternate points into the worktree, and would point at nothing.",
        IN_THE_TRASH,
        "Point it elsewhere.",
    ),
    FindingCode(
        "locked",
        "blocks",
        "The worktree is locked (`git worktree lock`).",
        IN_THE_TRASH,
        "Unlock it: git worktree unlock",
    ),
    FindingCode(
        "git-lock",
        "blocks",
        "A lock file of git: another git is at work here, or was killed.",
        NOT_AT_STAKE,
        "Wait for it; delete the lock file if no git is running.",
    ),
    FindingCode(
        "in-use",
        "blocks",
        "A process has its working directory, or a file open, inside.",
        NOT_AT_STAKE,
        "End it, or let it go elsewhere.",
    ),
    FindingCode(
        "unsaved", "blocks", "The editor has text that is not saved.", NOT_AT_STAKE, "Save it, or close the editor."
    ),
    FindingCode(
        "main-worktree", "blocks", "The main worktree can't be released.", NOT_AT_STAKE, "Release a linked worktree."
    ),
    FindingCode(
        "trunk-checkout",
        "blocks",
        "Trunk is checked out here; or, for a merge, trunk's checkout is missing, or there are several.",
        NOT_AT_STAKE,
        "Switch to another branch first; for a merge, keep one checkout of trunk that is there.",
    ),
    FindingCode(
        "missing",
        "blocks",
        "The worktree's folder is not there: deleted, moved, or on a drive that is not mounted.",
        NOT_AT_STAKE,
        "Bring it back (sidecar restore, git worktree repair, mount the drive), or run: git worktree prune",
    ),
    FindingCode(
        "identity",
        "blocks",
        "The worktree and its administrative directory do not point at each other as git makes them do.",
        NOT_AT_STAKE,
        "Look at it by hand; git worktree repair may help.",
    ),
    FindingCode(
        "unreadable",
        "blocks",
        "Something could not be read, so what it holds is not known.",
        IN_THE_TRASH,
        "Make it readable.",
    ),
    FindingCode(
        "overlong-path",
        "blocks",
        "A path is longer than the system can open.",
        IN_THE_TRASH,
        "Shorten or delete it.",
    ),
    FindingCode(
        "unexplained", "blocks", "An entry is there that nothing explains.", IN_THE_TRASH, "Look at it by hand."
    ),
    FindingCode(
        "changed-meanwhile",
        "blocks",
        "Something changed between the plan and its execution, or while it went on.",
        NOT_AT_STAKE,
        "Look at the plan again.",
    ),
    FindingCode(
        "merged-upstream",
        "info",
        "The branch that trunk follows has this work; the local trunk does not yet.",
        NOT_AT_STAKE,
        "Update trunk, then release.",
    ),
    FindingCode(
        "cancelled",
        "blocks",
        "It was stopped before its end; everything is as it was.",
        NOT_AT_STAKE,
        "Start again.",
        at_times="info",
    ),
    FindingCode(
        "ignored-unique",
        "kept",
        "Ignored files that are neither build output nor equal to the main worktree's copy.",
        "Kept in the trash, never in a ref, and restored.",
        "Nothing.",
    ),
    FindingCode(
        "reflog-commits",
        "kept",
        "Commits that only a reflog or a ref such as ORIG_HEAD still names: amended, rebased or reset away.",
        IN_THE_SNAPSHOT,
        "Nothing; give them a branch if they matter.",
    ),
    FindingCode(
        "worktree-refs",
        "kept",
        "Refs of this worktree alone (refs/worktree, refs/bisect, refs/rewritten).",
        IN_THE_SNAPSHOT,
        "Nothing.",
    ),
    FindingCode(
        "worktree-config", "kept", "Configuration of this worktree alone (config.worktree).", IN_THE_TRASH, "Nothing."
    ),
    FindingCode(
        "administrative-files",
        "kept",
        "Files in the administrative directory that are not git's.",
        IN_THE_TRASH,
        "Nothing.",
    ),
    FindingCode("empty-directories", "kept", "Directories with nothing in them.", IN_THE_TRASH, "Nothing."),
    FindingCode("special-file", "kept", "Pipes, sockets or devices.", IN_THE_TRASH, "Nothing."),
    FindingCode("xattrs", "kept", "Files with extended attributes of a user.", IN_THE_TRASH, "Nothing."),
    FindingCode(
        "build-output",
        "info",
        "Ignored files that a build makes again: directories with a CACHEDIR.TAG, node_modules, virtual environments, "
        "and what `sidecar.disposable` names.",
        "Deleted at once.",
        "Nothing.",
    ),
    FindingCode(
        "ignored-equal",
        "info",
        "Ignored files of which the main worktree has an equal copy, and links to the main worktree's own.",
        "Kept in the trash all the same: the main worktree's copy may change.",
        "Nothing.",
    ),
    FindingCode("hard-links", "info", "Files that have another name outside the worktree too.", SHARED, "Nothing."),
    FindingCode("stash", "info", "Stash entries that were made on the branch.", SHARED, "Nothing."),
    FindingCode(
        "branch-elsewhere",
        "info",
        "The branch is checked out, rebased or bisected in another worktree too, so it is not deleted.",
        SHARED,
        "Nothing.",
    ),
    FindingCode(
        "not-released",
        "blocks",
        "The system, or git, refused; the worktree is as it was.",
        advice="Mend what the message names, then start again.",
    ),
    FindingCode(
        "not-kept",
        "blocks",
        "What the worktree has can't be kept, so it stays.",
        advice="Mend what the message names, then start again.",
    ),
    FindingCode(
        "kept-beside",
        "info",
        "The repository's disk has no room for what is kept, so it stays on the worktree's own disk.",
        advice="Make room, or leave it; `sidecar restore` finds it.",
    ),
)
