"""What operations other than the proof before a release can find."""

from __future__ import annotations

from sidecar.model.finding_code import FindingCode

COMMON_CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "busy",
        "blocks",
        "Another operation of the sidecar is running in this repository.",
        advice="Wait for it, or end it.",
    ),
    FindingCode(
        "bad-state",
        "blocks",
        "The sidecar's own directory in the repository can't be used: it is a link, another user's, or read-only.",
        advice="Look at it, and move it away.",
    ),
    FindingCode(
        "unfinished",
        "blocks",
        "An operation was ended before it was done, and has to be finished or undone first.",
        advice="Run: sidecar status",
    ),
    FindingCode(
        "bad-journal",
        "blocks",
        "The record of an operation that was ended is not as the sidecar wrote it, or is another repository's.",
        advice="Look at the journal in the sidecar's directory of the repository, and move it away.",
    ),
    FindingCode("recovered", "info", "An operation that was ended has been undone, or finished.", advice="Nothing."),
    FindingCode(
        "not-recovered",
        "blocks",
        "An operation that was ended could not be undone or finished yet. Nothing is lost.",
        advice="Mend what the message names, then run: sidecar status",
    ),
    FindingCode("disk", "blocks", "The disk is full, or nearly.", advice="Make room, then start again."),
    FindingCode(
        "path-taken",
        "blocks",
        "Something is where a worktree is to be.",
        advice="Move it away, or choose another path.",
    ),
    FindingCode(
        "is-trunk",
        "blocks",
        "Trunk itself is meant, or a worktree that has it checked out.",
        advice="Choose another worktree.",
    ),
    FindingCode("problem", "blocks", "The worktree can't be read.", advice="Look at what the message says."),
)
"""What every operation can say."""

RESTORE_CODES: tuple[FindingCode, ...] = (
    FindingCode("restored-already", "blocks", "It has been restored before.", advice="Look where it says that it is."),
    FindingCode(
        "bad-receipt",
        "blocks",
        "What is written about it is not as the sidecar wrote it, or what it kept was let go of.",
        advice="Look at the snapshot by hand: git for-each-ref refs/sidecar",
    ),
    FindingCode(
        "not-restored",
        "blocks",
        "It could not be brought back as a whole; what is kept stays kept.",
        advice="Mend what the message names, then start again.",
    ),
    FindingCode(
        "bad-snapshot",
        "blocks",
        "The snapshot is not one that the sidecar wrote, or objects of it are missing.",
        advice="Nothing is written. Look at it by hand.",
    ),
    FindingCode("bad-path", "blocks", "A worktree can't be put there.", advice="Choose another path."),
    FindingCode(
        "disk-full",
        "blocks",
        "The disk has less room than the worktree needs.",
        advice="Make room, or choose a path on another disk.",
    ),
    FindingCode(
        "no-restore", "blocks", "Git, or the system, refused.", advice="Mend what the message names, then start again."
    ),
    FindingCode(
        "branch-taken", "blocks", "The branch, and a hundred names like it, are taken.", advice="Delete or rename one."
    ),
    FindingCode(
        "restored-otherwise",
        "info",
        "Something of the worktree is not as it was: the branch has another name, or a time could not be set.",
        advice="Nothing.",
    ),
    FindingCode(
        "restored-as-of",
        "info",
        "The worktree had vanished; it is as the guard last kept it, without its ignored files.",
        advice="Look at what was done after that time.",
    ),
    FindingCode(
        "restored-beside",
        "info",
        "Something else was written where files of the trash belong; they were put beside it.",
        advice="Compare the two, and delete one.",
    ),
    FindingCode("not-emptied", "blocks", "What is kept could not be let go of as a whole.", advice="Start again."),
    FindingCode("published", "blocks", "The merge is in a remote branch already.", advice="Revert it with: git revert"),
    FindingCode("not-in-trunk", "blocks", "The merge is not in trunk, or not any more.", advice="Nothing."),
)
"""What taking something back can say."""

