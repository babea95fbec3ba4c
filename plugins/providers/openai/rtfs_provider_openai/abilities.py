"""What is known of one server and model: in which way it takes requests. Learnt from what it refused, never forgotten.

A refusal that names what is not taken counts at once; one that says nothing only once another way has worked. What is
refused of one schema (a keyword that strict mode does not know) says nothing of others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api import InferenceRequest
from rtfs_provider_openai.asking import is_typed
from rtfs_provider_openai.settings import OpenAISettings
from rtfs_provider_openai.ways import FORMS, Form, Refusal, Way, next_way

_MOST_SCHEMAS = 256
"""Schemas that are remembered to be refused: the oldest is forgotten, and asked for once more."""


class Abilities:
    """How a server is asked; may be used from several threads, for each change is one assignment."""

    def __init__(self, own: OpenAISettings, *, vendor: bool) -> None:
        self._fixed = own.structured != "auto"
        form: Form = "json_schema" if own.structured == "auto" else own.structured
        # The vendor's newer models refuse the old name; most compatible servers know only that.
        self._way = Way(form=form, tokens="max_completion_tokens" if vendor else "max_tokens")
        self._of_schemas: dict[str, Way] = {}
        self._proven: frozenset[Form] = frozenset()

    def way_for(self, request: InferenceRequest) -> Way:
        """Return how to ask for a request."""
        way = self._way
        if not is_typed(request) or not self._of_schemas:
            return way
        own = self._of_schemas.get(_schema_key(request.schema))
        if own is None:
            return way
        form = max(way.form, own.form, key=FORMS.index)
        return attrs.evolve(way, form=form, strict=way.strict and own.strict)

    def lower(self, way: Way, body: dict[str, Any], request: InferenceRequest, refusal: Refusal | None) -> Way | None:
        """Return how to ask once more after a refusal, None when it is no matter of the way."""
        if refusal is None:
            return None
        of_schema = is_typed(request) and (refusal.of_one_schema or way.form in self._proven)
        proven = way.form in self._proven
        found = next_way(way, body, refusal, proven=proven)
        if found is None or (self._fixed and found.form != way.form):
            return None
        if found.form == way.form and found.strict == way.strict:
            self._way = _changed(self._way, way, found)
        elif of_schema:
            self._remember(request.schema, found)
        elif not refusal.says_nothing:
            self._way = _changed(self._way, way, found)
        return found

    def prove(self, way: Way, request: InferenceRequest) -> None:
        """Note that a server has answered when it was asked in this way."""
        if not is_typed(request) or way.form in self._proven:
            return
        self._proven = self._proven | {way.form}
        if request.schema is not None and _schema_key(request.schema) in self._of_schemas:
            return
        if FORMS.index(way.form) > FORMS.index(self._way.form):  # it was reached by refusals that said nothing
            self._way = attrs.evolve(self._way, form=way.form)

    def _remember(self, schema: Mapping[str, Any] | None, way: Way) -> None:
        of_schemas = dict(self._of_schemas)
        while len(of_schemas) >= _MOST_SCHEMAS:
            del of_schemas[next(iter(of_schemas))]
        of_schemas[_schema_key(schema)] = way
        self._of_schemas = of_schemas


def _schema_key(schema: Mapping[str, Any] | None) -> str:
    return json.dumps(schema, sort_keys=True, default=str)


def _changed(known: Way, asked: Way, found: Way) -> Way:
    """Return what is known, with what a refusal adds; what another request found meanwhile stays."""
    changes = {
        field.name: getattr(found, field.name)
        for field in attrs.fields(Way)
        if getattr(found, field.name) != getattr(asked, field.name)
        and getattr(known, field.name) == getattr(asked, field.name)
    }
    return attrs.evolve(known, **changes)
