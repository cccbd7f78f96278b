"""`sidecar plan`: which worktrees are ready to be merged, and in which order."""

from __future__ import annotations

import click

from sidecar.cli.asking import answered, here, print_json, reading, recover_first
from sidecar.cli.working import working
from sidecar.model.order import Order
from sidecar.model.schema import plan_object


@click.command(short_help="Which worktrees are ready, and the order in which to merge them.")
@reading
def plan(as_json: bool, trust: bool) -> int:
    """Show which worktrees are ready to be merged into trunk, in the order that conflicts least.

    Every order is tried by merging, aside; nothing is written. Only commits count: that is what a merge brings.
    """
    recover_first()
    order = ask_order(trust)
    if as_json:
        print_json(plan_object(order))
    else:
        from sidecar.cli.plan_table import print_plan  # rich takes longer than the answer

        print_plan(order)
    return 0


def ask_order(trust: bool) -> Order:
    """The order of this repository."""
    from sidecar.operations.order import plan_order  # --help and serve do without
    from sidecar.session.sources import Options

    with working(quiet=True) as work:
        return answered(plan_order(here(), Options(trusted=trust), work.control))
