"""Every test here leaves nothing behind."""

import pytest

from tests.git.leaving import memory, temporary

pytest.register_assert_rewrite("tests.session.unusual")

__all__ = ["memory", "temporary"]


@pytest.fixture(autouse=True)
def _whole_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, the first Picture has every worktree; the test of what happens otherwise says so."""
    monkeypatch.setattr("sidecar.session.repository_state.FIRST", 60.0)
