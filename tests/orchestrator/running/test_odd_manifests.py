"""Manifests that were tampered with, or never were one: refused with a place, and never wider than what they say."""

from __future__ import annotations

from pathlib import PurePath
from types import SimpleNamespace

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, ConfigError, ProgramError, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.explaining.manifest import draw
from rtfs_framework.orchestrator.performing.accounts import endpoint
from rtfs_framework.orchestrator.running.signing import _model

TEXT = '(defn main [] (call :acme.echo "x"))'
CONFIG = """
[security]
grant = ["acme.*"]
[security.quota]
calls = 5
[budgets.day]
calls = 10
"""


@pytest.fixture
def held(kit):
    """Return a function that changes a manifest that was signed, and runs its program under it."""
    entries = [
        CapabilityEntry(id=id_, summary="A fake.", handler=lambda request: request.id)
        for id_ in ("acme.echo", "acme.x")
    ]
    path = kit.home / "p.rtfs"
    path.write_text(TEXT, encoding="utf-8")
    program = Source(str(path), TEXT)
    with kit.open(kit.catalog(capabilities=entries), CONFIG, program_dir=kit.home, journal=False) as session:
        signed = draw(session.host, program, session.limits).text

    def run(change):
        made = change(signed)
        file = kit.home / "m.toml"
        file.write_bytes(made if isinstance(made, bytes) else made.encode())
        with kit.open(
            kit.catalog(capabilities=entries), CONFIG, program_dir=kit.home, manifest=file, journal=False
        ) as session:
            return session.run(program, entry="main").value

    return run


