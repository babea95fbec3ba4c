"""A plugin that breaks, in every hook and method of the contract and in every way: each fault is told, and by name.

The plugin is a distribution in the test's folder, found as any other; `{...}` of its text is where it breaks.
"""

from __future__ import annotations

import json

import pytest

from rtfs_framework.orchestrator.config.find import own_file

PLUGIN = '''
import click

from rtfs_framework.api import *


class Odd(BaseException):
    """No Exception."""


class Stop(KeyboardInterrupt):
    """Looks like Ctrl-C, and is none."""


class Engine:
    def claims(self):
        {claims}
        return ["f"]

    def decide(self, context):
        {decide}
        context.consult(LocalModel("acme"), "where?")
        {conclude}
        return DelegationPlan(target=LocalModel("acme"), reasoning="heard", source=PlanSource.ENGINE)


class Layer:
    def __init__(self):
        self.kept = {{}}

    def get(self, key):
        {get}
        return self.kept.get(key.digest)

    def put(self, key, value, ttl=None, info=None):
        {put}
        self.kept[key.digest] = CacheRecord(value=value, stored_at=0.0)

    def invalidate(self, key):
        return False

    def scan(self):
        return iter(())

    def clear(self):
        pass

    def stats(self):
        {stats}
        return CacheStats()

    def close(self):
        {close}


class Provider:
    def fingerprint(self):
        {fingerprint}
        return "1"

    async def infer(self, request):
        {infer}
        return InferenceReply(text="modelled")

    async def aclose(self):
        {aclose}


def engine(settings):
    {engine}
    return Engine()


def cache(settings):
    {cache}
    return Layer()


def provider(settings):
    {provider}
    return Provider()


def observer():
    {observer}
    return hear


def hear(event):
    {hear}


def act(request):
    {act}
    return "acted"


def load():
    {load}
    return greet


@click.command()
def greet():
    {greet}
    click.echo("hello")


{module}
rtfs_api_version = 2


@hookimpl
def rtfs_engines():
    {rtfs_engines}
    return [EngineEntry(name="acme", summary="", factory=engine)]


@hookimpl
def rtfs_providers():
    {rtfs_providers}
    return [ProviderEntry(name="acme", summary="", locality=Locality.LOCAL, factory=provider, deterministic=True,
                          defaults={{"acme": {{}}}})]


@hookimpl
def rtfs_caches():
    {rtfs_caches}
    return [CacheEntry(name=n, summary="", level=l, factory=cache)
            for n, l in (("l1", CacheLevel.L1), ("l2", CacheLevel.L2), ("l4", CacheLevel.L4))]


@hookimpl
def rtfs_capabilities():
    {rtfs_capabilities}
    return [CapabilityEntry(id="acme.act", summary="", handler=act)]


@hookimpl
def rtfs_commands():
    {rtfs_commands}
    return [CommandEntry(name="greet", summary="Say hello.", load=load)]


@hookimpl
def rtfs_observers():
    {rtfs_observers}
    return [ObserverEntry(name="acme", summary="", factory=observer)]
'''
PLACES = (
    *("claims", "decide", "conclude", "engine", "get", "put", "stats", "close", "cache", "fingerprint", "infer"),
    *("aclose", "provider", "observer", "hear", "act", "load", "greet", "module", "rtfs_engines", "rtfs_providers"),
    *("rtfs_caches", "rtfs_capabilities", "rtfs_commands", "rtfs_observers"),
)
RAISES = {
    "exception": "raise ZeroDivisionError('boom')",
    "base": "raise Odd('boom')",
    "exit": "raise SystemExit(3)",
    "interrupt": "raise Stop('boom')",
    "unprintable": "raise type('Dumb', (Exception,), {'__str__': lambda _: 1 / 0})()",
}
RETURNS = {"none": "return None", "text": "return 'nonsense'", "number": "return 7"}
NO_PLANS = {name: how for name, how in RETURNS.items() if name != "none"}
"""None is no opinion: then the default decides."""
PROGRAM = """
(defn f [x] (str "own " x))
(defn main [x] [(f x) (f x) (try (call :acme.act) (catch _ e :failed))])
"""
CONFIG = '[delegation]\nengine = "acme"\n[security]\ngrant = ["acme.*"]\n'
ALL, OWN = ["modelled", "modelled", "acted"], ["own x", "own x", "acted"]


