"""Set-ups in which a merge is made, each a function that builds one; its name is the test's."""

from collections.abc import Callable

import pytest
from _pytest.mark import ParameterSet

from tests.harness.beside import SetUp

SET_UPS: list[ParameterSet] = []


def set_up(build: SetUp) -> SetUp:
    """Have a set-up be tried."""
    SET_UPS.append(pytest.param(build, id=build.__name__))
    return build


def set_up_with_git(*version: int) -> Callable[[SetUp], SetUp]:
    """Have a set-up be tried where git is this new."""

    def add(build: SetUp) -> SetUp:
        SET_UPS.append(pytest.param(build, id=build.__name__, marks=pytest.mark.needs_git(*version)))
        return build

    return add
