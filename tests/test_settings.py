"""Settings: where they come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings, and none in the environment."""
    import os

    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STREAMLINK_"):
            monkeypatch.delenv(name)


def test_defaults_need_no_file() -> None:
    assert load_settings() == Settings()


def test_a_command_beats_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "streamlink.toml").write_text('row_limit = 1\ntime_limit_s = 1\nmodel = "file"\n')
    monkeypatch.setenv("STREAMLINK_TIME_LIMIT_S", "2")
    monkeypatch.setenv("STREAMLINK_MODEL", "environment")
    settings = load_settings(model="command", data=None)
    assert (settings.row_limit, settings.time_limit_s, settings.model, settings.data) == (1, 2.0, "command", None)


def test_the_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toml").write_text("port = 1")
    (tmp_path / "b.toml").write_text("port = 2")
    monkeypatch.setenv("STREAMLINK_CONFIG", str(tmp_path / "a.toml"))
    assert load_settings().port == 1
    assert load_settings(tmp_path / "b.toml").port == 2


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "streamlink.toml").write_text("rowlimit = 1")
    with pytest.raises(BadRequest, match=r"no setting rowlimit in streamlink.toml. Did you mean row_limit\?") as caught:
        load_settings()
    assert caught.value.helps["suggestions"] == ["row_limit"]


def test_an_unknown_variable_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLINK_ROW_LIMITS", "5")
    with pytest.raises(BadRequest, match=r"STREAMLINK_ROW_LIMITS in the environment. Did you mean STREAMLINK_ROW_LIMIT\?"):
        load_settings()


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLINK_SPIDER", "/somewhere")
    monkeypatch.setenv("STREAMLINK_MODELS", "/elsewhere")
    monkeypatch.setenv("STREAMLINK_TEST_POSTGRES", "postgresql://")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("row_limit = 0", "row_limit cannot be 0"),
        ('row_limit = "many"', "row_limit cannot be 'many'"),
        ("time_limit_s = -1", "time_limit_s"),
        ("time_limit_s = nan", "time_limit_s"),
        ("port = 70000", "port"),
        ("min_confidence = 2", "min_confidence"),
        ("row_limit = ", "not valid TOML"),
        ("row_limit = " + "[" * 20_000, "not valid TOML"),
        ("\udcff", "not valid TOML"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "streamlink.toml").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadRequest, match=says):
        load_settings()


def test_a_missing_settings_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no settings file .*nothing\.toml"):
        load_settings(tmp_path / "nothing.toml")


def test_a_key_is_not_shown() -> None:
    assert "secret-word" not in repr(Settings(model_key="secret-word"))  # type: ignore[arg-type]


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
