"""`sidecar/picture`: what `status --json` prints, for clients that show more than diagnostics."""

from __future__ import annotations

import asyncio

from sidecar.lsp.door import Door, Repository, in_pool, log_error
from sidecar.model.schema import status_object

PICTURE = "sidecar/picture"
REST = 9
"""How many times as long as sending took there is none then: a large Picture takes time from diagnostics."""


async def keep_picturing(door: Door) -> None:
    """Send each Picture whose diagnostics the client has; the newest only."""
    clock = asyncio.get_running_loop().time
    while True:
        await door.drawn.wait()
        door.drawn.clear()
        begun = clock()
        for name, repository in list(door.repositories.items()):
            try:
                await _send(door, name, repository)
            except Exception as error:
                log_error(door, "Sending the picture", error)
        await asyncio.sleep((clock() - begun) * REST)


async def _send(door: Door, name: str, repository: Repository) -> None:
    picture = repository.published
    if picture is None or picture is repository.pictured:
        return
    shown = await in_pool(door, status_object, picture)
    if door.repositories.get(name) is repository:
        repository.pictured = picture
        door.server.protocol.notify(PICTURE, shown)
