"""Settings: what fits their kinds, and which of default, git config and editor wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.settings import DEFAULTS, GROUPS, SETTINGS, Setting, of_door, of_session, read_value, settle
from tests.model.examples import examples

BY_KEY = {setting.key: setting for setting in SETTINGS}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def test_the_table_is_sound() -> None:
    keys = [setting.key for setting in SETTINGS]
    assert len(set(keys)) == len(keys)
    for setting in SETTINGS:
        assert setting.doc.endswith(".")
        assert setting.git or setting.editor
        assert read_value(setting, setting.default) == setting.default
        assert not setting.choices or setting.default in setting.choices
    assert settle({}, {}) == DEFAULTS


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("trunk", "dev", "dev"),
        ("trunk", 3, None),
        ("trunk", None, None),
        ("maxFileSize", "7", 7),
        ("maxFileSize", 7, 7),
        ("maxFileSize", "0", 0),
        ("maxFileSize", "-1", None),
        ("maxFileSize", "many", None),
        ("maxFileSize", "", None),
        ("maxFileSize", True, None),
        ("maxFileSize", 1.5, None),
        ("watcher", "polling", "polling"),
        ("watcher", "magic", None),
        ("trusted", "/a", ("/a",)),
        ("trusted", ("/a", "/b"), ("/a", "/b")),
        ("trusted", ["/a"], ("/a",)),
        ("trusted", ["/a", 1], None),
        ("trusted", 1, None),
    ],
)
def test_a_value_fits_or_is_none(key: str, raw: object, value: object) -> None:
    assert read_value(BY_KEY[key], raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [("true", True), ("Yes", True), ("on", True), ("1", True), ("false", False), ("no", False), ("off", False),
     ("0", False), (True, True), (False, False), (1, None), (None, None)],
)  # fmt: skip
def test_booleans_as_git_spells_them(raw: object, value: bool | None) -> None:
    assert read_value(Setting("x", False, "A switch."), raw) is value


def test_the_editor_is_over_git_config_is_over_the_default() -> None:
    assert settle({"maxfilesize": "7"}, {})["maxFileSize"] == 7
    assert settle({"maxfilesize": "7"}, {"maxFileSize": 9})["maxFileSize"] == 9
    assert settle({"trunk": "dev"}, {"trunk": "stage"})["trunk"] == "stage"


def test_what_does_not_fit_hides_nothing() -> None:
    assert settle({"maxfilesize": "many"}, {})["maxFileSize"] == DEFAULTS["maxFileSize"]
    assert settle({"maxfilesize": "7"}, {"maxFileSize": "many"})["maxFileSize"] == 7
    assert settle({"watcher": "polling"}, {"watcher": "magic"})["watcher"] == "polling"


def test_an_editors_default_is_no_choice() -> None:
    """Editors send every setting, also those that nobody has set."""
    assert settle({"maxfilesize": "7", "trunk": "dev", "watcher": "polling"}, dict(DEFAULTS)) == {
        **DEFAULTS,
        "maxFileSize": 7,
        "trunk": "dev",
        "watcher": "polling",
    }


def test_a_door_reads_only_its_own_settings() -> None:
    assert settle({"server.path": "/evil"}, {})["server.path"] == ""
    assert settle({}, {"trusted": ["/evil"]})["trusted"] == ()
    assert settle({"trusted": ("/a",)}, {"trusted": ["/evil"]})["trusted"] == ("/a",)


def test_windows_that_differ_in_what_no_session_reads_share_one() -> None:
    own = {"marks.gutter": False, "agents": ["robot"], "landingLimit": 1, "verify": "make", "show": "everything"}
    assert of_session(own) == {}
    assert of_session({**own, "maxFileSize": 7}) == {"maxFileSize": 7}
    told = of_door(settle({}, {"maxFileSize": 7}), own)
    assert (told["maxFileSize"], told["agents"], told["landingLimit"]) == (7, ("robot",), 1)


@examples(150)
@given(
    st.dictionaries(st.sampled_from([key.lower() for key in BY_KEY]), st.text(max_size=5) | st.tuples(st.text())),
    st.dictionaries(st.sampled_from([*BY_KEY, "unknown"]), JSON),
)
def test_whatever_is_configured_every_setting_has_a_value_of_its_kind(
    configured: dict[str, str | tuple[str, ...]], editor: dict[str, object]
) -> None:
    settled = settle(configured, editor)
    assert settled.keys() == BY_KEY.keys()
    for key, value in settled.items():
        assert read_value(BY_KEY[key], value) == value


def test_groups_have_settings_of_the_editor_each_once() -> None:
    grouped = [key for keys in GROUPS.values() for key in keys]
    assert len(set(grouped)) == len(grouped)
    assert all(BY_KEY[key].editor for key in grouped)
