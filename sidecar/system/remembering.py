"""Remember what a function has answered, the answers not asked for longest going first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def remembering(answer: Callable[P, T], weigh: Callable[[T], int], most: int) -> Callable[P, T]:
    """Wrap a function so that answers of at most that weight are remembered; those not asked for longest go first.

    For positional arguments, from any thread. An error is not remembered.
    """
    known: OrderedDict[tuple[object, ...], tuple[T, int]] = OrderedDict()
    total = 0
    lock = threading.Lock()

    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal total
        with lock:
            if (found := known.get(args)) is not None:
                known.move_to_end(args)
                return found[0]
        given = answer(*args, **kwargs)
        weight = weigh(given) + 1
        with lock:
            if args not in known:
                known[args] = (given, weight)
                total += weight
            while total > most and len(known) > 1:
                total -= known.popitem(last=False)[1][1]
        return given

    return ask
