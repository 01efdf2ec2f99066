"""The environment is read once, wholly, and refused wholly."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.infra.errors import SettingsInvalid
from exam_engine.infra.settings import Secret, Settings, environment_of, load_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({"PATH": "/bin", "EXAM_HTTP_PORT": ""}) == Settings()


def test_values_are_read_by_their_kind() -> None:
    settings = load_settings(
        {
            "EXAM_DATA_FOLDER": "/tmp/dữ liệu",
            "EXAM_HTTP_PORT": "8080",
            "EXAM_DATABASE_POOLER": "true",
            "EXAM_DATABASE_URL": "postgresql://u:p@h/d",
        }
    )
    assert settings.data_folder == Path("/tmp/dữ liệu")
    assert settings.http_port == 8080
    assert settings.database_pooler is True
    assert settings.database_url == Secret("postgresql://u:p@h/d")


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        pytest.param("EXAM_HTTP_PROT", "1", "did you mean EXAM_HTTP_PORT?", id="a typing error in the name"),
        pytest.param("EXAM_HTTP_PORT", "http", "EXAM_HTTP_PORT", id="no number"),
        pytest.param("EXAM_HTTP_PORT", "70000", "EXAM_HTTP_PORT", id="out of range"),
        pytest.param("EXAM_LOG_LEVEL", "loud", "EXAM_LOG_LEVEL", id="not one of the choices"),
        pytest.param("EXAM_SECURE_COOKIES", "perhaps", "EXAM_SECURE_COOKIES", id="neither true nor false"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(variable: str, text: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said.replace("?", r"\?")):
        load_settings({variable: text})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"EXAM_ONE": "1", "EXAM_TWO": "2", "EXAM_HTTP_PORT": "x"})
    assert len(refused.value.problems) == 3


def test_a_secret_never_shows_itself() -> None:
    settings = load_settings({"EXAM_SECRET_KEY": "x" * 40})
    assert "x" * 40 not in repr(settings)
    assert "x" * 40 not in f"{settings.secret_key}"


@given(
    port=st.integers(1, 65535),
    pooler=st.booleans(),
    url=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
)
def test_a_child_process_reads_the_same_settings(port: int, pooler: bool, url: str) -> None:
    settings = Settings(http_port=port, database_pooler=pooler, database_url=Secret(url))
    assert load_settings(environment_of(settings)) == settings
