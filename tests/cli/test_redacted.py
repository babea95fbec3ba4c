"""What `check --labels`, `explain` and `runs replay` say of a call that is sent once a redaction has freed it."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.needs("rtfs-provider-echo", "rtfs-engine-security", "rtfs-engine-static")

PROGRAM = """(defn classify "Which topic?" [t : :string] : :string "own")
(defn main [r]
  (if (get r "short") (classify (str "about " (get r "text"))) (classify (get r "text"))))
"""
CONFIG = """[delegation]
engine = "careful"
[engines.careful]
plugin = "security"
base = "static"
preset = "privacy-first"
redact = ["email"]
[redaction.email]
pattern = '[a-z]+@[a-z]+'
marks = ["pii"]
[delegation.static_routes]
classify = "remote-far"
[delegation.remote_providers.far]
provider = "echo"
accepts = []
[labels.inputs]
text = ["pii"]
"""
RECORD = '{"text": "from ann@acme"}\n'


@pytest.fixture
def program(folder):
    (folder / "p.rtfs").write_text(PROGRAM, encoding="utf-8")
    (folder / "c.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "in.jsonl").write_text(RECORD, encoding="utf-8")
    return "p.rtfs"


def test_check_tells_whom_a_redaction_lets_it_reach(rtfs, program):
    """A text that the program has put together may hold what no pattern finds, so it frees nothing there."""
    shown = rtfs("check", "--labels", "--config", "c.toml", program).out.splitlines()
    at = {line.split(" ")[0]: n for n, line in enumerate(shown) if " may carry " in line}
    made, given = (next(line for line in shown[at[place] :] if "accepted by" in line) for place in sorted(at))
    assert made.endswith("; not by remote openai, remote far")
    assert given.endswith("; redacted by remote openai, remote far")
    data = json.loads(rtfs("check", "--labels", "--config", "c.toml", "--json", program).out)
    first, second = data["programs"][0]["labels"]
    assert first["redacted"] == []
    assert "remote far" in second["redacted"]
    assert [each["whole"] for each in second["sources"] if each["marks"]] == [True]


def test_explain_says_what_a_run_does(rtfs, program):
    data = json.loads(rtfs("explain", "--config", "c.toml", "--json", program).out)
    said = [dict(site["labels"])[":pii"] for site in data["sites"] if site["kind"] == "function"]
    assert said == ["local-pure", "remote far, after email"]
    one = json.loads(rtfs("explain", "--config", "c.toml", "--json", "--call", '(classify "ann@acme")', program).out)
    assert dict(one["sites"][0]["labels"])[":pii"] == "remote far, after email"


def test_a_replay_frees_what_the_run_freed(rtfs, program):
    assert rtfs("run", program, "--input", "in.jsonl", "--config", "c.toml").code == 0
    shown = rtfs("runs", "show", "last", "--json").out.splitlines()
    call = next(each for each in map(json.loads, shown) if each.get("symbol") == "classify")
    assert (call["target"], call["labels"], call["whole"]) == ("remote far", ["pii"], ["pii"])
    replayed = rtfs("runs", "replay", "last", "--config", "c.toml")
    assert "1 the same, 0 differ" in replayed.out
