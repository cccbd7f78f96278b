"""How many examples a property is tried on: few and always the same, or (SIDECAR_THOROUGH set) many new ones.

A failing example is made smaller when thorough only: where each try is a merge by git, that takes minutes.
"""

import os

from hypothesis import HealthCheck, Phase, settings

THOROUGH = bool(os.environ.get("SIDECAR_THOROUGH"))


def examples(number: int) -> settings:
    """Settings for a property that is tried on this many examples, twenty times as many when thorough."""
    return settings(
        max_examples=number * 20 if THOROUGH else number,
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        phases=tuple(Phase) if THOROUGH else (Phase.explicit, Phase.generate),
        print_blob=THOROUGH,
        suppress_health_check=list(HealthCheck),
    )
