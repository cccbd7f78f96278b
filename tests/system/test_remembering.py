"""What is remembered, and what is forgotten when it weighs too much."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.system.remembering import remembering


def test_answers_are_given_again_and_the_oldest_are_forgotten() -> None:
    asked: list[int] = []

    def answer(number: int) -> str:
        asked.append(number)
        return "x" * number

    ask = remembering(answer, len, 25)
    assert [ask(10), ask(10), ask(5), ask(10)] == ["x" * 10, "x" * 10, "x" * 5, "x" * 10]
    assert asked == [10, 5]
    ask(7)  # together 25: all still fit
    ask(5)
    assert asked == [10, 5, 7]
    ask(1)  # too much: 10 has not been asked for longest
    assert [ask(7), ask(5), ask(10)] and asked == [10, 5, 7, 1, 10]


def test_an_answer_that_is_too_heavy_by_itself_is_given_all_the_same() -> None:
    ask = remembering(lambda number: "x" * number, len, 10)
    assert ask(100) == "x" * 100
    assert ask(3) == "xxx"


def test_an_error_is_not_remembered() -> None:
    failing = [True]

    def answer(number: int) -> int:
        if failing.pop() if failing else False:
            raise OSError
        return number

    ask = remembering(answer, int, 10)
    with pytest.raises(OSError):
        ask(1)
    assert ask(1) == 1


def test_from_many_threads() -> None:
    ask = remembering(lambda number: [number] * number, len, 200)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, list(range(50)) * 20)) == [[number] * number for number in range(50)] * 20
