"""`sidecar doctor`: what the sidecar depends on, and what is to be mended."""

from __future__ import annotations

from dataclasses import asdict

import click

from sidecar.cli.options import DONE, FAILED, here, print_json
from sidecar.model.schema import SCHEMA


@click.command("doctor", short_help="Versions, hooks, what is kept, and what is to be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def doctor(as_json: bool) -> int:
    """Show versions, the sidecar's traces in this repository, agents' hooks, sessions and the watching.

    Nothing is changed. Exit status: 1 where something is to be mended.
    """
    from sidecar.operations.doctor import examine  # --help and serve do without

    checks = examine(here())
    status = FAILED if any(one.mend is not None for one in checks) else DONE
    if as_json:
        print_json({"schema": SCHEMA, "checks": [asdict(one) for one in checks]})
        return status
    from sidecar.cli.render import console, listing, show  # rich takes longer than many an answer

    areas = dict.fromkeys(one.area for one in checks)
    rows = {
        area: [(one.name, "\n! ".join(filter(None, (one.said, one.mend)))) for one in checks if one.area == area]
        for area in areas
    }
    show(console(), [listing(area.capitalize(), rows[area]) for area in areas])
    return status
