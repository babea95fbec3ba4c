"""`rtfs policy test`: a file of calls and expected targets, for the CI of people's policies."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")

PROGRAM = """
(defn label "A label." [x :string] :string "own")
(defn plain [x] x)
"""
CONFIG = """
[delegation]
engine = "static"
[delegation.static_routes]
"label" = ["local-echo", "local-draft"]
"""
GOOD = """
program = "a.rtfs"

[[case]]
call = '(label "x")'
expect = "local-echo"

[[case]]
name = "nobody claims it"
call = '(plain 1)'
expect = ["remote:openai", "local-pure"]
"""


@pytest.fixture
def desk(rtfs, folder):
    """Return what tests a policy's file."""
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "c.toml").write_text(CONFIG)

    def judged(text, *args):
        (folder / "policy.toml").write_text(text)
        return rtfs("policy", "test", "policy.toml", "--config", "c.toml", *args)

    return judged


def test_as_expected(desk) -> None:
    result = desk(GOOD)
    assert (result.code, result.lines) == (0, ["policy.toml: 2 cases, 2 as expected"])


def test_a_difference_is_shown_with_its_place_and_the_way_of_the_decision(desk) -> None:
    result = desk(GOOD.replace('"local-echo"', '"local-draft"'))
    assert result.code == 1
    assert result.lines[0] == 'policy.toml:5:8: (label "x")'
    assert result.lines[1] == "  expected  local-model draft"
    assert result.lines[2].startswith("  got       local-model echo: ")
    assert any(line.split()[0] == "engine" for line in result.lines[3:-1])
    assert result.lines[-1] == "policy.toml: 2 cases, 1 as expected, 1 not"


def test_json(desk) -> None:
    data = desk(GOOD.replace('"local-echo"', '"local-draft"'), "--json").data
    first, second = data["cases"]
    assert (data["failed"], first["ok"], second["ok"]) == (1, False, True)
    assert (first["expected"], first["got"], first["line"]) == (["local-model draft"], "local-model echo", 5)
    assert second["name"] == "nobody claims it"


CASE = "program = 'a.rtfs'\n[[case]]\ncall = '(label \"x\")'\nexpect = 'local-echo'\n"


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "1:1", "at least one [[case]]"),
        ("[[case]]\ncall = '(f)'\n", "1:3", "'expect' is missing"),
        (CASE + "heath = {}", "5:1", "did you mean 'health'?"),
        (CASE + "health = {'local-echo' = 'ill'}", "5:26", "one of: closed, recovering"),
        (CASE + "health = {'local-eco' = 'open'}", "5:25", "no local model 'eco' is configured"),
        (CASE + "attempts = [{target = 'remote-x'}]", "5:23", "no remote provider 'x'"),
        (CASE + "latency = {'local-echo' = [2.0, 1.0]}", "5:27", "the median and the 95th percentile"),
        (CASE + "hints = '(f'", "5:9", "these hints do not read"),
        (CASE + "hints = '5'", "5:9", "these hints are no map"),
        (CASE + "program = 'nowhere.rtfs'", "5:11", "there is no program"),
        (CASE.replace("label", "labl"), "3:10", "did you mean 'label'?"),
        (CASE.replace('"x"', "(plain 1)"), "3:16", "an argument here is a literal"),
        (CASE.replace("(label", "(label 1"), "3:9", "takes 1 arguments"),
        (CASE.replace("'local-echo'", "[]"), "4:10", "it expects nothing"),
        (CASE.replace("program = 'a.rtfs'", ""), "3:8", "it names no program"),
        ("case = 3", "1:8", "a list"),
        ("[[case]", "1:7", "no valid TOML"),
    ],
)
def test_mistakes_have_their_places(desk, text, place, told) -> None:
    result = desk(text)
    assert result.code == 1
    assert f"policy.toml:{place}: error[" in result.err
    assert told in result.err


def test_all_mistakes_are_told_at_once(desk) -> None:
    result = desk(CASE.replace("label", "labl") + CASE.partition("\n")[2].replace("local-echo", "local-eco"))
    assert "policy.toml:3:10" in result.err
    assert "policy.toml:7:10" in result.err


def test_a_file_that_is_not_there(rtfs) -> None:
    result = rtfs("policy", "test", "nowhere.toml")
    assert (result.code, "error[E0700]" in result.err) == (1, True)
