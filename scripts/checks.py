"""`npm test [-- PYTEST_ARGUMENT...]`: every check and every test; all of them run, whatever fails."""

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import psutil

from scripts.newer_git import GIT as NEWER_GIT
from scripts.package import CLIENT, package
from scripts.stamp import BUILD
from scripts.steps import ROOT, StepError, exit_with, run

_PYTHON = (sys.executable, "-m")
_MODULES = ROOT / "node_modules"
_PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_AT_A_TIME = max(1, min(4, _PROCESSORS))
_TESTS_AT_A_TIME = min(4, _PROCESSORS + 1)
"""One more than there are processors: a test often waits, for a process of its own or until nothing happens."""
_WITH_AN_EDITOR = ("tests/editor", "tests/packaged")
"""Their tests share an editor, and what is built for it, so that a file's stay together."""
_MEMORY = Path("/dev/shm")
_ROOM = 10 << 30
"""Bytes of memory that have to be free for tests to write there; a whole run leaves some 5 GB."""
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
"""With it, each of the thousands of processes that tests start would compile the sidecar anew."""
_TESTS_FAILED = 1  # pytest's exit status
_AT_MOST_AGAIN = 25
"""More failures than this are no matter of a busy machine."""
_LONGEST = 300
"""How many characters of why a test failed the summary shows."""


@dataclass(frozen=True)
class Outcome:
    """What came of a check, or of the tests of one folder."""

    name: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: Mapping[str, str] = field(default_factory=dict)
    """Each test that failed, and how."""
    at_first: Mapping[str, str] = field(default_factory=dict)
    """Each test that failed at first, beside others, and passed when it was run again."""


def main() -> int:
    """Exit status 1 when anything failed; the last line counts what passed and failed."""
    commands: dict[str, tuple[Sequence[str | Path], Path]] = {
        "ruff check": ((*_PYTHON, "ruff", "check"), ROOT),
        "ruff format": ((*_PYTHON, "ruff", "format", "--check"), ROOT),
        "mypy": ((*_PYTHON, "mypy", "--exclude=^tests/harness/shop/", "sidecar", "scripts", "tests", "bench"), ROOT),
        "generated files": ((sys.executable, "scripts/generate.py", "--check"), ROOT),
        "tsc": (("node", _MODULES / "typescript" / "bin" / "tsc"), CLIENT),
        "tsc of the map": (("node", _MODULES / "typescript" / "bin" / "tsc", "-p", "map"), CLIENT),
        "eslint": (("node", _MODULES / "eslint" / "bin" / "eslint.js", "--max-warnings=0", "."), CLIENT),
    }
    works: dict[str, Callable[[], object]] = {"package": package}
    works |= {name: partial(run, command, cwd) for name, (command, cwd) in commands.items()}
    works |= {"client tests": _client_tests}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = [*pool.map(_check, works, works.values())]
    return _summary([*outcomes, *_tests(sys.argv[1:])])


def _check(name: str, work: Callable[[], object]) -> Outcome:
    start = time.monotonic()
    print(f"… {name}", flush=True)
    try:
        work()
    except StepError as failure:
        print(f"{failure}\n✗ {name}", flush=True)
        return Outcome(name, time.monotonic() - start, failed=1)
    seconds = time.monotonic() - start
    print(f"✓ {name} ({seconds:.1f} s)", flush=True)
    return Outcome(name, seconds, passed=1)


def _client_tests() -> None:
    run(("node", "esbuild.mjs", "--tests"), CLIENT)
    run(("node", "--test", *sorted((CLIENT / "out" / "tests").glob("*.test.js"))), CLIENT)


def _tests(arguments: Sequence[str]) -> list[Outcome]:
    """What is asked for, or everything: several at a time, the editor's apart; last, where there is a newer git, those
    that it may change."""
    if arguments:
        return _pytest("pytest", arguments)
    ignored = [f"--ignore={folder}" for folder in _WITH_AN_EDITOR]
    several = [f"--numprocesses={_TESTS_AT_A_TIME}", "--dist=worksteal", *ignored]
    with_an_editor = [f"--numprocesses={_AT_A_TIME}", "--dist=loadfile", *_WITH_AN_EDITOR]
    outcomes = [*_pytest("pytest", several), *_pytest("pytest-editor", with_an_editor)]
    if not NEWER_GIT.exists():
        print("Skipped: the tests with a newer git. Bring one: npm run newer-git", flush=True)
        return [*outcomes, Outcome("pytest-newer-git", 0, skipped=1)]
    path = f"{NEWER_GIT.parent}{os.pathsep}{os.environ['PATH']}"
    return [*outcomes, *_pytest("pytest-newer-git", ["-m", "newer_git", *several], {"PATH": path})]