@pytest.fixture
def acme(folder, acme_bad):
    """Return a function that installs the plugin, broken where the arguments say."""

    def install(**broken):
        acme_bad(PLUGIN.format(**{place: broken.get(place, "pass") for place in PLACES}))
        (folder / "p.rtfs").write_text(PROGRAM)
        own = own_file({"RTFS_HOME": str(folder / "home")})  # what is found beside the program is not trusted
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(CONFIG)
        (folder / "c.toml").write_text(CONFIG)

    return install


@pytest.fixture
def ran(rtfs, acme):
    """Return a function that runs the program with a broken plugin: what came out, after the common checks."""

    def run(*command, **broken):
        acme(**broken)
        result = rtfs(*(command or ("run", "p.rtfs", "x")), "--config", "c.toml", "--json")
        assert "Traceback" not in result.err
        assert "E0999" not in result.err + result.out
        data = json.loads(result.out.splitlines()[-1])
        return result, data

    return run


def told(result, data):
    """See to it that a fault is told once, with who did it."""
    lines = [each for each in result.err.splitlines() if ": acme-bad 1.0: " in each]
    assert [" times: " in each for each in lines] in ([False], [False, True]), result.err
    assert "help: " in result.err
    (problem,) = [each for each in data["problems"] if "acme-bad 1.0: " in each["message"]]
    assert problem["distributions"] == ["acme-bad"]
    assert problem["help"]


def test_a_sound_plugin_says_nothing(ran) -> None:
    result, data = ran()
    assert (result.code, data["value"], data["problems"]) == (0, ALL, [])
    assert result.err == ""


@pytest.mark.parametrize("how", [*RAISES.values(), *NO_PLANS.values()], ids=[*RAISES, *NO_PLANS])
@pytest.mark.parametrize("place", ["decide", "conclude"])
def test_an_engine_that_cannot_decide_leaves_the_own_body(ran, place, how) -> None:
    result, data = ran(**{place: how})
    assert (result.code, data["value"]) == (0, OWN)
    told(result, data)
    call = next(each for each in data["calls"] if each["symbol"] == "f" and each["kind"] != "consultation")
    assert (call["target"], call["engine"]) == ("local-pure", "acme")
    assert any("failed" in verdict or "returned" in verdict for step, verdict in call["steps"] if step == "engine")


@pytest.mark.parametrize("how", [*RAISES.values(), *RETURNS.values()], ids=[*RAISES, *RETURNS])
@pytest.mark.parametrize("place", ["engine", "claims"])
def test_an_engine_that_cannot_be_made_or_linked_stops_the_start(ran, place, how) -> None:
    result, data = ran(**{place: how})
    assert (result.code, result.err) == (1, "")
    (error,) = data["errors"]
    assert error["code"] == {"engine": "E0809", "claims": "E0801"}[place]
    assert "acme-bad 1.0: engine 'acme'" in error["message"]
    assert error["help"]


@pytest.mark.parametrize("how", [*RAISES.values(), *RETURNS.values()], ids=[*RAISES, *RETURNS])
@pytest.mark.parametrize("command", ["check", "explain"])
def test_check_and_explain_say_that_the_engine_could_not_be_asked(rtfs, acme, command, how) -> None:
    acme(claims=how)
    result = rtfs(command, "p.rtfs", "--config", "c.toml")
    assert result.code == 1
    assert "acme-bad 1.0: engine 'acme': `claims` failed: " in result.out + result.err
    assert "pure" not in result.out.replace("pure_", "")
    assert "no call of this program" not in result.out


@pytest.mark.parametrize("how", RAISES.values(), ids=RAISES)
@pytest.mark.parametrize("place", ["get", "put", "stats", "close", "cache", "hear", "observer"])
def test_what_only_watches_or_remembers_costs_no_result(ran, place, how) -> None:
    result, data = ran(**{place: how})
    assert (result.code, data["value"]) == (0, ALL)
    names = {each["distributions"][0] for each in data["problems"]}
    assert names == ({"acme-bad"} if place != "close" else set())  # observers hear of `stats` when a run ends
    assert "warning[E0801]: acme-bad 1.0: " in result.err


@pytest.mark.parametrize("how", RETURNS.values(), ids=RETURNS)
@pytest.mark.parametrize("place", ["get", "cache", "observer"])
def test_what_is_no_record_layer_or_observer_is_told(ran, place, how) -> None:
    result, data = ran(**{place: how})
    assert (result.code, data["value"]) == (0, ALL)
    right = place == "get" and how == "return None"
    assert ("acme-bad 1.0: " in result.err) is not right
    assert bool(data["problems"]) is not right


