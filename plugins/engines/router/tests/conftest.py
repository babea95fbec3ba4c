"""A small router made by hand, outcomes with a rule in them, and the command line."""

from __future__ import annotations

import csv
import gzip
import json

import attrs
import pytest

from rtfs_engine_router.texts import SHAPE
from rtfs_framework.cli.main import run

LENGTH = SHAPE.index("length")


def small_model():
    """Return the data of a router that finds proofs and long texts hard."""
    return {
        "format": "rtfs-router",
        "version": 1,
        "about": {"questions": 4},
        "terms": {
            "texts": ["prove", "sum", "prove that"],
            "rarity": [2.0, 1.0, 3.0],
            "weights": [0.5, -0.25, 0.125],
            "constant": 0.1,
            "mean": 0.1,
            "deviation": 0.2,
        },
        "trees": {
            "features": list(SHAPE),
            "start": 0.2,
            "trees": [
                {
                    "feature": [LENGTH, -1, LENGTH, -1, -1],
                    "threshold": [3.0, -0.1, 5.0, 0.0, 0.3],
                    "lower": [1, -1, 3, -1, -1],
                    "upper": [2, -1, 4, -1, -1],
                }
            ],
            "mean": 0.2,
            "deviation": 0.1,
        },
        "ranks": [-3.0, -1.0, 0.0, 1.0, 6.0],
    }


@pytest.fixture
def model_data():
    return small_model()


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "router.json"
    path.write_text(json.dumps(small_model()), encoding="utf-8")
    return path


def questions(count):
    """Return rows in which the strong model alone answers what asks for a proof; some of both fail at random places."""
    for number in range(count):
        hard = number % 3 == 0
        verb = "Prove that the series" if hard else "Name the sum of the row"
        yield (
            f"{verb} number {number} of part {number % 17}, please",
            int(not hard or number % 7 == 0),
            int(number % 11 != 0),
        )


@pytest.fixture
def outcomes_file(tmp_path):
    path = tmp_path / "outcomes.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["topic", "prompt", "weak_model_correct", "strong_model_correct"])
        writer.writerows(["demo", *row] for row in questions(240))
    return path


@attrs.frozen
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def rtfs(tmp_path, capsys, monkeypatch):
    """Run a command line in this process."""
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RTFS_PLUGINS", "router")

    def invoke(*args):
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        return Result(code, *capsys.readouterr())

    return invoke
