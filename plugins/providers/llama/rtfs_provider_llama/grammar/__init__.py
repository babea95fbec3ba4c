"""Grammars for models in this process: what a schema allows, as GBNF (the notation of llama.cpp).

In: a JSON Schema, as `rtfs_framework.lang.types.schema.to_json_schema` makes them. Out: a grammar by which a model can
write nothing else than compact JSON that the schema accepts, or the few values that it may choose from.

A grammar never allows more than its schema, but may allow less: texts, numbers, arrays and recursion are bounded, so
that every generation ends; objects have their properties in the schema's order; a character has one way to be written.
"""

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.build import choices, gbnf
from rtfs_provider_llama.grammar.chars import spelled
from rtfs_provider_llama.grammar.closest import closest
from rtfs_provider_llama.grammar.errors import GrammarError, NothingFitsError

__all__ = ["Bounds", "GrammarError", "NothingFitsError", "choices", "closest", "gbnf", "spelled"]
