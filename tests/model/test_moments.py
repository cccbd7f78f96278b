"""Moments as a person says them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sidecar.model.messages import parse_moment

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 29, 14, 5, 30, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("now", NOW),
        ("10 minutes ago", NOW - timedelta(minutes=10)),
        ("10m", NOW - timedelta(minutes=10)),
        ("an hour ago", NOW - timedelta(hours=1)),
        ("a  Day ago", NOW - timedelta(days=1)),
        ("90 seconds", NOW - timedelta(seconds=90)),
        ("2 weeks ago", NOW - timedelta(weeks=2)),
        ("yesterday", NOW - timedelta(days=1)),
        ("13:00", datetime(2026, 11, 29, 13, 0, 59, 999_999, tzinfo=ZONE)),
        ("13:00:07", datetime(2026, 11, 29, 13, 0, 7, 999_999, tzinfo=ZONE)),
        ("14:05", datetime(2026, 11, 29, 14, 5, 59, 999_999, tzinfo=ZONE)),
        ("23:59", datetime(2026, 11, 28, 23, 59, 59, 999_999, tzinfo=ZONE)),
        ("2026-11-28T08:00:00Z", datetime(2026, 11, 28, 8, tzinfo=UTC)),
        ("2026-11-28 08:00", datetime(2026, 11, 28, 8, tzinfo=ZONE)),
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=ZONE)),
    ],
)
def test_what_is_meant(said: str, meant: datetime) -> None:
    assert parse_moment(said, NOW) == meant


NO_MOMENTS = ["", "soon", "25:00", "12:60", "10 parsecs ago", "ten minutes ago", "-5 minutes ago", "999999 weeks ago"]


@pytest.mark.parametrize("said", NO_MOMENTS)
def test_what_is_no_moment(said: str) -> None:
    assert parse_moment(said, NOW) is None
