"""Every test here leaves nothing behind."""

from tests.git.leaving import temporary

__all__ = ["temporary"]
