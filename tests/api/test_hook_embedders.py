"""The hook `rtfs_embedders`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import EmbedderEntry, EmbedderSettings, Locality
from rtfs_framework.testing.fakes import WordsEmbedder

FIELDS = {"name": "mine", "summary": "Counts words.", "locality": Locality.LOCAL, "factory": lambda _: WordsEmbedder()}


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_embedders", EmbedderEntry(**FIELDS))
    assert not catalog.problems
    (vector,) = catalog.embedder("mine").factory(EmbedderSettings("mine")).embed(["a text"])
    assert len(vector) == WordsEmbedder.length


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_embedders` offers a str, which is no EmbedderEntry"),
        (EmbedderEntry(**{**FIELDS, "factory": 7}), "whose `factory` is a int and cannot be called"),
        (EmbedderEntry(**{**FIELDS, "locality": "local"}), "whose `locality` is 'local' and no member of Locality"),
        (EmbedderEntry(**FIELDS, settings=dict), "no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_embedders", record)
    refused(catalog, words)
    assert not catalog.embedders
