"""Several windows may have one file open: the text that was changed last counts, and each knows its own number."""

from sidecar.session.texts import Texts

ONE, TWO = 1, 2


class Told:
    """What the session is told, and the documents of the Picture that follows from it."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.documents: dict[str, int] = {}
        self.all = Texts(self.take)

    def take(self, path: str, text: str | None, version: int) -> None:
        if text is None:
            del self.texts[path], self.documents[path]
        else:
            self.texts[path], self.documents[path] = text, version

    def of(self, door: int) -> dict[str, int]:
        return self.all.documents(door, self.documents)


def test_who_types_last_counts_and_only_he_knows_the_picture_for_his() -> None:
    told = Told()
    told.all.put(ONE, "/a", "typed", 7)
    told.all.put(TWO, "/a", "as on disk", 3)
    assert (told.texts, told.of(ONE), told.of(TWO)) == ({"/a": "typed"}, {"/a": 7}, {})
    told.all.put(TWO, "/a", "typed, too", 4)
    assert (told.texts, told.of(ONE), told.of(TWO)) == ({"/a": "typed, too"}, {}, {"/a": 4})


def test_the_same_text_is_known_to_both() -> None:
    told = Told()
    told.all.put(ONE, "/a", "same", 7)
    told.all.put(TWO, "/a", "same", 3)
    assert (told.of(ONE), told.of(TWO)) == ({"/a": 7}, {"/a": 3})


def test_a_save_is_a_new_number_of_the_same_text() -> None:
    told = Told()
    told.all.put(ONE, "/a", "same", 7)
    before = dict(told.documents)
    told.all.put(ONE, "/a", "same", 8)
    assert told.documents != before and told.of(ONE) == {"/a": 8}


def test_what_a_door_leaves_behind_is_what_the_others_have() -> None:
    told = Told()
    told.all.put(ONE, "/a", "one", 1)
    told.all.put(TWO, "/a", "other", 2)
    told.all.put(TWO, "/a", "two", 3)
    told.all.put(TWO, "/b", "b", 4)
    told.all.leave(TWO)
    assert (told.texts, told.of(ONE)) == ({"/a": "one"}, {"/a": 1})
    told.all.put(ONE, "/a", None, 5)
    assert told.texts == {}


def test_closing_what_is_not_open_says_nothing() -> None:
    told = Told()
    told.all.put(ONE, "/a", None, 5)
    told.all.leave(ONE)
    assert told.texts == {}
