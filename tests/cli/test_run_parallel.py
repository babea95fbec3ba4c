"""`rtfs run` of programs with branches: values and journal in order, the path of every call, and the bound."""

from __future__ import annotations

import pytest

TRIAGE = """
(defn ^:delegation :local-model "sentiment" feel
  "The sentiment of a customer's message."
  [message :string] [:enum "positive" "negative" "neutral"])
(defn triage [message] {:message message :sentiment (feel message)})
(defn main [] (%s triage ["I love it" "I hate it" "I love it"]))
"""
VALUE = (
    '[{:message "I love it" :sentiment "positive"} {:message "I hate it" :sentiment "negative"} '
    '{:message "I love it" :sentiment "positive"}]'
)


@pytest.mark.needs("rtfs-provider-rules", "rtfs-cache-l2")
@pytest.mark.parametrize("function", ["map", "pmap"])
@pytest.mark.parametrize("bound", ["1", "8"])
def test_triage_of_several_messages(rtfs, folder, function: str, bound: str) -> None:
    (folder / "triage.rtfs").write_text(TRIAGE % function)
    ran = rtfs("run", "triage.rtfs", "--parallel", bound)
    assert (ran.code, " ".join(ran.out.split())) == (0, VALUE)
    _, *entries = rtfs("runs", "show", "--json").records
    feel = [e for e in entries if e["symbol"] == "feel"]
    assert [(e["branch"], e["call"]) for e in feel] == [("0.0", 0), ("0.1", 0), ("0.2", 0)]
    served = ["l2 hit"] if bound == "1" else ["l2 hit", "in flight"]  # of equal calls at once any one may be the first
    assert sorted(e["cache"] in served for e in feel) == [False, False, True]
    assert "0.1.0  feel" in rtfs("runs", "show").out
    assert "intact, 3 calls" in rtfs("runs", "verify").out


def test_a_bound_that_is_none(rtfs, folder) -> None:
    (folder / "triage.rtfs").write_text(TRIAGE % "map")
    refused = rtfs("run", "triage.rtfs", "--parallel", "0")
    assert refused.code != 0
    assert "--parallel" in refused.err


def test_the_bound_is_a_setting(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text("[delegation]\nparallel = 3\n")
    shown = {each["key"]: each["value"] for each in rtfs("config", "show", "--json").data["settings"]}
    assert shown["delegation.parallel"] == 3