@pytest.mark.parametrize("how", RAISES.values(), ids=RAISES)
@pytest.mark.parametrize("place", [place for place in PLACES if place.startswith("rtfs_") or place == "module"])
def test_a_plugin_that_cannot_be_loaded_is_told_and_the_rest_works(rtfs, acme, place, how) -> None:
    acme(**{place: how})
    result = rtfs("eval", "(+ 1 2)", "--json")
    if place in {"rtfs_engines", "module"}:  # what the configuration asks for is not there
        assert result.code == 1
        data = result.data
        assert "E0706" in {error["code"] for error in data["errors"]}
    else:
        assert result.code == 0
        data = result.data
        assert data["value"] == 3
    told(result, data)
    shown = rtfs("plugins", "--json")
    assert shown.code == 0
    assert any(each["distributions"] == ["acme-bad"] for each in shown.data["problems"])
    assert rtfs("plugins", "--strict").code == 1


@pytest.mark.parametrize("how", [*RAISES.values(), *RETURNS.values()], ids=[*RAISES, *RETURNS])
def test_a_command_that_cannot_be_loaded_is_its_plugins_fault(rtfs, acme, how) -> None:
    acme(load=how)
    result = rtfs("greet")
    assert (result.code, result.out) == (1, "")
    assert "error[E0801]: acme-bad 1.0: command 'greet': its loader " in result.err
    assert "help: " in result.err


@pytest.mark.parametrize("how", ["exception", "base", "interrupt", "unprintable"])
def test_a_command_that_breaks_is_its_plugins_fault(rtfs, acme, how) -> None:
    acme(greet=RAISES[how])
    result = rtfs("greet")
    assert (result.code, result.out) == (1, "")
    assert "error[E0801]: acme-bad 1.0: command 'greet': it failed: " in result.err


@pytest.mark.parametrize("how", [*RAISES.values(), *RETURNS.values()], ids=[*RAISES, *RETURNS])
def test_a_provider_that_cannot_be_made_leaves_the_own_body_and_is_told(ran, how) -> None:
    result, data = ran(provider=how)
    assert result.code == 0
    (failed,) = data["summary"]["failed_attempts"].values()
    assert (failed, data["summary"]["exhausted"]) == (2, 2), "what cannot be made is not asked again"
    told(result, data)


@pytest.mark.parametrize("how", [*RAISES.values(), RETURNS["none"], RETURNS["number"]], ids=[*RAISES, "none", "number"])
@pytest.mark.parametrize("place", ["fingerprint"])
def test_a_provider_that_breaks_leaves_the_own_body_and_is_told(ran, place, how) -> None:
    result, data = ran(**{place: how})
    assert (result.code, data["summary"]["exhausted"]) == (0, 2)
    told(result, data)


def test_a_fault_of_every_call_is_told_once_and_counted(rtfs, acme, folder) -> None:
    acme(decide="raise ZeroDivisionError('boom')")
    (folder / "p.rtfs").write_text("(defn f [x] x)\n(defn main [x] (reduce + (map f (range 5000))))")
    result = rtfs("run", "p.rtfs", "x", "--config", "c.toml", "--json", "--no-journal")
    assert result.data["value"] == sum(range(5000))
    assert result.err.count("acme-bad") == 4  # the warning and its way out, and how often
    assert "5,000 times" in result.err
    assert [problem["count"] for problem in result.data["problems"]] == [5000]


@pytest.mark.parametrize(
    "text", ['print("HELLO")', "import sys; sys.stdout = None", "import sys; sys.stdout.write('x')"]
)
def test_what_a_plugin_prints_when_it_is_loaded_stays_off_stdout(rtfs, acme, text) -> None:
    acme(module=text)
    result = rtfs("eval", "(+ 1 2)", "--json", "--config", "c.toml")
    assert (result.code, result.data["value"]) == (0, 3)
    if "None" not in text:
        assert "warning[E0810]: acme-bad 1.0: `acme_bad` prints while it is loaded: " in result.err


@pytest.mark.parametrize("how", RAISES.values(), ids=RAISES)
@pytest.mark.parametrize("place", ["engine", "claims", "cache", "observer"])
def test_plugins_shows_what_is_broken_at_start(rtfs, acme, place, how) -> None:
    acme(**{place: how})
    result = rtfs("plugins", "--json")
    problems = result.data["problems"]
    assert result.code == 0
    assert {each["distributions"][0] for each in problems} == {"acme-bad"}
    assert rtfs("plugins", "--strict").code == 1
    assert "acme-bad 1.0: " in rtfs("plugins").out
