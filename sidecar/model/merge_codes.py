"""Every code that a finding of a merge, an update or the undo of a merge can have, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class MergeCode:
    """What a code stands for: whether it `blocks`, is for `info`, or either; what was found; what a person can do."""

    code: str
    severity: str
    meaning: str
    advice: str


_ROWS = (
    ("uncommitted", "blocks", "The worktree has work that is not committed.", "Commit it, or merge with --commit."),
    ("will-commit", "info", "That work will be committed first, as agreed.", "Nothing."),
    ("operation-in-progress", "blocks", "An operation of git is unfinished in the worktree.", "Finish or abort it."),
    ("conflict", "blocks or info", "Git's merge would stop.", "Merge trunk into the worktree, and resolve it there."),
    ("nothing-to-merge", "blocks", "There is nothing that the other side lacks.", "Nothing."),
    ("no-change", "info", "Trunk has all the content already; only the history is joined.", "Nothing."),
    ("detached", "info", "The worktree is on no branch, so its commit is merged.", "Nothing."),
    ("unrelated", "blocks", "The two share no history.", "In a shallow repository: git fetch --unshallow"),
    ("is-trunk", "blocks", "The worktree is trunk itself.", "Name another."),
    ("no-local-trunk", "blocks", "Trunk is at origin only, or has no commit.", "Make the branch."),
    ("problem", "blocks", "The worktree can't be read.", "Run: git worktree repair"),
    ("would-overwrite", "blocks", "Files of a person's own stand where files would be written.", "Move them away."),
    ("trunk-in-operation", "blocks", "Trunk's checkout is in the middle of something.", "Finish or abort it."),
    ("trunk-checkout", "blocks", "Trunk's checkout is missing, or there are several.", "Keep one that is there."),
    ("trunk-behind", "info", "The branch that trunk follows has more.", "Pull before you push."),
    ("submodule-commit", "blocks", "A submodule is at a commit that nobody else has.", "Push it from the submodule."),
    ("no-identity", "blocks", "Git does not know who commits.", "Set user.name and user.email."),
    ("disk", "blocks", "A disk is too full.", "Make room."),
    ("busy", "blocks", "Another operation is at work in the repository.", "Wait for it, or end it."),
    ("changed-since", "blocks", "The worktree or trunk has changed since the plan.", "Look at the plan again."),
    ("unfinished", "blocks", "An operation before this one was ended half-way.", "Run the command again."),
    ("bad-journal", "blocks", "What a killed operation left is not as we write it.", "Look at it, and move it away."),
    ("no-temporary-worktree", "blocks", "The temporary worktree could not be made.", "See what git or its hook said."),
    ("commit-refused", "blocks", "The worktree's own work could not be committed.", "See what git or its hook said."),
    ("merge-failed", "blocks", "Git, a hook or a signature refused the commit.", "See what it said."),
    ("prepare-failed", "blocks", "The command before verify failed.", "See its last lines."),
    ("verify-failed", "blocks", "The person's own check failed, or took too long.", "See its last lines."),
    ("verify-changed-files", "info", "Verify changed tracked files, which do not land.", "Commit what it makes."),
    ("verified-before", "info", "These very files passed the same commands before.", "Nothing."),
    ("trunk-moved", "blocks", "Trunk has moved meanwhile.", "Run it again."),
    ("branch-moved", "blocks", "The worktree has moved meanwhile.", "Run it again."),
    ("checkout-switched", "blocks", "Trunk's checkout was switched to another branch meanwhile.", "Run it again."),
    ("landing-failed", "blocks", "Trunk could not be moved; it is as it was.", "See what git or its hook said."),
    ("failed", "blocks", "Git or the disk failed; trunk is as it was.", "See what it said."),
    ("cancelled", "blocks or info", "It was cancelled; trunk is as it was.", "Nothing."),
    ("committed", "info", "What was not committed is committed now, as agreed.", "Nothing."),
    ("recovered", "info", "What a killed operation left was finished or taken back.", "Nothing."),
    ("not-recovered", "blocks", "That can't be done now; the next command tries again.", "See why."),
    ("left-alone", "blocks", "Files were edited after the kill, and are left as they are.", "Look: git status"),
    ("git-lock", "blocks", "A lock file of another git stands in the way.", "Delete it if no git is running."),
    ("not-in-trunk", "blocks", "Trunk does not have the merge that is to be taken back.", "Nothing."),
    ("published", "blocks", "The merge was published, so trunk does not go back.", "Revert it by a new commit."),
)

MERGE_CODES: Mapping[str, MergeCode] = MappingProxyType({row[0]: MergeCode(*row) for row in _ROWS})
