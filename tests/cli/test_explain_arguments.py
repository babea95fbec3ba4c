"""`rtfs explain` and `rtfs check` where the engine looks at arguments: never "local" when a run may ask a model."""

from __future__ import annotations

import pytest

ENGINE = '''
from rtfs_framework.api import *

rtfs_api_version = 2


class BySize:
    """Long texts go to a model, and what begins with `ask` is asked about first."""

    def claims(self):
        return ["long-*"]

    def decide(self, context):
        text = context.args[0]
        if text.startswith("ask"):
            context.consult(RemoteModel("big"), "where?")
        target = RemoteModel("big") if len(text) > 10 else LocalPure()
        return DelegationPlan(target=target, reasoning=f"{len(text)} characters", source=PlanSource.ENGINE)


class Broken(BySize):
    """Fails before it looks at anything."""

    def decide(self, context):
        return [][0]


@hookimpl
def rtfs_engines():
    return [EngineEntry(name="by-size", summary="", factory=lambda settings: BySize()),
            EngineEntry(name="broken", summary="", factory=lambda settings: Broken())]


class Big:
    def fingerprint(self):
        return "1"

    async def infer(self, request):
        return InferenceReply(text="LOUD", usage=Usage(10, 1))

    async def aclose(self):
        pass


@hookimpl
def rtfs_providers():
    return [ProviderEntry(name="big", summary="", locality=Locality.REMOTE, factory=lambda settings: Big())]
'''
PROGRAM = """
(defn long-it [x : :string] : :string (str "own " x))
(defn long-two [mood : [:enum "calm" "angry with reason"] n : :int & more] (str mood n))
(defn long-odd [f : [:fn [:int] :int]] (f 1))
(defn plain [x] x)
(defn main [x] (str (long-it x) (long-two "calm" 1) (plain x)))
"""


@pytest.fixture
def asked(rtfs, folder, acme_bad):
    """Return a function that runs a command on the program with an engine."""
    acme_bad(ENGINE)
    (folder / "p.rtfs").write_text(PROGRAM)

    def run(command, *args, engine="by-size", more=""):
        (folder / "c.toml").write_text(f'[delegation]\nengine = "{engine}"\n{more}')
        return rtfs(command, "p.rtfs", *args, "--config", "c.toml")

    return run


def test_explain_says_that_it_depends_on_the_arguments_and_shows_examples(asked) -> None:
    result = asked("explain")
    assert (result.code, result.err) == (0, "")
    assert "  -> depends on: arguments, because of the engine 'by-size' looks at them" in result.out
    assert "may go to local-pure, remote big" in result.out
    assert 'for example ["yes"]: local-pure' in result.out
    assert 'for example ["a longer text, of some sixty characters, as people write them"]: remote big' in result.out
    assert "--call '(long-it ...)'" in result.out
    assert asked("run", "hello long world").out == '"LOUDcalm1hello long world"\n'


def test_examples_have_the_declared_types(asked) -> None:
    sites = {site["name"]: site for site in asked("explain", "--json").data["sites"]}
    assert sites["long-two"]["examples"] == [
        ['["calm" 1]', "local-pure"],
        ['["angry with reason" 0]', "remote big"],
        ['["calm" 1000]', "local-pure"],
    ]
    assert sites["long-two"]["depends_on"] == ["arguments"]
    assert sites["long-two"]["may_go_to"] == ["local-pure", "remote big"]


def test_an_engine_that_cannot_take_an_example_is_not_blamed(asked, folder) -> None:
    (folder / "p.rtfs").write_text("(defn long-n [n : :int] n)\n(defn main [x] (long-n 1))")
    result = asked("explain", "--json")
    assert (result.code, result.err) == (0, "")
    (site,) = result.data["sites"]
    assert (site["examples"], site["target"], result.data["problems"]) == ([], "depends on: arguments", [])


def test_what_may_not_be_reached_is_no_target(asked) -> None:
    result = asked("explain", more='[security]\nreach = "local"\n')
    assert "may go to local-pure\n" in result.out
    assert 'as people write them"]: local-pure' in result.out


