"""Every test here leaves nothing behind."""

import pytest

from tests.git.leaving import temporary

pytest.register_assert_rewrite("tests.session.unusual")

__all__ = ["temporary"]
