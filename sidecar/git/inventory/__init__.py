"""Everything that a linked worktree holds, so that a release can prove that nothing is lost; it only reads."""

from sidecar.git.inventory.fingerprint import Fingerprint, changed_between, fingerprint
from sidecar.git.inventory.take import take_inventory
from sidecar.git.inventory.watching import CancelledError

__all__ = ["CancelledError", "Fingerprint", "changed_between", "fingerprint", "take_inventory"]