@pytest.mark.parametrize(
    ("call", "target"),
    [
        ('(long-it "short")', "local-pure"),
        ('(long-it "hello long world")', "remote big"),
        ('(long-it "ask me")', "decided when called"),
        ('(long-two "angry with reason" -5 [1 {:a #{2}}] nil :k 1.5 true)', "remote big"),
        ('(plain "x")', "local-pure"),
        ('  (long-it   "two\nlines"  ) ; said', "local-pure"),
    ],
)
def test_a_call_is_asked_about(asked, call, target) -> None:
    result = asked("explain", "--call", call, "--json")
    assert (result.code, result.err) == (0, "")
    (site,) = result.data["sites"]
    assert site["target"] == target
    assert (site["place"] == "<call 1>:1:1") is not call.startswith(" ")
    shown = asked("explain", "--call", call)
    assert f"  -> {target}" in shown.out


def test_several_calls(asked) -> None:
    result = asked("explain", "--call", '(long-it "a")', "--call", '(long-it "hello long world")', "--json")
    assert [site["target"] for site in result.data["sites"]] == ["local-pure", "remote big"]


@pytest.mark.parametrize(
    ("call", "code", "words", "marked"),
    [
        ("", "E0", "", ""),
        ("(long-it", "E01", "", "("),
        ('(long-it "a") 1', "E0", "", ""),
        ('"text"', "E0919", "no call of a function", '"text"'),
        ("()", "E0919", "no call of a function", "()"),
        ('(:k "a")', "E0919", "no call of a function", ""),
        ('(long-ti "a")', "E0919", "did you mean 'long-it'?", "long-ti"),
        ('(str "a")', "E0919", "defines no function 'str'", "str"),
        ("(long-it)", "E0919", "takes 1 arguments, and here are 0", "(long-it)"),
        ('(long-it "a" "b")', "E0919", "takes 1 arguments, and here are 2", ""),
        ('(long-two "calm")', "E0919", "takes at least 2 arguments, and here are 1", ""),
        ("(long-it x)", "E0919", "a literal: nothing of the program runs", "x"),
        ('(long-it (str "a" "b"))', "E0919", "a literal", '(str "a" "b")'),
        ('(long-two "calm" [1 {:a (inc 1)}])', "E0919", "a literal", "(inc 1)"),
        ("(long-it #(inc %))", "E0919", "a literal", ""),
    ],
)
def test_what_is_no_call_is_told_with_its_place(asked, call, code, words, marked) -> None:
    result = asked("explain", "--call", call)
    assert result.code in {1, 2}
    assert f"error[{code}" in result.err
    assert words in result.err
    assert "E0999" not in result.err
    assert "<call 1>:" in result.err
    if marked:
        assert f"{' ' * call.index(marked)}{'^' * len(marked)}" in result.err
    as_json = asked("explain", "--call", call, "--json")
    assert as_json.data["errors"][0]["code"].startswith(code)


def test_check_says_it_too(asked) -> None:
    result = asked("check")
    assert result.code == 0
    assert "long-it leaves the kernel: depends on: arguments (may go to local-pure, remote big)" in result.out
    assert "long-it is pure" not in result.out
    calls = asked("check", "--json").data["programs"][0]["calls"]
    assert [call["depends_on"] for call in calls] == [["arguments"], ["arguments"]]


def test_an_engine_that_fails_whatever_is_asked_is_told(asked) -> None:
    explained = asked("explain", engine="broken")
    assert explained.code == 1
    assert "the engine could not be asked: engine 'broken': `decide` failed: IndexError" in explained.out
    assert "of 2 the engine could not be asked" in explained.lines[-1]
    checked = asked("check", engine="broken")
    assert checked.code == 1
    assert "nobody knows where calls of long-it go: the engine could not be asked" in checked.out
    ran = asked("run", "hello long world", engine="broken")
    assert ran.out == '"own hello long worldcalm1hello long world"\n'
    assert "warning[E0801]: acme-bad 1.0: engine 'broken': `decide` failed: IndexError" in ran.err
