"""Types of capabilities that are surely misspelled are named when their plug-in is registered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rtfs_framework.api import CapabilityEntry, hookimpl
from rtfs_framework.registry.contracts import odd_types
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.testing.conformance.capability import CapabilityConformance


def entry(*parameters, returns=None, **more):
    return CapabilityEntry(
        id="a.b", summary="A fake.", handler=lambda _: 1, parameters=parameters or None, returns=returns, **more
    )


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        (":strng", "did you mean ':string'?"),
        (":strng?", "did you mean ':string'?"),
        ("Strng", "did you mean ':string'?"),
        ("[:vector :itn]", "did you mean ':int'?"),
        ("[:map [:a :floats] [:b :int]]", "did you mean ':float'?"),
        ("[:map-of :str :any]", "did you mean ':string'?"),
        ("[:union :number :string]", "write [:union :int :float]"),
    ],
)
def test_a_slip_and_a_type_of_another_language_are_told(text, way_out):
    for made in (entry(":int", text), entry(returns=text)):
        (remark,) = odd_types(made)
        assert way_out in remark
        assert text in remark


@pytest.mark.parametrize(
    "text",
    [
        ":url", "Document", ":id", ":intent", ":tool", ":symbolic", ":html?", ":int?", "String", "acme.types/Strng",
        '[:enum "strng" "itn"]', "[:enum :strng]", "[:map [:text :string] [:list [:vector :event]] [:number :int ?]]",
        "[:and :int [:> 3]]", "[:fn [:any] :any]", "[:tuple :int :uuid]",
    ],
)  # fmt: skip
def test_what_says_what_a_value_means_is_no_mistake(text):
    assert list(odd_types(entry(text, returns=text))) == []


def test_a_plug_in_that_has_one_is_loaded_and_told_of():
    plugin = SimpleNamespace(
        __name__="acme", rtfs_api_version=2, rtfs_distribution="acme-plugin", rtfs_version="1",
        rtfs_capabilities=hookimpl(specname="rtfs_capabilities")(lambda: [entry(":strng")]),
    )  # fmt: skip
    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[plugin])
    (problem,) = catalog.problems
    assert (problem.code, problem.severity, problem.distributions) == ("E0805", "warning", ("acme-plugin",))
    assert "capability `a.b` of acme-plugin 1: any value fits :strng in :strng" in problem.message
    assert list(catalog.capabilities) == ["a.b"]


class Suite(CapabilityConformance):
    """A plug-in with a slip."""

    __test__ = False

    def make(self):
        return entry(":strng")

    def accepted(self):
        return [("x",)]


def test_the_conformance_kit_refuses_it():
    with pytest.raises(AssertionError, match=r"any value fits :strng.*did you mean ':string'"):
        Suite().test_its_types_are_those_of_the_language()
