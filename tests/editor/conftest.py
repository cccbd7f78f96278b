"""One VS Code with only the VSIX installed, for all tests; each test has a repository and a window of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.editor.chromium import HOW_TO_INSTALL, chromium, find_chromium
from scripts.editor.codeserver import CodeServer, code_server
from scripts.package import package
from scripts.screenshots import TAKEN
from tests.editor.told import Told, faults, hear, listen
from tests.harness.sample import Sample, build

Shoot = Callable[[str], None]

_REPLACE = """([text, by]) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let it; (it = texts.nextNode());) {
        if (it.data.includes(text)) it.data = it.data.replaceAll(text, by);
    }
}"""

WAIT_MILLISECONDS = 60_000
"""For a machine that has much else to do; what is there is seen at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test here may have to build the VSIX and to fetch code-server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


# Not for the whole session: Playwright keeps an event loop running, which other tests want for themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip(f"no Chromium to show the editor in: {HOW_TO_INSTALL}")
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with chromium(executable) as running:
        yield running


@pytest.fixture(scope="package")
def editor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeServer]:
    """A VS Code whose PATH has git and nothing else, so that the only server is the one in the VSIX."""
    home = tmp_path_factory.mktemp("editor")
    with code_server(home / "code-server", package(), env=bare_environment(home)) as running:
        yield running


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return build(tmp_path / "sample")


@pytest.fixture
def told() -> list[Told]:
    """What the test's window has said so far."""
    return []


@pytest.fixture
def page(browser: Browser, told: list[Told]) -> Iterator[Page]:
    yield from window(browser, told)


@pytest.fixture
def told_second() -> list[Told]:
    """What the other window has said so far."""
    return []


@pytest.fixture
def second_page(browser: Browser, told_second: list[Told]) -> Iterator[Page]:
    """Another window, as of another person."""
    yield from window(browser, told_second)


def window(browser: Browser, told: list[Told]) -> Iterator[Page]:
    """An empty window; the test fails for what it should not have said."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(WAIT_MILLISECONDS)
    listen(context, told)
    page = context.new_page()
    yield page
    hear(page)
    context.close()
    assert faults(told) == []


@pytest.fixture
def shoot(page: Page, tmp_path: Path) -> Shoot:
    """Keeps what the window shows now as `build/screenshots/NAME.png`, a test's own place being somebody's home."""

    def shoot(name: str) -> None:
        TAKEN.mkdir(parents=True, exist_ok=True)
        page.evaluate(_REPLACE, [str(tmp_path), "/home/ada"])
        page.screenshot(path=TAKEN / f"{name}.png", animations="disabled", caret="initial")

    return shoot


def bare_environment(home: Path) -> dict[str, str]:
    """What a machine with git and without Python offers to the editor."""
    git = shutil.which("git")
    assert git
    (home / "bin").mkdir()
    (home / "bin" / "git").symlink_to(git)
    return {
        "HOME": str(home),
        "PATH": str(home / "bin"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }
