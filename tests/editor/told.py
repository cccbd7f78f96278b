"""What the windows under test say, in dialogs, notifications and the status bar, and what none of them may."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import BrowserContext, Page

BROKEN = re.compile(r"\bundefined\b|\bNaN\b|\[object |Error:|resulted in an error|Traceback|Pending response")

_TELL = """(() => {
    const places = {
        dialog: '.monaco-dialog-box .dialog-message-container',
        notice: '.notifications-toasts .notification-list-item',
        status: '.statusbar-item[id*="worktreeSidecar"]',
    };
    const known = new WeakMap();
    const words = (kind, it) => kind === 'notice' ? it.querySelector('.notification-list-item-message') : it;
    const look = () => Object.entries(places).forEach(([kind, place]) => {
        for (const it of document.querySelectorAll(place)) {
            const text = (words(kind, it)?.textContent ?? '').replaceAll('\\u00a0', ' ').trim();
            if (text && text !== known.get(it)) {
                const canStop = [...it.querySelectorAll('.monaco-button')].some(one => one.textContent === 'Cancel');
                const goesOn = kind === 'notice' && (known.has(it) || canStop); // its bar may have ended by now
                known.set(it, text);
                window.worktreeSidecarTold(goesOn ? 'progress' : kind, text);
            }
        }
    });
    addEventListener('click', ({target}) => {
        const it = target.closest?.(places.notice);
        if (it && known.has(it)) window.worktreeSidecarTold('answered', known.get(it));
    }, true);
    new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
})();"""


@dataclass(frozen=True, slots=True)
class Told:
    """A text that appeared: in a dialog, in a notification, in one that shows progress, or in our status item.

    A notification is `answered` by a click into it.
    """

    kind: Literal["dialog", "notice", "progress", "status", "answered"]
    text: str


def listen(context: BrowserContext, told: list[Told]) -> None:
    """Have all that appears in the windows of a context from now on added to `told`."""
    context.expose_function("worktreeSidecarTold", lambda kind, text: told.append(Told(kind, text)))
    context.add_init_script(_TELL)


def hear(page: Page) -> None:
    """Let everything come that a page has told so far."""
    page.evaluate("new Promise(requestAnimationFrame)")


def faults(told: Sequence[Told]) -> list[str]:
    """Give what nobody should have been told so: broken texts, consent asked in a notification, a notice said twice."""
    texts = list(dict.fromkeys(one.text for one in told))
    standing: Counter[str] = Counter()
    twice: list[str] = []
    for one in told:
        if one.kind == "answered":
            standing[one.text] = 0
        elif one.kind == "notice":
            standing[one.text] += 1
            if standing[one.text] == 2:
                twice.append(one.text)
    asking = [one.text for one in told if one.kind in ("notice", "progress") and "?" in one.text]
    return [
        *(f"broken: {text}" for text in texts if BROKEN.search(text)),
        *(f"asked in a notification: {text}" for text in asking),
        *(f"said twice: {text}" for text in twice),
    ]
