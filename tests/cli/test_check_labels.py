"""`rtfs check --labels`: what may be seen at each call, which marks that has, by which way, and who accepts it."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.needs("rtfs-provider-echo")

PROGRAM = """(defn ^:delegation :remote "far" classify "Which topic?" [t] "other")
(defn main [records]
  (map (fn [r]
         (when (:vip r) (call :crm.note (:email r)))
         (classify (:text r)))
       records))
"""
CONFIG = """[delegation.remote_providers.far]
provider = "echo"
[labels.inputs]
email = ["pii"]
"""


@pytest.fixture
def program(folder):
    (folder / "p.rtfs").write_text(PROGRAM, encoding="utf-8")
    (folder / "labels.toml").write_text(CONFIG, encoding="utf-8")
    return "p.rtfs"


def test_it_tells_marks_ways_and_targets(rtfs, program):
    shown = rtfs("check", "--labels", "--config", "labels.toml", program).out
    assert "p.rtfs:5:10: (classify (:text ...)) may carry :pii\n" in shown
    assert "    :pii: records :email, by p.rtfs:4:25 > p.rtfs:5:10\n" in shown
    assert "not by capability crm.note" in shown
    assert "remote far\n" in shown.split("p.rtfs:5:10: (classify (:text ...)) may carry")[1].split("not by")[1]


def test_as_json(rtfs, program):
    data = json.loads(rtfs("check", "--labels", "--config", "labels.toml", "--json", program).out)
    site = next(each for each in data["programs"][0]["labels"] if each["place"] == "p.rtfs:5:10")
    assert site["marks"] == ["pii"]
    source = next(each for each in site["sources"] if each["marks"])
    assert source == {
        "source": "records :email",
        "marks": ["pii"],
        "way": ["p.rtfs:4:25", "p.rtfs:5:10"],
        "whole": False,
    }
    assert "local-pure" in site["accepted"]
    assert "remote far" in site["refused"]


def test_without_labels_it_shows_sources(rtfs, program):
    shown = rtfs("check", "--labels", program).out
    assert "(classify (:text ...)) may carry no mark\n" in shown
    assert "records :text" in shown
    assert "labels" not in json.loads(rtfs("check", "--json", program).out)["programs"][0]


def test_a_program_that_is_refused(rtfs, folder):
    (folder / "bad.rtfs").write_text("(let [x] x)", encoding="utf-8")
    result = rtfs("check", "--labels", "bad.rtfs")
    assert result.code == 1
    assert "Traceback" not in result.out + result.err


def test_help_has_examples(rtfs):
    assert "rtfs check --labels --config" in rtfs("check", "--help").out
