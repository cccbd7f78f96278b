"""Runs axe on what an extension shows."""

from typing import Any

from playwright.sync_api import Locator

from scripts.steps import ROOT

_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def violations(place: Locator, *without: str) -> list[tuple[str, list[str]]]:
    """The rules, but for those `without`, that what is in this place breaks, each with the elements that do."""
    run = (
        f"async (place, rules) => {{ {_AXE.read_text('utf-8')}; return (await axe.run(place, {{rules}})).violations; }}"
    )
    found: list[dict[str, Any]] = place.evaluate(run, {rule: {"enabled": False} for rule in without})
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
