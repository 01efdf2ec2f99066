"""The commands on files against the reference values, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests.exam_engine.calibration.files import answers, read, run, run_json, write

PRIORS = {"SAT12_3PL_norm": "normal(-1.1,0.5)", "SAT12_3PL_beta": "beta(5,17)"}
CASES = [
    pytest.param("LSAT7_2PL", "LSAT7.csv", "2pl", id="2PL of patterns with frequencies"),
    pytest.param("LSAT7_Rasch", "LSAT7.csv", "rasch", id="Rasch"),
    pytest.param("Science_graded", "Science.csv", "graded", id="graded, categories from 1"),
    pytest.param("SAT12_3PL_norm", "SAT12_scored.csv", "3pl", id="3PL with a normal prior"),
    pytest.param("SAT12_3PL_beta", "SAT12_scored.csv", "3pl", id="3PL with a beta prior"),
]
FIT_CASES = [
    pytest.param("LSAT7_2PL", "LSAT7.csv", "_params.csv", id="2PL"),
    pytest.param("LSAT7_Rasch", "LSAT7.csv", "_params.csv", id="Rasch"),
    pytest.param("Science_graded", "Science.csv", "_params.csv", id="graded"),
]


@pytest.mark.parametrize(("tag", "data", "model"), CASES)
def test_calibrate_writes_the_reference_optimum(
    reference_dir: Path, tmp_path: Path, tag: str, data: str, model: str
) -> None:
    folder, out = reference_dir / "irt", tmp_path / "items.csv"
    prior = ["--prior-guess", PRIORS[tag]] if tag in PRIORS else []
    view = run_json("irt", "calibrate", folder / data, "--model", model, "--tight", "--out", out, "--quiet", *prior)
    expected = json.loads((folder / f"{tag}_optimum.json").read_text())
    assert view["converged"] is True
    assert view["log_likelihood"] == pytest.approx(expected["logLik"], abs=1e-5)
    ours = {(row["item"], row["parameter"]): row for row in read(out)}
    for row in read(folder / f"{tag}_optimum.csv"):
        found = ours[row["item"], row["parameter"]]
        assert float(found["estimate"]) == pytest.approx(float(row["estimate"]), abs=1e-4), row
        if row["se_observed_information"] != "NA":
            assert float(found["se"]) == pytest.approx(float(row["se_observed_information"]), rel=1e-3), row


@pytest.mark.parametrize(("tag", "data", "parameters"), FIT_CASES)
def test_score_gives_the_abilities_of_the_reference_software(
    reference_dir: Path, tmp_path: Path, tag: str, data: str, parameters: str
) -> None:
    folder, out, table = reference_dir / "irt", tmp_path / "scores.csv", tmp_path / "sums.csv"
    methods = [word for name in ("eap", "map", "ml", "wle") for word in ("--method", name)]
    items = folder / f"{tag}{parameters}"
    result = run("irt", "score", folder / data, "--items", items, *methods, "--out", out, "--table", table)
    assert result.exit_code == 0, result.stderr
    for ours, theirs in zip(read(out), read(folder / f"{tag}_scores.csv"), strict=True):
        for name in ("EAP", "SE_EAP", "MAP", "SE_MAP", "ML", "SE_ML", "WLE", "SE_WLE"):
            if theirs[name] in ("NA", "Inf", "-Inf"):
                assert ours[name] == theirs[name]
            else:
                assert float(ours[name]) == pytest.approx(float(theirs[name]), abs=1e-4, rel=2e-4), (name, theirs)
    for ours, theirs in zip(read(table), read(folder / f"{tag}_eapsum.csv"), strict=True):
        assert ours["sum_score"] == theirs["Sum.Scores"]
        assert float(ours["theta"]) == pytest.approx(float(theirs["F1"]), abs=1e-4)
        assert float(ours["observed"]) == float(theirs["observed"])
        assert float(ours["expected"]) == pytest.approx(float(theirs["expected"]), abs=1e-3)


@pytest.mark.parametrize(("tag", "data", "parameters"), FIT_CASES)
def test_fit_gives_the_statistics_of_the_reference_software(
    reference_dir: Path, tmp_path: Path, tag: str, data: str, parameters: str
) -> None:
    folder, out, persons = reference_dir / "irt", tmp_path / "fit.csv", tmp_path / "persons.csv"
    items = folder / f"{tag}{parameters}"
    view = run_json("irt", "fit", folder / data, "--items", items, "--out", out, "--persons", persons)
    for ours, theirs in zip(read(out), read(folder / f"{tag}_itemfit.csv"), strict=True):
        for name in ("outfit", "z.outfit", "infit", "z.infit", "p.S_X2", "RMSEA.S_X2"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), abs=1e-4), (name, theirs)
        assert float(ours["S_X2"]) == pytest.approx(float(theirs["S_X2"]), abs=1e-3)
        assert ours["df.S_X2"] == theirs["df.S_X2"]
    for ours, theirs in zip(read(persons), read(folder / f"{tag}_scores.csv"), strict=True):
        for name in ("outfit", "infit", "Zh"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), abs=1e-4), (name, theirs)
    expected = json.loads((folder / f"{tag}_fit.json").read_text())
    assert view["reliability"]["empirical"] == pytest.approx(expected["empirical_rxx_EAP"], abs=1e-4)
    if view["model_fit"] is not None:
        assert view["model_fit"]["x2"] == pytest.approx(expected["M2_M2*"]["M2"], abs=1e-3)
        assert view["model_fit"]["rmsea"] == pytest.approx(expected["M2_M2*"]["RMSEA"], abs=1e-4)


def test_options_with_their_key_calibrate_like_the_scored_file(reference_dir: Path) -> None:
    folder = reference_dir / "irt"
    key = ["--key", folder / "SAT12_key.csv", "--code", "8=omitted"]
    options = ["--model", "2pl", "--quiet", "--errors", "none"]
    raw = run_json("irt", "calibrate", folder / "SAT12_raw.csv", *key, *options)
    plain = run_json("irt", "calibrate", folder / "SAT12_scored.csv", *options)
    assert raw["log_likelihood"] == plain["log_likelihood"]


def test_a_mixed_test_takes_its_models_from_a_file_and_is_scored_from_what_was_written(tmp_path: Path) -> None:
    items = write(
        tmp_path / "true.csv",
        ["item", "model", "a", "b", "c", "d1", "d2", "d3", "first_category"],
        [
            *[[f"q{i}", "2pl", 1.2, -1 + i / 4, "", "", "", "", ""] for i in range(8)],
            ["guess", "3pl", 1.5, 0.5, 0.2, "", "", "", ""],
            ["cluster", "gpcm", 1.0, "", "", 1.5, 1.0, -0.5, ""],
            ["essay", "graded", 1.3, "", "", 2.0, 0.0, -2.0, 1],
        ],
    )
    responses, abilities = tmp_path / "r.csv", tmp_path / "theta.csv"
    simulated = ["--candidates", 3000, "--seed", 7, "--missing", 0.1, "--abilities", abilities]
    assert run("irt", "simulate", "--items", items, "--out", responses, *simulated).exit_code == 0
    models = write(
        tmp_path / "models.csv",
        ["item", "model"],
        [["guess", "3pl"], ["cluster", "gpcm"], ["essay", "graded"]],
    )
    out = tmp_path / "items.csv"
    result = run("irt", "calibrate", responses, "--models", models, "--prior-guess", "beta(5,17)", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert "cycle    1  log-likelihood" in result.stderr
    assert "numbered from 1, not 0, in essay" in result.stderr
    found = {(row["item"], row["parameter"]): float(row["estimate"]) for row in read(out)}
    assert found["q3", "b"] == pytest.approx(-0.25, abs=0.15)
    assert found["essay", "a"] == pytest.approx(1.3, abs=0.2)
    scores = tmp_path / "s.csv"
    assert run("irt", "score", responses, "--items", out, "--scale", "500,100", "--out", scores).exit_code == 0
    theta = np.array([float(row["theta"]) for row in read(abilities)])
    eap = np.array([float(row["EAP"]) for row in read(scores)])
    assert np.corrcoef(theta, eap)[0, 1] > 0.8
    assert read(scores)[0]["scale_score"] == f"{np.floor(500 + 100 * eap[0] + 0.5):g}"


def test_anchors_keep_their_parameters_and_carry_the_scale(tmp_path: Path) -> None:
    true = write(tmp_path / "t.csv", ["item", "a", "b"], [[f"q{i}", 1.2, -1 + i / 4] for i in range(9)])
    responses, out = tmp_path / "r.csv", tmp_path / "o.csv"
    drawn = ["--candidates", 4000, "--mean", 0.8, "--seed", 3]
    assert run("irt", "simulate", "--items", true, "--out", responses, *drawn).exit_code == 0
    anchors = write(tmp_path / "a.csv", ["item", "a", "b"], [[f"q{i}", 1.2, -1 + i / 4] for i in range(6)])
    view = run_json("irt", "calibrate", responses, "--anchors", anchors, "--out", out, "--quiet")
    assert view["groups"][0]["mean"] == pytest.approx(0.8, abs=0.1)
    found = {row["item"]: row for row in read(out) if row["parameter"] == "b"}
    assert float(found["q0"]["estimate"]) == -1.0
    assert found["q0"]["se"] == "NA"
    assert float(found["q8"]["estimate"]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("method", ["mean-mean", "mean-sigma", "haebara", "stocking-lord"])
def test_link_finds_the_line_between_two_scales(tmp_path: Path, method: str) -> None:
    rows = [(f"q{i}", 0.8 + 0.1 * i, -1 + i / 3) for i in range(7)]
    base = write(tmp_path / "base.csv", ["item", "a", "b"], rows)
    new = write(tmp_path / "new.csv", ["item", "a", "b"], [(n, a * 1.25, (b - 0.4) / 1.25) for n, a, b in rows])
    out = tmp_path / "linked.csv"
    view = run_json("irt", "link", base, new, "--method", method, "--out", out)
    assert view["slope"] == pytest.approx(1.25, abs=1e-6)
    assert view["intercept"] == pytest.approx(0.4, abs=1e-6)
    linked = {row["item"]: float(row["estimate"]) for row in read(out) if row["parameter"] == "b"}
    assert linked["q6"] == pytest.approx(1.0, abs=1e-6)


def test_link_drops_an_anchor_that_drifted(tmp_path: Path) -> None:
    rows = [(f"q{i}", 1.0, -1 + i / 3) for i in range(7)]
    base = write(tmp_path / "base.csv", ["item", "a", "b"], rows)
    new = write(tmp_path / "new.csv", ["item", "a", "b"], [(n, a, b + 1.5 * (n == "q2")) for n, a, b in rows])
    view = run_json("irt", "link", base, new, "--drop-drift", 0.1)
    assert view["left_out"] == ["q2"]
    assert view["intercept"] == pytest.approx(0.0, abs=1e-6)


def test_dif_finds_the_item_that_favours_a_group_by_every_method(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = []
    for line in answers(1600, 8):
        group = "nam" if rng.random() < 0.5 else "nữ"
        if group == "nữ" and line[3] == 1 and rng.random() < 0.5:
            line[3] = 0
        rows.append([group, *line])
    responses = write(tmp_path / "r.csv", ["giới", *(f"q{i}" for i in range(8))], rows)
    methods = ["--method", "mh", "--method", "logistic", "--method", "lr", "--item", "q3", "--item", "q5"]
    out = tmp_path / "dif.csv"
    told = ["--column", "group=giới", "--reference", "nam", "--out", out]
    view = run_json("irt", "dif", responses, *told, *methods)
    assert view["reference"] == "nam"
    classes = {row["item"]: row["ets_class"] for row in view["mh"]}
    assert classes.pop("q3") == "C"
    assert set(classes.values()) == {"A"}
    assert {row["item"]: row["p"] < 0.001 for row in view["logistic"]}["q3"]
    ratio = {row["item"]: row["p"] for row in view["lr"]}
    assert ratio["q3"] < 1e-6 < ratio["q5"]
    assert {row["method"] for row in read(out)} == {"mh", "logistic", "lr"}


def test_groups_are_calibrated_together(tmp_path: Path) -> None:
    weak, strong = answers(900, 8, seed=1), answers(900, 8, seed=2)
    rows = [["a", *line] for line in weak] + [
        ["b", *(int(x or i % 3 == 0) for i, x in enumerate(line))] for line in strong
    ]
    responses = write(tmp_path / "r.csv", ["group", *(f"q{i}" for i in range(8))], rows)
    result = run("irt", "calibrate", responses, "--quiet", "--json")
    assert "groups: a, b; the first is the reference" in result.stderr
    first, second = json.loads(result.stdout)["groups"]
    assert (first["group"], first["mean"], second["group"]) == ("a", 0.0, "b")
    assert second["mean"] > 0.2


def test_ctt_says_in_both_languages_that_a_key_may_be_wrong(reference_dir: Path, tmp_path: Path) -> None:
    folder = reference_dir / "irt"
    key = ["--key", folder / "SAT12_key.csv", "--code", "8=omitted"]
    tables = ["--out", tmp_path / "i.csv", "--distractors", tmp_path / "o.csv"]
    view = run_json("ctt", "analyse", folder / "SAT12_raw.csv", *key, *tables)
    item = next(each for each in view["items"] if each["item"] == "Item.32")
    first = item["verdicts"][0]
    assert first["finding"] == "key_doubtful"
    assert first["en"].startswith("Option 3 attracts the strongest")
    assert first["vi"].startswith("Phương án 3 thu hút")
    assert view["alpha"] == pytest.approx(0.798, abs=1e-3)
    option = next(row for row in read(tmp_path / "o.csv") if row["item"] == "Item.32" and row["option"] == "3")
    assert float(option["share"]) == pytest.approx(0.443, abs=1e-3)
    assert read(tmp_path / "i.csv")[31]["findings"].startswith("key_doubtful")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    responses = write(tmp_path / "r.csv", [f"q{i}" for i in range(5)], answers(200, 5))
    written = ["--out", tmp_path / "o.csv", "--report", tmp_path / "r.html"]
    result = run("irt", "calibrate", responses, *written, "--dry-run", "--quiet")
    assert result.exit_code == 0
    assert "would write" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def test_bad_input_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    rows: list[list[object]] = [list(line) for line in answers(60, 3)]
    out = ["--out", tmp_path / "o.csv", "--report", tmp_path / "o.pdf"]
    rows[4][1] = "b"
    letter = write(tmp_path / "letter.csv", ["x", "y", "z"], rows)
    refused(run("irt", "calibrate", letter, *out), "letter.csv", "line 6, column y", "“b” is no category")
    few = write(tmp_path / "few.csv", ["x", "y", "z"], answers(20, 3))
    refused(run("irt", "calibrate", few, *out), "20 candidates are fewer than the 30 required")
    good = write(tmp_path / "good.csv", ["x", "y", "z"], answers(60, 3))
    refused(run("irt", "calibrate", good, "--out", tmp_path / "no" / "o.csv"), "No such file or directory")
    refused(run("irt", "calibrate", tmp_path / "absent.csv", *out), "absent.csv", "No such file")
    items = write(tmp_path / "items.csv", ["item", "a", "b"], [["other", 1, 0]])
    refused(run("irt", "score", good, "--items", items), "the item x of the responses has no parameters")
    refused(run("irt", "fit", good, "--items", good), "the column item is missing")
    refused(run("irt", "link", items, items), "1 common items; at least two")
    refused(run("irt", "dif", good), "there is no column with groups")
    refused(run("ctt", "analyse", write(tmp_path / "one.csv", ["x"], [[1], [0]])), "one item alone")
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(("o.", ".o"))]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--model", "9pl"], id="unknown model"),
        pytest.param(["--prior-guess", "beta(0,1)"], id="a prior that is none"),
        pytest.param(["--prior-slope", "beta(5,17)"], id="a prior of another parameter"),
        pytest.param(["--column", "sex=x"], id="unknown role"),
        pytest.param(["--code", "8=skipped"], id="unknown meaning"),
        pytest.param(["--report", "report.docx"], id="a report we do not write"),
    ],
)
def test_misuse_ends_with_code_2(tmp_path: Path, arguments: list[str]) -> None:
    good = write(tmp_path / "good.csv", ["x", "y", "z"], answers(60, 3))
    assert run("irt", "calibrate", good, *arguments).exit_code == 2
