"""Tells the client what is new: one Picture at a time, the newest only, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

from sidecar.lsp.code_lens import lenses
from sidecar.lsp.diagnostics import Published, news, publish
from sidecar.lsp.door import Door, Repository, in_pool, log_error, scene_of
from sidecar.lsp.scene import Scene


async def keep_publishing(door: Door) -> None:
    """Whenever there are Pictures or documents that the client was not told about, tell it."""
    while True:
        await door.pictures.wait()
        door.pictures.clear()
        gone = set() if door.settling else door.published.keys() - door.repositories.keys()
        for name in gone:
            _tell(door, door.published.pop(name), Published())
        for name, repository in list(door.repositories.items()):
            if repository.due:
                repository.due = False
                try:
                    with repository.session.foreground.entered("publisher"):
                        await _publish(door, name, repository)
                except Exception as error:
                    log_error(door, "Publishing", error)


async def _publish(door: Door, name: str, repository: Repository) -> None:
    scene = scene_of(door, repository)
    if scene is None:
        return
    before = door.published.get(name, Published())
    drawn, titles = await in_pool(door, _draw, scene, before)
    if door.repositories.get(name) is not repository:
        return
    after = _hold_back(door, scene, before, drawn)
    door.published[name] = after
    _tell(door, before, after)
    if door.client.lens_refresh and any(door.lenses.get(path) != title for path, title in titles.items()):
        door.server.workspace_code_lens_refresh(None)
    door.lenses |= titles
    if repository.published is not scene.snapshot.picture:
        repository.published = scene.snapshot.picture
        door.drawn.set()


def _draw(scene: Scene, before: Published) -> tuple[Published, dict[str, str | None]]:
    return publish(scene, before), lenses(scene)


def _hold_back(door: Door, scene: Scene, before: Published, after: Published) -> Published:
    """Leave documents as they were that have moved on while this was drawn; another round comes for them."""
    moved = {uri for uri in door.documents.keys() | scene.documents.keys() if _moved(door, scene, uri)}
    kept = {uri: publication for uri, publication in before.by_uri.items() if uri in moved}
    settled = {uri: publication for uri, publication in after.by_uri.items() if uri not in moved}
    return replace(after, by_uri=settled | kept)


def _moved(door: Door, scene: Scene, uri: str) -> bool:
    now, then = door.documents.get(uri), scene.documents.get(uri)
    return (now and now.stamp) != (then and then.stamp)


def _tell(door: Door, before: Published, after: Published) -> None:
    for params in news(before, after):
        door.server.text_document_publish_diagnostics(params)