def _pytest(name: str, arguments: Sequence[str], env: Mapping[str, str] = MappingProxyType({})) -> list[Outcome]:
    """Run pytest, `env` added to the environment; what came of it by folder, then as a whole.

    What failed is run once more, with nothing else at work: most tests drive real processes with a deadline, which a
    busy machine can miss. A test fails that fails twice; one that passes then is named.
    """
    start = time.monotonic()
    status, folders = _run_pytest(name, arguments, env)
    failed = sum(it.failed for it in folders)
    if status == _TESTS_FAILED and 0 < failed <= _AT_MOST_AGAIN:
        print(f"\nAgain, with nothing else at work: the {failed} that failed", flush=True)
        again = [it for it in arguments if not it.startswith(("--numprocesses", "--dist"))]
        status, twice = _run_pytest(f"{name}-again", ["--last-failed", "--last-failed-no-failures=none", *again], env)
        folders = _second_try(folders, twice)
    told = any(it.failed for it in folders)
    return [*folders, Outcome(name, time.monotonic() - start, failed=int(status != 0 and not told))]


def _run_pytest(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> tuple[int, list[Outcome]]:
    """Run pytest; its exit status, and what came of the tests by folder (none where it made no report)."""
    report = BUILD / f"{name}.xml"
    report.unlink(missing_ok=True)
    memory = _in_memory()
    command = [*_PYTHON, "pytest", f"--junitxml={report}", *memory, *arguments]
    variables = {name: value for name, value in os.environ.items() if name != _UNCOMPILED}
    status = subprocess.run(command, cwd=ROOT, env={**variables, **env}).returncode
    if memory and status == 0:
        shutil.rmtree(memory[0].partition("=")[2], ignore_errors=True)
    return status, _folders(report) if report.exists() else []


def _in_memory() -> list[str]:
    """Give the argument that has tests write into memory, where there is room: what they sync waits for no disk."""
    if not os.access(_MEMORY, os.W_OK) or psutil.virtual_memory().available < _ROOM:
        return []
    return [f"--basetemp={_MEMORY / f't{os.getpid()}'}"] if shutil.disk_usage(_MEMORY).free >= _ROOM else []


def _second_try(first: Sequence[Outcome], second: Sequence[Outcome]) -> list[Outcome]:
    """What came of both runs: those that failed in the first count as they ended in the second."""
    ended = {it.name: it for it in second}
    both = []
    for it in first:
        again = ended.get(it.name) if it.failed else None
        if again:
            passed, seconds = it.passed + again.passed, it.seconds + again.seconds
            at_first = {test: how for test, how in it.failures.items() if test not in again.failures}
            it = replace(it, seconds=seconds, passed=passed, failed=again.failed)
            it = replace(it, failures=again.failures, at_first=at_first)
        both.append(it)
    return both


def _folders(report: Path) -> list[Outcome]:
    """The tests by the folder under `tests/` that they are in, from pytest's JUnit report."""
    cases: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    failures: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for case in ET.parse(report).iter("testcase"):
        folder = "/".join(case.get("classname", "").split(".")[:2])
        kinds = {child.tag for child in case}
        result = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        cases[folder].append((result, float(case.get("time", "0"))))
        for child in (it for it in case if it.tag in {"failure", "error"}):
            test = f"{case.get('classname')}::{case.get('name')}"
            failures[folder][test] = " ".join(child.get("message", "").split())[:_LONGEST]
    outcomes = []
    for folder, found in sorted(cases.items()):
        passed, failed, skipped = (
            sum(result == kind for result, _ in found) for kind in ("passed", "failed", "skipped")
        )
        seconds = sum(seconds for _, seconds in found)
        outcomes.append(Outcome(folder, seconds, passed, failed, skipped, failures[folder]))
    return outcomes


def _summary(outcomes: Sequence[Outcome]) -> int:
    print("\nSummary")
    for it in outcomes:
        mark = "✗" if it.failed else "✓"
        counts = [f"{it.passed} passed"] * (it.passed > 0) + [f"{it.failed} failed"] * (it.failed > 0)
        counts += [f"{it.skipped} skipped"] * (it.skipped > 0)
        counts += [f"{len(it.at_first)} only when run again, alone"] * (len(it.at_first) > 0)
        print(f"  {mark} {it.name:<24} {it.seconds:7.1f} s  {', '.join(counts)}")
    for outcome in outcomes:
        for test, how in outcome.at_first.items():
            print(f"  passed only when run again, alone: {test}: {how}")
        for test, how in outcome.failures.items():
            print(f"  failed: {test}: {how}")
    failed = sum(it.failed for it in outcomes)
    print(f"{sum(it.passed for it in outcomes)} passed, {failed} failed, {sum(it.skipped for it in outcomes)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    exit_with(main)
