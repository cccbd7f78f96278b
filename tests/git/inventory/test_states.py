"""Each state of the catalogue is told by its codes and no others, and looking at it changes nothing."""

from pathlib import Path

import pytest

from sidecar.model.findings import finding_codes
from sidecar.model.inventory_findings import findings_of
from tests.git.inventory.taking import codes, take
from tests.harness import state_of
from tests.harness.states import STATES, State, allows, build_standing


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_state_is_told(state: State, tmp_path: Path) -> None:
    if not allows(state.needs):
        pytest.skip(f"this machine does not allow: {state.needs}")
    standing = build_standing(tmp_path)
    try:
        state.put(standing)
        before = state_of(standing.main)
        taken = take(standing.worktree)
        assert codes(taken) == state.codes
        assert state_of(standing.main) == before
        for finding in findings_of(taken):
            assert finding.severity == finding_codes()[finding.code].severity
            assert finding.message.endswith(".")
            assert finding.message.isprintable()
    finally:
        state.undo(standing)


def test_names_are_unique_and_codes_known() -> None:
    assert len({state.name for state in STATES}) == len(STATES)
    for state in STATES:
        assert state.codes | state.also <= finding_codes().keys()
