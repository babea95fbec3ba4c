"""Escalation, measured on outcomes made for it: who is asked, and what is kept of the strong model's quality."""

from __future__ import annotations

import csv
import gzip
import json
import sys

import pytest

from benchmarks import __main__ as command
from benchmarks.routing import Question, confidence, read, routing, shown

pytestmark = pytest.mark.needs("rtfs-engine-resilient", "rtfs-engine-static")


@pytest.fixture
def outcomes(tmp_path):
    """Of one topic the weak model knows all, of the other nothing; the strong one knows both."""
    path = tmp_path / "outcomes.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["topic", "prompt", "weak_model_correct", "strong_model_correct"])
        for number in range(60):
            topic = "easy" if number % 4 < 2 else "hard"
            writer.writerow([topic, f"question, {number}", int(topic == "easy"), 1])
    return path


def test_what_the_weak_model_knows_is_not_escalated(outcomes):
    low, middle, high = routing(outcomes, (0.0, 0.6, 1.0))
    assert (low.escalated, low.quality, low.recovered) == (0.0, 0.5, 0.0)
    assert (middle.escalated, middle.quality, middle.recovered) == (0.5, 1.0, 1.0)
    assert (high.escalated, high.quality, high.recovered) == (1.0, 1.0, 1.0)
    assert (middle.questions, middle.weak, middle.strong) == (30, 0.5, 1.0)


def test_confidence_is_the_share_that_was_right_drawn_towards_the_mean():
    sure = confidence([Question("a", weak=True, strong=True)] * 10 + [Question("b", weak=False, strong=True)] * 10)
    assert (sure["a"], sure["b"], sure["unknown"]) == (0.75, 0.25, 0.5)


def test_questions_are_read_whole(outcomes):
    assert len(read(outcomes)) == 60


def test_words_and_json(outcomes, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--routing", str(outcomes), "--json"])
    assert command.main() == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["floor"] for each in found] == [0.6, 0.7, 0.8]
    assert "always weak 0.500, always strong 1.000" in shown(routing(outcomes, (0.6,)))


def test_without_the_file_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--routing", str(tmp_path / "none.gz")])
    assert command.main() == 0
    assert "skipped: there is no" in capsys.readouterr().err
