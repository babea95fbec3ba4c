"""Fitting: what is made decides as the libraries did, equal seeds give equal bytes, and hard questions are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfs_engine_router import fitting
from rtfs_engine_router.model import load_model, read_model
from rtfs_engine_router.outcomes import Outcomes, read_outcomes
from rtfs_framework.api.fitting import FileError

pytest.importorskip("sklearn", reason="the extra `learn` is not installed")


def test_a_model_decides_as_the_libraries_did(outcomes_file):
    outcomes = read_outcomes(outcomes_file)
    fitted = fitting.fit(outcomes, 3)
    model = read_model(fitted.to_bytes())
    known = fitting._seen(outcomes)
    places = list(range(len(outcomes.prompts)))
    parts = fitting._fitted(known, outcomes.gains, places, 3)
    of_terms, of_shape = parts.scores(known, places)
    assert [model.terms.score(text) for text in outcomes.prompts] == pytest.approx(of_terms, abs=1e-5)
    assert [model.trees.score(text) for text in outcomes.prompts] == pytest.approx(of_shape, abs=1e-9)


def test_what_is_fitted_tells_hard_questions_from_easy_ones(outcomes_file):
    outcomes = read_outcomes(outcomes_file)
    fitted = fitting.fit(outcomes)
    assert fitted.measured.apgr > 0.75
    model = read_model(fitted.to_bytes())
    assert model.rank("Prove that the series number 5 of part 2, please") > 0.6
    assert model.rank("Name the sum of the row number 5 of part 2, please") < 0.6
    assert model.about["questions"] == 240


def test_equal_seeds_give_equal_bytes_and_others_do_not(outcomes_file):
    outcomes = read_outcomes(outcomes_file)
    first, second, other = (fitting.fit(outcomes, seed).to_bytes() for seed in (1, 1, 2))
    assert first == second != other


def test_questions_that_are_held_out_share_nothing_with_the_rest():
    prompts = [f"question {number % 60}" for number in range(180)]
    folds = fitting._folds(prompts, 0)
    assert sorted(place for fold in folds for place in fold) == list(range(180))
    texts = [{prompts[place] for place in fold} for fold in folds]
    assert sum(map(len, texts)) == 60


def test_how_far_it_is(outcomes_file):
    outcomes = read_outcomes(outcomes_file)
    told: list[int] = []
    fitting.fit(outcomes, 0, told.append)
    assert told == list(range(1, fitting.STEPS + 1))
    told.clear()
    fitting.cross_validate(outcomes, 0, 2, told.append)
    assert told == list(range(1, 2 * fitting.FOLDS + 1))


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        (Outcomes(("q",) * 50, (0.0,) * 50, (1.0,) * 50), "50 questions are too few"),
        (Outcomes(("q",) * 150, (0.0,) * 150, (1.0,) * 150), "only 1 different"),
        (Outcomes(tuple(f"ask it {n}" for n in range(150)), (1.0,) * 150, (0.0,) * 150), "not better than the weak"),
        (Outcomes(tuple(f"{n}x{n}" for n in range(150)), (0.0,) * 150, (1.0,) * 150), "share no words"),
    ],
)
def test_questions_that_tell_nothing_are_refused(outcomes, told):
    with pytest.raises(FileError, match=told) as raised:
        fitting.fit(outcomes)
    assert raised.value.way_out


def test_without_the_libraries_it_says_what_to_install(monkeypatch, outcomes_file):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(FileError, match="fitting a router needs sklearn") as raised:
        fitting.fit(read_outcomes(outcomes_file))
    assert "rtfs-engine-router[learn]" in raised.value.way_out


# -- the commands ------------------------------------------------------------------------------------------------------


def test_learn_and_bench(rtfs, outcomes_file, tmp_path):
    out = tmp_path / "router.json"
    found = rtfs("learn", "routing", outcomes_file, "--out", out, "--seed", 4, "--json")
    assert (found.code, found.err) == (0, "")
    told = json.loads(found.out)
    assert told["bytes"] == out.stat().st_size
    assert told["apgr"] == load_model(out).about["apgr"]
    assert list(tmp_path.glob(".router*")) == []
    found = rtfs("bench", "routing", outcomes_file, "--model", out, "--json")
    assert found.code == 0
    told = json.loads(found.out)
    assert told["fitted_to_file"]
    assert told["apgr"] > 0.75
    assert told["cpt50"] < told["cpt80"]


def test_bench_without_a_model_holds_parts_out(rtfs, outcomes_file):
    found = rtfs("bench", "routing", outcomes_file, "--divisions", 1, "--progress")
    assert found.code == 0
    assert "questions 240" in found.out
    assert "APGR" in found.out
    assert "5 of 5" in found.err


def test_what_is_printed_for_people(rtfs, outcomes_file, tmp_path):
    out = tmp_path / "router.json"
    found = rtfs("learn", "routing", outcomes_file, "--out", out)
    assert f"{out}: " in found.out
    assert "fitted to 240 questions" in found.out
    assert "fitted to this very file" in rtfs("bench", "routing", outcomes_file, "--model", out).err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("learn", "routing", "none.csv", "--out", "x.json"), 1, "error[E0901]: no such input file"),
        (("learn", "routing", "{file}"), 2, "--out"),
        (("learn", "routing", "{file}", "--out", "no/such/folder/x.json"), 1, "it cannot be written"),
        (("learn", "routing", "{file}", "--out", "x.json", "--seed", "-1"), 2, "--seed"),
        (("bench", "routing", "{file}", "--model", "{file}"), 1, "error[E0930]"),
        (("bench", "routing", "{file}", "--model", "none.json"), 1, "error[E0901]: no such file: none.json"),
    ],
)
def test_mistakes(rtfs, outcomes_file, tmp_path, monkeypatch, arguments, code, told):
    monkeypatch.chdir(tmp_path)
    found = rtfs(*(each.format(file=outcomes_file) for each in arguments))
    assert found.code == code
    assert told in found.err
    assert "help:" in found.err or code == 2
    assert not Path("x.json").exists()