CHANGES = {
    "twice": (lambda text: text + text[text.index("[[capability]]") :], "E0705", "'acme.echo' is listed twice"),
    "twice, wider": (
        lambda text: text + '[[capability]]\nid = "acme.echo"\neffects = ["network"]\n', "E0705", "is listed twice",
    ),
    "a key twice": (lambda text: text.replace("calls = 5", "calls = 5\ncalls = 9"), "E0701", ""),
    "no number": (lambda text: text.replace("calls = 5", "calls = nan"), "E0705", "nan is no number that bounds"),
    "a budget of none": (lambda text: text.replace("calls = 10", "calls = nan"), "E0705", "nan is no number"),
    "a budget without end": (lambda text: text.replace("calls = 10", "calls = inf"), "E0705", "inf is no number"),
    "a date": (lambda text: text.replace("calls = 10", "calls = 2020-01-01"), "E0705", "a date is nothing"),
    "within a list": (lambda text: text.replace("for_each = []", "for_each = [1979-05-27]"), "E0705", "a date is"),
    "a text for a number": (lambda text: text.replace("calls = 5", 'calls = "5"'), "E0731", "the quota of calls"),
    "true for a number": (lambda text: text.replace("calls = 10", "calls = true"), "E0731", "another one now: calls"),
    "less than nothing": (lambda text: text.replace("calls = 10", "calls = -1"), "E0731", "another one now: calls"),
    "unknown isolation": (lambda text: text.replace('"inherit"', '"strict"'), "E0731", "'strict' was signed"),
    "UTF-16": (lambda text: text.encode("utf-16"), "E0701", "is not UTF-8"),
    "cut in the middle": (lambda text: text.encode()[:200] + b"\xc3", "E0701", ""),
    "a NUL": (lambda text: text + "\0", "E0701", ""),
    "another version": (lambda text: text.replace("version = 1", "version = 2"), "E0705", "'version' is 2"),
    "a version that is true": (lambda text: text.replace("version = 1", "version = true"), "E0703", "whole number"),
    "no digest": (lambda text: "\n".join(each for each in text.splitlines() if "digest" not in each), "E0704", ""),
    "any program, as a text": (
        lambda text: text.replace("isolation =", 'any_program = "yes"\nisolation ='), "E0703", "true or false",
    ),
    "another digest": (lambda text: text.replace('digest = "', 'digest = "0'), "E0731", "signed off for another text"),
    "nothing": (lambda _: "", "E0704", "'program' is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_no_run_begins_under_it(held, name):
    change, code, words = CHANGES[name]
    with pytest.raises(ConfigError) as caught:
        held(change)
    assert (caught.value.diagnostics[0].code, words in caught.value.diagnostics[0].message) == (code, True)


@pytest.mark.parametrize("id_", ["*", "acme.*", "acme.x", "ACME.ECHO", "acme.echo ", ""])
def test_ids_are_compared_whole_and_are_no_patterns(held, id_):
    with pytest.raises(ProgramError, match="it is not in the manifest"):
        held(lambda text: text.replace('id = "acme.echo"', f'id = "{id_}"'))


def test_a_mark_of_the_order_of_bytes_and_other_layouts_say_the_same(held):
    assert held(lambda text: "\ufeff" + text) == "acme.echo"
    assert held(lambda text: text.replace("\n", "\r\n")) == "acme.echo"


@pytest.mark.parametrize(
    "said", ["usd = 1e300", "tokens = 9223372036854775808", "calls = 10000000000000001", "usd = -0.1"]
)
def test_a_quota_is_a_number_that_can_be_counted(kit, said):
    with pytest.raises(ConfigError) as caught, kit.open(kit.catalog(), f"[security.quota]\n{said}\n"):
        pass
    assert caught.value.diagnostics[0].code == "E0705"


def test_a_consultation_that_a_manifest_refuses_is_a_matter_of_the_manifest(kit):
    path = kit.home / "p.rtfs"
    path.write_text("(defn main [] 1)", encoding="utf-8")
    catalog = kit.catalog(kit.provider("far", lambda _: "said", remote=True))
    config = "[delegation.remote_providers.far]\nprovider = 'far'\n"
    with kit.open(catalog, config, program_dir=kit.home, journal=False) as session:
        file = kit.home / "m.toml"
        signed = draw(session.host, Source(str(path), path.read_text(encoding="utf-8")), session.limits).text
        file.write_text(signed, encoding="utf-8")
    asked = Question(RemoteModel("far"), "hi")
    more = {"program_dir": kit.home, "journal": False}
    with kit.open(catalog, config, manifest=file, **more) as session:
        refused = str(session.host.dispatcher.consultations._refused(asked, "llm-execute"))
    assert "is not in the manifest" in refused
    assert "rtfs manifest FILE --out m.toml" in refused
    assert "widen reach" not in refused
    with kit.open(catalog, f"{config}[security]\nreach = 'local'\n", **more) as session:
        assert "widen reach" in str(session.host.dispatcher.consultations._refused(asked, "llm-execute"))


def test_models_that_streams_ask_are_listed_or_said_not_to_be_in_it(kit):
    catalog = kit.catalog(kit.provider("far", lambda _: "said", remote=True))
    config = "[delegation.remote_providers.far]\nprovider = 'far'\n"
    text = """(defn main [name]
      [(stream-source {:model "far" :prompt "a"}) (stream-source {:model "none" :prompt "b"})
       (stream-source {:merge [{:model name :prompt "c"}]})])"""
    drawn = []
    for more in ("", "[security]\nreach = 'local'\n"):
        with kit.open(catalog, config + more, program_dir=kit.home, journal=False) as session:
            drawn.append(draw(session.host, Source("p.rtfs", text), session.limits))
    assert [list(each.manifest.targets) for each in drawn] == [["remote-far"], []]
    assert "# not in it: the model 'none' at p.rtfs:2:66: none is configured" in drawn[0].text
    assert "# any model that policy allows: its name is computed at p.rtfs:3:" in drawn[0].text
    assert "# not in it: remote-far at p.rtfs:2:23: reach is 'local'" in drawn[1].text


ASKS = {
    "a text": ('(llm-execute "far" "a")', ["remote-far"], ""),
    "by names": ('(llm-execute :model "near" :prompt "a" :system "b")', ["remote-near"], ""),
    "a call": ('(call :acme.ask "far" "a")', ["remote-far"], ""),
    "an alias, one map": ('(call "acme.hear" {"model" :near "prompt" name})', ["remote-near"], ""),
    "none": ('(call :acme.ask nil "a")', ["remote-far", "remote-near"], "computed at p.rtfs:1:"),
    "no name in a map": ('(call :acme.ask {:prompt "a"})', ["remote-far", "remote-near"], "computed at p.rtfs:1:"),
    "computed": ('(llm-execute name "a")', ["remote-far", "remote-near"], "computed at p.rtfs:1:20"),
    "computed in a map": ('(call :acme.ask {:model name :prompt "a"})', ["remote-far", "remote-near"], "p.rtfs:1:"),
    "made by a macro": ('(asks "a")', ["remote-far", "remote-near"], "computed at p.rtfs:"),
    "a map from elsewhere": ("(call :acme.ask name)", ["remote-far", "remote-near"], "computed at p.rtfs:1:"),
    "nobody": ('(llm-execute "x" "a")', [], "the model 'x' at p.rtfs:1:20: none is configured"),
}


@pytest.mark.parametrize("asks", ASKS)
def test_models_that_calls_name_are_targets_and_others_are_refused(kit, asks):
    body, targets, words = ASKS[asks]
    entry = CapabilityEntry(
        id="ccos.ai.llm-execute", summary="A.", handler=lambda _: "", served="model", aliases=("acme.ask", "acme.hear")
    )
    path = kit.home / "p.rtfs"
    text = f'(defn main [name] [{body} name])\n(defmacro asks [words] `(llm-execute "far" ~words))'
    text = "\n".join(reversed(text.split("\n"))) if "asks" in body else text
    path.write_text(text, encoding="utf-8")
    names = ("far", "near")
    catalog = kit.catalog(*(kit.provider(each, lambda _: "said", remote=True) for each in names), capabilities=[entry])
    catalog = attrs.evolve(catalog, aliases=dict.fromkeys(entry.aliases, entry.id))
    config = "[security]\ngrant = ['ccos.ai.llm-execute']\n"
    config += "".join(f"[delegation.remote_providers.{each}]\nprovider = '{each}'\n" for each in names)
    with kit.open(catalog, config, program_dir=kit.home, journal=False) as session:
        drawn = draw(session.host, Source(str(path), text), session.limits)
    assert list(drawn.manifest.targets) == targets
    assert words.replace("p.rtfs", str(path)) in "".join((*drawn.models, *drawn.any_model))
    file = kit.home / "m.toml"
    file.write_text(drawn.text, encoding="utf-8")
    more = config + "[delegation.remote_providers.third]\nprovider = 'far'\n"
    with kit.open(catalog, more, program_dir=kit.home, manifest=file, journal=False) as session:
        for name in (*names, "third"):
            question = Question(RemoteModel(name), "hi")
            refused = session.host.dispatcher.consultations._refused(question, "llm-execute")
            assert (refused is None) == (f"remote-{name}" in targets)


@attrs.frozen
class OwnUrls:
    """Settings whose addresses come from the environment."""

    def base_urls(self, environ):
        return tuple(environ.values())

    base_url = base_urls


def test_where_a_model_is_asked_is_signed_also_where_the_environment_says_it():
    spec = SimpleNamespace(own=OwnUrls(), plugin="p", model="m", directory="")
    part = SimpleNamespace(provenance=SimpleNamespace(distribution="d"))
    found = SimpleNamespace(spec=spec, part=part, members={}, environ={"ONE": "https://a.example", "TWO": "https://b"})
    assert _model(found, PurePath())["at"] == "https://a.example https://b"
    assert endpoint(spec.own) is None
