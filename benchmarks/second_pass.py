"""The shipped triage, twice over the same messages, with drafts of a model that takes 50 ms: what memory saves.

The model says nothing of being deterministic; that its replies may be used again is its owner's word (`reuse =
"always"`). Each pass is a session of its own, with the same data folder, so the second one knows what is on disk alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import attrs

from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.openai_server import Late, OpenAIServer, say_json

TRIAGE = Path(__file__).parents[1] / "examples" / "triage"
PAUSE = 0.05
_CONFIG = """
[delegation]
concurrency = 1
[delegation.static_routes]
"draft-*" = "remote-house"
[delegation.remote_providers.house]
provider = "openai"
endpoint = "{url}"
model = "house"
api_key_env = ""
reuse = "always"
"""


@attrs.frozen(slots=True)
class Pass:
    """One pass over the messages."""

    seconds: float
    requests: int
    """Those that reached the model."""
    values: tuple[object, ...]


def passes(count: int = 2, *, pause: float = PAUSE, limit: int | None = None) -> Iterator[Pass]:
    """Yield so many passes of the triage over its messages (the first `limit` of them)."""
    lines = (TRIAGE / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines[:limit]]
    with (
        TemporaryDirectory() as home,
        OpenAIServer(then=Late(pause, say_json({"value": "We look into it."}))) as server,
    ):
        config = Path(home) / "delegation.toml"
        config.write_text(_CONFIG.format(url=server.url), encoding="utf-8")
        for _ in range(count):
            before = len(server.requests)
            with _opened(config, home) as session:
                began = perf_counter()
                text = (TRIAGE / "triage.rtfs").read_text(encoding="utf-8")
                with session.load(Source("triage.rtfs", text)) as program:
                    results = list(session.stream(program, "main", records))
                seconds = perf_counter() - began
            failed = [each.error for each in results if not each.ok]
            assert not failed, failed[0]
            yield Pass(seconds, len(server.requests) - before, tuple(each.value for each in results))


@contextmanager
def _opened(config: Path, home: str) -> Iterator[Session]:
    with Session.open(config_path=config, environ={"RTFS_HOME": home}) as session:
        yield session


def main(argv: Sequence[str] | None = None) -> int:
    """Print both passes, and how many times as long the first one takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_pass", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(argv)
    first, second = passes()
    ratio = first.seconds / second.seconds
    if asked.json:
        passed = [{"seconds": each.seconds, "requests": each.requests} for each in (first, second)]
        print(json.dumps({"messages": len(first.values), "pause": PAUSE, "passes": passed, "ratio": ratio}))
        return 0
    for name, each in (("first", first), ("second", second)):
        print(f"{name:<6}  {each.seconds:8.3f} s  {each.requests:3} requests to the model")
    print(f"the first takes {ratio:.1f} times as long; both gave the same: {first.values == second.values}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
