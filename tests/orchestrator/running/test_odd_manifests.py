"""Manifests that were tampered with, or never were one: refused with a place, and never wider than what they say."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CapabilityEntry, ConfigError, ProgramError, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.explaining.manifest import draw

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
    assert "# not in it: a model whose name a stream computes at p.rtfs:3:" in drawn[0].text
    assert "# not in it: remote-far at p.rtfs:2:23: reach is 'local'" in drawn[1].text
