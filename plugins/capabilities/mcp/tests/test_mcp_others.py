"""Resources and prompts: listed with a bound, granted by name and argument, data like what a tool answers."""

from __future__ import annotations

import pytest

from rtfs_capability_mcp.settings import McpGrant
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Described, read_value, write


@pytest.fixture
def asked(world):
    """Return what asks a server for something, by the kind of capability and the texts of its arguments."""
    entries = {}

    def ask(how, kind, *args, grant=None, **more):
        if how not in entries:
            entries[how] = world.set(how, resources=True, prompts=True)
        entry = entries[how][f"mcp-{kind}.s"]
        grants = (CapabilityGrant(grant or McpGrant(), str(world.base)),)
        values = tuple(map(read_value, args))
        return world.made(entry, CapabilityRequest(entry.id, values, grants=grants, **more))

    return ask


def test_all_pages_are_listed_without_icons(asked):
    assert write(asked("listing", "resources")) == '[{:name "r0" :uri "a:0"} {:name "r1" :uri "a:1"}]'
    found = write(asked("listing", "prompts"))
    assert found == '[{:name "greet" :arguments [{"name" "who" "required" true}]}]'


@pytest.mark.parametrize("kind", ["resources", "prompts"])
def test_a_list_without_end_is_none(asked, kind):
    with pytest.raises(CapabilityError, match=f"there are more than 1,000 of its {kind}"):
        asked("endless", kind)


@pytest.mark.parametrize("kind", ["resources", "prompts"])
def test_who_has_none_says_so(asked, kind):
    with pytest.raises(CapabilityError, match="Method not found"):
        asked("good", kind)


def test_a_prompt_is_its_messages(asked):
    said = write(asked("listing", "prompt", '"greet"', '{:who "Ada"}'))
    assert said == (
        '{:description "A greeting." :messages [{:role :user :text "Greet Ada."}'
        ' {:role :assistant :content {"type" "image" "data" "AAAA" "mimeType" "image/png"}}]}'
    )
    assert "Greet nobody." in write(asked("listing", "prompt", '"greet"'))


@pytest.mark.parametrize(
    ("args", "fine"),
    [
        (('"greet"', '{:who "Ada"}'), True),
        (('"greet"', '{:who "Eve"}'), False),
        (('"other"', '{:who "Ada"}'), False),
        (('"greet"', '{:who "Ada" :more "x"}'), False),
        (('"greet"',), False),
    ],
)
def test_prompts_are_granted_by_name_and_arguments(asked, args, fine):
    grant = McpGrant(args={"prompt": ["greet"], "who": ["Ada"]})
    if fine:
        assert "Ada" in write(asked("listing", "prompt", *args, grant=grant))
        return
    with pytest.raises(CapabilityError, match=r"not granted: mcp-prompt\.s with prompt = "):
        asked("listing", "prompt", *args, grant=grant)


@pytest.mark.parametrize(
    "args",
    [(), ("1",), ('""',), ('"greet"', "1"), ('"greet"', "{:who 1}"), ('"greet"', '{:prompt "other"}'), ("#{1}",)],
)
def test_what_is_no_call_of_a_prompt_is_sent_to_nobody(asked, args):
    with pytest.raises(CapabilityError, match=r"takes the name of a prompt|no argument can be called") as raised:
        asked("good", "prompt", *args)
    assert raised.value.kind == "TypeValidationError"


def test_lists_are_granted_as_a_whole(asked):
    with pytest.raises(CapabilityError, match=r"not granted: mcp-resources\.s with no arguments"):
        asked("listing", "resources", grant=McpGrant(args={"uri": ["a:0"]}))


def test_they_carry_the_marks_of_what_was_sent(asked):
    marks = frozenset({"pii"})
    assert asked("listing", "prompt", '"greet"', '{:who "Ada"}', marks=marks).marks == marks
    later = asked("listing", "resources")
    assert isinstance(later, Described)
    assert later.marks == marks
