"""`Descriptors` is a dict that takes less room."""

import sys

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sidecar.watch.tree import SPARE, Descriptors
from tests.model.examples import examples

NUMBERS = st.integers(1, 40)


class LikeADict(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.table: Descriptors[str] = Descriptors()
        self.model: dict[int, str] = {}

    @rule(descriptor=NUMBERS, value=st.text(max_size=1))
    def put(self, descriptor: int, value: str) -> None:
        self.table[descriptor] = self.model[descriptor] = value
        self.same()

    @rule(descriptor=NUMBERS)
    def take(self, descriptor: int) -> None:
        assert self.table.get(descriptor) == self.model.get(descriptor)
        if descriptor in self.model:
            assert self.table[descriptor] == self.model[descriptor]
            assert self.table.pop(descriptor) == self.model.pop(descriptor)
        self.same()

    @rule()
    def clear(self) -> None:
        self.table.clear()
        self.model.clear()
        self.same()

    def same(self) -> None:
        assert list(self.table.items()) == sorted(self.model.items())
        assert list(self.table.values()) == [value for _, value in sorted(self.model.items())]
        assert len(self.table) == len(self.model) and bool(self.table) == bool(self.model)
        assert all((number in self.table) == (number in self.model) for number in range(45))


TestLikeADict = LikeADict.TestCase
TestLikeADict.settings = examples(50)


def test_what_was_taken_out_takes_no_room_for_long() -> None:
    table: Descriptors[str] = Descriptors()
    for descriptor in range(1, 20 * SPARE):
        table[descriptor] = "d"
        if descriptor > 10:
            del table[descriptor - 10]
    assert [descriptor for descriptor, _ in table.items()] == list(range(20 * SPARE - 10, 20 * SPARE))
    room = sum(sys.getsizeof(getattr(table, name)) for name in ("_keys", "_values"))
    assert room < 40 * SPARE
