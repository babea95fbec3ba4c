"""`rtfs runs why`: everything about one recorded call."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo", "rtfs-provider-rules", "rtfs-cache-l1")

PROGRAM = '(defn label [x] :own)\n(defn main [] (mapv label ["secret of a" "b"]))'
CONFIG = """
[delegation]
engine = "static"
[delegation.static_routes]
"label" = "local-echo"
[journal]
keep = "{keep}"
"""


@pytest.fixture
def ran(rtfs, folder):
    """A run of two calls, the second of which stands on the first's plan."""
    (folder / "a.rtfs").write_text(PROGRAM)
    for keep in ("replies", "digests"):
        (folder / f"{keep}.toml").write_text(CONFIG.format(keep=keep))
    return rtfs


def parts(result):
    """Return what is said, by the word in front."""
    found: dict[str, list[str]] = {}
    for line in result.lines[1:]:
        name, text = line[2:14].strip(), line[14:]
        found.setdefault(name, []).append(text)
    return found


@pytest.mark.parametrize(("keep", "shown"), [("replies", '["secret of a"]'), ("digests", "not kept (digest ")])
def test_what_was_read_who_decided_and_from_which_memory(ran, keep, shown) -> None:
    assert ran("run", "a.rtfs", "--config", f"{keep}.toml").code == 0
    first = parts(ran("runs", "why", "last", "1:0.0.0"))
    assert first["arguments"][0].startswith(shown)
    assert first["at"] == ["a.rtfs:2:15"]
    assert first["engines"] == ["static"]
    assert "local-model echo" in first["candidate"][0]
    assert first["excluded"][0].startswith("remote openai: the environment variable OPENAI_API_KEY is not set")
    assert first["decided"][0].startswith("local-model echo: ")
    assert first["ended"][0].startswith("value, local-model echo, echo-1")
    assert first["memory"] == ["the plan was made, and may be kept (L1); the reply was not in memory (L2)"]
    second = parts(ran("runs", "why", "last", "1:0.1.0"))
    assert second["memory"][0].startswith("the plan came from memory (L1)")
    assert second["stands on"][0].startswith("local-model echo: ")


def test_json_has_the_same(ran) -> None:
    ran("run", "a.rtfs", "--config", "digests.toml")
    data = ran("runs", "why", "last", "1:0.1.0", "--json").data
    (decision,) = data["decisions"]
    assert (data["symbol"], data["target"], data["memory"]["plan"]) == ("label", "local-model echo", "l1 hit")
    assert decision["stands_on"]["path"] == ["static"]
    assert data["function"]["name"] == "label"


def test_a_call_of_a_capability_has_no_decision(ran, folder) -> None:
    (folder / "ask.rtfs").write_text('(try (call :acme.read "x") (catch _ e "denied"))')
    ran("run", "ask.rtfs")
    found = parts(ran("runs", "why", "last", "0:0"))
    assert found["ended"][0].startswith("UnknownCapability: ")
    assert "decided" not in found


@pytest.mark.parametrize(("args", "told"), [(("last", "7:7"), "has no call 7:7"), (("zzz", "0"), "no run is called")])
def test_what_is_not_there(ran, args, told) -> None:
    ran("run", "a.rtfs", "--config", "replies.toml")
    result = ran("runs", "why", *args)
    assert (result.code, "error[E0720]" in result.err, told in result.err) == (1, True, True)


def test_what_was_tried_is_told(rtfs, folder) -> None:
    (folder / "b.rtfs").write_text('(defn label [x :string] :int 7)\n(label "no number")')
    (folder / "b.toml").write_text('[delegation.static_routes]\n"label" = ["local-echo", "local-draft"]')
    assert rtfs("run", "b.rtfs", "--config", "b.toml").out == "7\n"
    assert "after local-model echo (bad-reply), local-model draft (" in rtfs("runs", "show", "last").lines[-1]
    found = parts(rtfs("runs", "why", "last", "0:0"))
    assert found["tried"][0].startswith("local-model echo: bad-reply, TypeValidationError")
    assert [each.partition(":")[0] for each in found["decided"]] == [
        "local-model echo",
        "local-model draft",
        "local-pure",
    ]
    assert found["exhausted"] == ["nothing was left to try: body"]
    assert found["ended"][0].startswith("own body, local-pure")
