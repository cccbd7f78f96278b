"""Every test here leaves nothing behind."""

from tests.git.leaving import memory, temporary

__all__ = ["memory", "temporary"]