MERGE_CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "conflict",
        "blocks",
        "A merge would stop at conflicts. For your info where the repository's own merge driver may resolve them.",
        advice="Merge trunk into the worktree, resolve them there, then merge.",
        at_times="info",
    ),
    FindingCode(
        "would-overwrite",
        "blocks",
        "Files that are not committed would be overwritten, ignored ones included.",
        advice="Commit them, or move them away.",
    ),
    FindingCode(
        "trunk-in-operation",
        "blocks",
        "Trunk's checkout has a merge, rebase or other operation under way.",
        advice="Finish it, or abort it.",
    ),
    FindingCode(
        "trunk-moved", "blocks", "Trunk has moved since the plan, or while it was carried out.", advice="Start again."
    ),
    FindingCode("branch-moved", "blocks", "The branch has moved while it was being merged.", advice="Start again."),
    FindingCode(
        "changed-since", "blocks", "The plan speaks of something that has changed.", advice="Look at the plan again."
    ),
    FindingCode(
        "checkout-switched",
        "blocks",
        "Trunk's checkout has switched to another branch.",
        advice="Switch back, then start again.",
    ),
    FindingCode(
        "nothing-to-merge",
        "blocks",
        "The worktree has nothing that trunk lacks.",
        advice="Nothing; it can be released.",
    ),
    FindingCode(
        "unrelated",
        "blocks",
        "The branch and trunk have no commit in common.",
        advice="Merge them by hand, if that is meant.",
    ),
    FindingCode("no-local-trunk", "blocks", "Trunk is not a local branch.", advice="Make one: git switch TRUNK"),
    FindingCode("no-identity", "blocks", "Git does not know who commits.", advice="Set user.name and user.email."),
    FindingCode(
        "no-temporary-worktree",
        "blocks",
        "The worktree in which a merge is made can't be set up.",
        advice="Mend what the message names.",
    ),
    FindingCode(
        "commit-refused",
        "blocks",
        "The commit of the uncommitted work was refused, mostly by a hook.",
        advice="See what the hook says.",
    ),
    FindingCode("merge-failed", "blocks", "Git refused the merge, mostly by a hook.", advice="See what git says."),
    FindingCode("prepare-failed", "blocks", "The command `sidecar.prepare` failed.", advice="See its output."),
    FindingCode(
        "verify-failed",
        "blocks",
        "The command that verifies failed on what would have landed.",
        advice="See its output.",
    ),
    FindingCode("landing-failed", "blocks", "Trunk could not be moved; it is as it was.", advice="See what git says."),
    FindingCode(
        "left-alone",
        "blocks",
        "Files of trunk's checkout are neither as before nor as after; a person has edited them.",
        advice="Look at them by hand.",
    ),
    FindingCode(
        "submodule-commit",
        "blocks",
        "Trunk would point at a commit of a submodule that only this worktree has.",
        advice="Push it from the submodule.",
    ),
    FindingCode("failed", "blocks", "Something went wrong; trunk is as it was.", advice="See the message."),
    FindingCode("committed", "info", "The uncommitted work was committed.", advice="Nothing."),
    FindingCode("will-commit", "info", "The uncommitted work will be committed first.", advice="Nothing."),
    FindingCode("detached", "info", "The worktree is on no branch; its commit is merged.", advice="Nothing."),
    FindingCode("no-change", "info", "The merge changes no file.", advice="Nothing."),
    FindingCode(
        "trunk-behind",
        "info",
        "The branch that trunk follows has commits that the local trunk lacks.",
        advice="Update trunk first, if that matters.",
    ),
    FindingCode(
        "verified-before", "info", "These very files were verified before, by the same command.", advice="Nothing."
    ),
    FindingCode(
        "verify-changed-files",
        "info",
        "The command that verifies has changed files; that does not land.",
        advice="Nothing.",
    ),
)
"""What a merge into trunk, and of trunk into a worktree, can say."""

OPEN_CODES: tuple[FindingCode, ...] = (
    FindingCode("bad-name", "blocks", "Git takes no branch of this name.", advice="Choose another name."),
    FindingCode(
        "unknown-ref", "blocks", "There is no such commit or branch to start from.", advice="See: git branch --all"
    ),
    FindingCode(
        "path-exists",
        "blocks",
        "Something is where the new worktree would be.",
        advice="Move it away, or choose another name.",
    ),
    FindingCode("name-taken", "blocks", "A worktree of this name exists.", advice="Choose another name."),
    FindingCode(
        "branch-exists",
        "blocks",
        "A branch of this name exists.",
        advice="Choose another name, or check that branch out.",
    ),
    FindingCode(
        "branch-at-origin",
        "info",
        "The remote has a branch of this name; the new one is another.",
        advice="Nothing, if that is meant.",
    ),
    FindingCode(
        "not-opened", "blocks", "Git refused to make the worktree; nothing of it is left.", advice="See what git says."
    ),
    FindingCode(
        "nothing-to-move", "blocks", "Trunk's checkout has nothing that is not committed.", advice="Nothing to do."
    ),
    FindingCode(
        "too-many",
        "blocks",
        "Trunk's checkout has very many files that are not committed.",
        advice="Commit them there, or let git ignore what is no work.",
    ),
    FindingCode(
        "submodule-edit",
        "blocks",
        "A submodule in trunk's checkout is at another commit; that can't be moved.",
        advice="Commit it, or put it back.",
    ),
    FindingCode(
        "not-moved",
        "blocks",
        "The worktree is open, but the edits could not be moved there as they are.",
        advice="They are where they were. Look at what the message says.",
    ),
    FindingCode(
        "stays",
        "info",
        "Files were changed while they were being moved; what is newer was left in trunk's checkout.",
        advice="Look at both, and keep the one that you want.",
    ),
    FindingCode("git-said", "info", "What git, or a hook, said.", advice="Nothing."),
    FindingCode(
        "half-written",
        "info",
        "A worktree was left half made; what was written into it stays.",
        advice="Look at it, and delete it if it is nothing.",
    ),
)
"""What opening a worktree can say."""
