"""Labels on the command line: columns that are marked, and what explain, show and why say."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.needs("rtfs-provider-rules")

PROGRAM = """(defn ^:delegation :local-model "sentiment" answer "Answer." [x :string] : :string "own")
(defn main [r] (answer (str r)))
"""
CONFIG = """
[labels.inputs]
body = ["pii"]
[labels.accepts]
local-sentiment = []
"""


@pytest.fixture
def place(folder):
    (folder / "p.rtfs").write_text(PROGRAM, encoding="utf-8")
    (folder / "labels.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "in.csv").write_text("id,body,text\n1,hello good,other\n", encoding="utf-8")
    return folder


@pytest.mark.usefixtures("place")
def test_a_column_keeps_its_marks_under_another_name(rtfs):
    out = rtfs("run", "p.rtfs", "--input", "in.csv", "--column", "body", "--json", "--config", "labels.toml").out
    record = json.loads(out.splitlines()[0])
    assert record["calls"][0]["labels"] == ["pii"]
    assert record["value"] == "own"


@pytest.mark.usefixtures("place")
def test_explain_and_records_say_what_labels_do(rtfs):
    rtfs("run", "p.rtfs", "--input", "in.csv", "--column", "body", "--config", "labels.toml")
    assert "where it carries :pii: local-pure" in rtfs("explain", "p.rtfs", "--config", "labels.toml").out
    assert ":pii" in rtfs("runs", "show", "last").out
    said = rtfs("runs", "why", "last", "1:0:0").out
    assert "it carries :pii, which local-model sentiment does not accept" in said
    assert "labels" in said
