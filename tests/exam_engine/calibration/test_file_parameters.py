"""Parameter files: read back what was written, read what others write, refuse what contradicts itself."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.calibration.files.parameter_files import read_parameters
from exam_engine.calibration.files.parameter_tables import parameter_csv
from exam_engine.calibration.files.writing import write_all
from exam_engine.infra.errors import FileRefused
from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model

nan = np.nan
MIXED = item_bank(
    ["r", "2", "3", "4", "g", "p", "m", "n"],
    ["rasch", "2pl", "3pl", "4pl", "graded", "gpcm", "pcm", "nominal"],
    a=[1, 1.5, 0.7, 2, 1.1, 0.9, 1, 0.8],
    d=[
        [0.5, nan, nan],
        [-1, nan, nan],
        [0.2, nan, nan],
        [0, nan, nan],
        [2, 0.1, -1.5],
        [1, 0.5, nan],
        [0.3, -0.4, nan],
        [0.6, 0.2, -0.3],
    ],
    c=[0, 0, 0.2, 0.1, 0, 0, 0, 0],
    u=[1, 1, 1, 0.95, 1, 1, 1, 1],
    ak=[*[[0.0, 1.0, 2.0, 3.0]] * 7, [0.0, 1.4, 0.6, 3.0]],
)


def assert_alike(first: ItemBank, second: ItemBank) -> None:
    assert first.names == second.names
    assert first.models == second.models
    for name in ("a", "d", "c", "u"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-10, atol=1e-12)
    k = int(first.n_categories[-1])
    np.testing.assert_allclose(first.ak[-1, :k], second.ak[-1, :k], rtol=1e-10)


@pytest.mark.parametrize("is_wide", [False, True], ids=["long", "wide"])
def test_every_model_is_read_back_as_it_was_written(is_wide: bool) -> None:
    content = parameter_csv(MIXED, first_categories=[0, 0, 0, 0, 1, 0, 0, 0], is_wide=is_wide)
    found = read_parameters(content, "p.csv")
    assert_alike(MIXED, found.bank)
    assert found.first_categories == (None, None, None, None, 1, None, None, None)


@given(
    a=st.floats(0.05, 8),
    b=st.floats(-6, 6),
    c=st.floats(0.001, 0.5),
    model=st.sampled_from([Model.TWO_PL, Model.THREE_PL]),
)
def test_any_item_survives_the_file(a: float, b: float, c: float, model: Model) -> None:
    guess = c if model is Model.THREE_PL else 0.0
    bank = item_bank(["x"], [model], a=[a], d=[[-a * b]], c=[guess])
    found = read_parameters(parameter_csv(bank), "p.csv").bank
    assert found.a[0] == pytest.approx(a, rel=1e-10)
    assert found.d[0, 0] == pytest.approx(-a * b, rel=1e-10, abs=1e-12)
    assert found.c[0] == pytest.approx(guess, rel=1e-9)


def test_latent_moments_stand_beside_the_items() -> None:
    moments = {"nam": (0.0, nan, 1.0, nan), "nữ": (0.25, 0.05, 1.2, 0.1)}
    found = read_parameters(parameter_csv(MIXED, moments=moments), "p.csv")
    assert found.means == {"nam": 0.0, "nữ": 0.25}
    assert found.variances == {"nam": 1.0, "nữ": 1.2}


def test_a_table_of_item_a_b_c_is_enough() -> None:
    found = read_parameters(b"item;a;b;c\nx;1,2;-0,5;0,2\ny;0,8;1;0\n", "p.csv")
    assert found.bank.models == (Model.THREE_PL, Model.TWO_PL)
    np.testing.assert_allclose(found.bank.difficulties()[:, 0], [-0.5, 1.0])


@pytest.mark.parametrize("tag", ["LSAT7_2PL", "LSAT7_Rasch", "Science_graded"])
def test_what_the_reference_software_writes_is_read(reference_dir: Path, tag: str) -> None:
    folder = reference_dir / "irt"
    theirs = read_parameters(folder / f"{tag}_params.csv", "theirs").bank
    optimum = read_parameters(folder / f"{tag}_optimum.csv", "optimum").bank
    np.testing.assert_allclose(theirs.d, optimum.d, atol=2e-4)
    np.testing.assert_allclose(theirs.a, optimum.a, atol=2e-4)
    assert np.array_equal(theirs.n_categories, optimum.n_categories)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        pytest.param("item,model,a,b\nx,7pl,1,0\n", "line 2, column model", "“7pl” is no model", id="unknown model"),
        pytest.param("item,model,a,b\nx,2pl,one,0\n", "line 2, column a", "“one” is not a number", id="no number"),
        pytest.param("item,model,a,b\nx,2pl,inf,0\n", "line 2, column a", "“inf” is not a number", id="infinite"),
        pytest.param("item,model,a\nx,2pl,1\n", "line 2", "neither an intercept nor a difficulty", id="no difficulty"),
        pytest.param("item,model,a,b,c\nx,3pl,1,0,1.5\n", "line 2", "asymptotes c = 1.5", id="a guess above 1"),
        pytest.param("item,model,a,d1,d2\nx,graded,1,0,1\n", "line 2", "that do not fall", id="graded upside down"),
        pytest.param("item,model,a,d1,d2\nx,2pl,1,0,\nx,2pl,1,0,\n", "line 3", "twice", id="an item twice"),
        pytest.param("item,a,q\nx,1,2\n", "line 2, column q", "is no parameter", id="an unknown column"),
        pytest.param("a,b\n1,2\n", "column item", "the column item is missing", id="no column of items"),
        pytest.param("item,a,b\n", "file", "there are no items", id="no items"),
        pytest.param("item,parameter,estimate\nx,zz,1\n", "line 2, column parameter", "“zz”", id="unknown parameter"),
    ],
)
def test_a_file_that_contradicts_itself_is_named_by_line(text: str, place: str, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_parameters(text.encode(), "p.csv")
    error = refused.value.errors[0]
    assert error.place == place
    assert reason in error.reason


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("old")
    with pytest.raises(OSError, match=r"nowhere"):
        write_all([(kept, b"new"), (tmp_path / "nowhere" / "x.csv", b"x")])
    assert kept.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.csv"]
    write_all([(kept, b"new"), (tmp_path / "second.csv", b"2")])
    assert kept.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.csv", "second.csv"]
