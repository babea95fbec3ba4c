"""What no grammar can say is left out, one refinement of many, and the rest is said."""

from __future__ import annotations

import pytest

from rtfs_provider_llama.grammar import NothingFitsError, closest, gbnf

pytestmark = pytest.mark.needs("rtfs-provider-llama")

BAD, GOOD = {"type": "string", "pattern": "(?<=a)b"}, {"type": "string", "pattern": "^a+$"}
INTEGERS = {"type": "array", "items": {"type": "integer"}}


def _object(**members):
    return {"type": "object", "properties": members, "required": sorted(members)}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (GOOD, GOOD),
        (_object(x=BAD, y=GOOD), _object(x={"type": "string"}, y=GOOD)),
        (_object(pattern=BAD, y=GOOD), _object(pattern={"type": "string"}, y=GOOD)),
        (_object(x=BAD, y=BAD), _object(x={"type": "string"}, y={"type": "string"})),
        ({**INTEGERS, "uniqueItems": True, "minItems": 2}, {**INTEGERS, "minItems": 2}),
        ({"type": "object", "minProperties": 2}, {"type": "object"}),
        ({"type": "string", "format": "iri", "maxLength": 3}, {"type": "string", "maxLength": 3}),
        ({"type": "array", "not": {"const": []}}, {"type": "array"}),
        ({"$defs": {"T": BAD}, "$ref": "#/$defs/T"}, {"type": "string"}),
        ({"type": "string", "contains": 1}, {}),
    ],
)
def test_one_refinement_goes_and_the_rest_stays(schema, said) -> None:
    assert closest(schema) == gbnf(said)


def test_what_no_json_fits_is_refused() -> None:
    with pytest.raises(NothingFitsError, match="nothing fits"):
        closest({"type": "integer", "minimum": 2, "maximum": 1})
