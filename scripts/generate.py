"""Writes what is made from tables: settings and findings in `docs`, the extension's configuration and version, and what
a terminal gets beside the command: completions and a page of the manual."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sidecar import __version__
from sidecar.model.findings import FindingCode, codes_by_operation
from sidecar.model.settings import GROUPS, SETTINGS, Setting

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # it is run by its path

from scripts.terminal_files import completion_texts, manual_text  # noqa: E402

MANIFEST = ROOT / "editor-client" / "package.json"
PAGE = ROOT / "docs" / "settings.md"
FINDINGS = ROOT / "docs" / "findings.md"
COMPLETIONS = ROOT / "completions"
MANUAL = ROOT / "docs" / "sidecar.1"

_SCHEMA_TYPES: Mapping[str, Mapping[str, object]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
    "string[]": {"type": "array", "items": {"type": "string"}},
}
_PAGE_START = """\
# Settings

In VS Code, a setting is `worktreeSidecar.` and its key. For every door (editor, terminal, agents) it is `sidecar.` and
its key in git's configuration, for example `git config sidecar.trunk develop`. In the editor, its own settings win.

| key | kind | default | VS Code | git config | what it does |
|---|---|---|---|---|---|
"""
_FINDINGS_START = """\
# Findings

What a plan saw, each with a stable code. A finding that **blocks** stops a release until it is gone, or until it is
accepted by name: `sidecar release NAME --allow CODE`. Even then everything is kept. What is **kept** is named, and does
not stop a release. The rest is for your **info**. The column *what becomes of it* tells what a release does with it.
"""
_RELEASE_COLUMNS = ("code", "severity", "what was found", "what becomes of it", "what to do")
_COLUMNS = ("code", "severity", "what was found", "what to do")


def property_of(setting: Setting) -> dict[str, object]:
    """The JSON schema of a setting, as VS Code's `contributes.configuration` takes it."""
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    choices = {"enum": list(setting.choices)} if setting.choices else {}
    return {
        **_SCHEMA_TYPES[setting.kind],
        **choices,
        "default": default,
        "scope": setting.scope,
        "markdownDescription": setting.doc,
    }


def manifest_text(current: str) -> str:
    """The extension's `package.json` with its configuration replaced."""
    manifest = json.loads(current)
    manifest["version"] = __version__
    manifest["contributes"]["configuration"] = list(_groups())
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _groups() -> Iterator[dict[str, object]]:
    """The settings of the editor, in groups that VS Code shows one after the other, each in its own order."""
    left = {it.key: it for it in SETTINGS if it.editor}
    groups = {title: [left.pop(key) for key in keys if key in left] for title, keys in GROUPS.items()}
    for title, settings in {**groups, "Other": list(left.values())}.items():
        ordered = {
            f"worktreeSidecar.{it.key}": {**property_of(it), "order": order} for order, it in enumerate(settings, 1)
        }
        yield {"title": title, "properties": ordered}


def page_text() -> str:
    """The page `docs/settings.md`."""
    return _PAGE_START + "".join(_row(setting) for setting in SETTINGS)


def findings_text() -> str:
    """The page `docs/findings.md`."""
    tables = []
    for operation, codes in codes_by_operation().items():
        full = operation == "Release"
        columns = _RELEASE_COLUMNS if full else _COLUMNS
        rows = [columns, ("---",) * len(columns)]
        rows += [_finding_row(it, full=full) for it in codes]
        tables.append(f"\n## {operation}\n" + "".join("| " + " | ".join(row) + " |\n" for row in rows))
    return _FINDINGS_START + "".join(tables)


def _finding_row(it: FindingCode, *, full: bool) -> tuple[str, ...]:
    return (f"`{it.code}`", " or ".join(it.severities), it.meaning, *([it.kept] if full else []), it.advice)


def _row(setting: Setting) -> str:
    default = json.dumps(setting.default, ensure_ascii=False)
    doors = [f"`{setting.scope}`" if setting.editor else "no", "yes" if setting.git else "no"]
    choices = " One of " + ", ".join(f"`{it}`" for it in setting.choices) + "." if setting.choices else ""
    doc = (setting.doc + choices).replace("|", "\\|")
    return f"| `{setting.key}` | {setting.kind} | `{default}` | {' | '.join(doors)} | {doc} |\n"


def main() -> int:
    """Write the files, or with `--check` say which of them are stale (exit status 1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    check = parser.parse_args().check
    wanted = {MANIFEST: manifest_text(MANIFEST.read_text("utf-8")), PAGE: page_text(), FINDINGS: findings_text()}
    wanted |= {COMPLETIONS / name: text for name, text in completion_texts().items()}
    wanted[MANUAL] = manual_text()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT).as_posix()
        if check:
            print(f"{name} is stale. Run: python scripts/generate.py", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path], "utf-8")
            print(f"{name} written.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
