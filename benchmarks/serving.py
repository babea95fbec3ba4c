"""What `rtfs serve` bears: small pure programs beside a bare ASGI application on the same server.

    python -m benchmarks.serving                     # rate, latencies, an end under load, memory over 20,000 requests
    python -m benchmarks.serving --soak 1000000      # memory alone, over so many (`tox run -e soak -- 1000000`)
    python -m benchmarks.serving --parser auto       # with httptools, if it is installed

Server and clients are processes of their own, each on a processor of its own where there are two. The ratio is of
processor time of the server for each request, for that is what a busy machine changes least; the rate per second is
told, too. Latencies are those of an open loop (`serving_load`), beside what the system kept the server waiting for a
processor: on a machine with others at work that is most of their tail. The parser is h11, which the extra `serve`
brings. All bounds are on: tokens, limits of steps and memory, connections, times. Exit code 1 where a threshold is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import linear_regression, median

import attrs

from benchmarks.serving_load import open_loop

_PROGRAM = "(defn main [x] (reduce + (map inc (range x))))"
_BODY = json.dumps(
    {
        "program": {"name": "p.rtfs", "source": _PROGRAM, "sha256": hashlib.sha256(_PROGRAM.encode()).hexdigest()},
        "args": "[10]",
        "deadline": 10,
    }
).encode()
_CLIENTS = 16
_USABLE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_THEIRS, _OURS = (_USABLE[0], _USABLE[-1]) if len(_USABLE) > 1 else (-1, -1)
"""The processors of servers and of clients; -1 for any."""
_LEAST_SHARE, _MOST_SPREAD, _MOST_GROWTH = 0.4, 10.0, 256.0


@attrs.frozen
class Target:
    """A server under way."""

    pid: int
    port: int
    request: bytes

    @property
    def processor(self) -> float:
        """Seconds of processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def kept_waiting(self) -> float:
        """Seconds that its threads could have run and had no processor."""
        found = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text(encoding="ascii").split()[1]) for each in found) / 1e9

    @property
    def resident(self) -> float:
        """MiB of memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def _bare(parser: str) -> None:
    """Serve a constant, reading the whole body, as any application does."""
    import uvicorn

    from rtfs_framework.server.sockets import listen

    async def app(_scope: object, receive: object, send: object) -> None:
        while (await receive()).get("more_body"):  # type: ignore[operator]
            pass
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"11")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"hello world"})  # type: ignore[operator]

    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", http=parser)
    print(listener.getsockname()[1], "x", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def _served(parser: str, folder: str) -> None:
    """Serve programs as `rtfs serve` does, with its usual bounds."""
    import secrets

    from rtfs_framework.orchestrator.config.serve import TokenSpec
    from rtfs_framework.server import listening, sockets
    from rtfs_framework.server.auth import digest_of
    from rtfs_framework.server.log import make_log
    from rtfs_framework.server.serving import serve
    from rtfs_framework.server.state import ServerState

    if parser == "h11":
        from uvicorn.protocols.http.h11_impl import H11Protocol

        listening._parser = lambda: H11Protocol
    token = secrets.token_urlsafe(24)
    own = (TokenSpec(name="bench", sha256=digest_of(token)),)
    state = ServerState.open(None, environ={"RTFS_HOME": folder}, tokens=own)
    listener = sockets.listen("127.0.0.1", 0)

    def ready(_: str) -> None:
        print(listener.getsockname()[1], token, flush=True)

    asyncio.run(serve(state, listener, make_log("error"), ready=ready))


@contextmanager
def _started(kind: str, parser: str) -> Iterator[Target]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.serving", "--as", kind, "--parser", parser, "--home", folder]
        command += ["--processor", str(_THEIRS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                port, token = process.stdout.readline().split()
                head = (
                    f"POST /v1/rtfs/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nRTFS-Protocol: 1\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
                )
                yield Target(process.pid, int(port), head.encode() + _BODY)
            finally:
                process.terminate()


@attrs.define
class Seen:
    """What clients saw."""

    answered: int = 0
    refused: int = 0
    lost: int = 0
    """Requests that were read by the server, as far as anybody can tell, and had no whole answer."""


async def _client(target: Target, seen: Seen, count: int) -> None:
    """Send requests one after the other, each on the connection of the last while the server keeps that."""
    talk = None
    for _ in range(count):
        if talk is None:
            try:
                talk = await asyncio.open_connection("127.0.0.1", target.port)
            except OSError:
                seen.refused += 1
                return
        try:
            closes = await _once(talk, target.request)
        except (OSError, EOFError):
            seen.lost += 1
            return
        seen.answered += 1
        if closes:
            talk[1].close()
            talk = None
    if talk is not None:
        talk[1].close()


async def _once(talk: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> bool:
    reader, writer = talk
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    return b"connection: close" in head


async def _drive(target: Target, requests: int) -> tuple[float, Seen]:
    seen, began = Seen(), time.perf_counter()
    await asyncio.gather(*(_client(target, seen, requests // _CLIENTS) for _ in range(_CLIENTS)))
    return time.perf_counter() - began, seen


def _cost(target: Target, requests: int) -> tuple[float, float]:
    """Return the microseconds of processor time for a request, and requests per second."""
    asyncio.run(_drive(target, 400))
    before = target.processor
    seconds, seen = asyncio.run(_drive(target, requests))
    return (target.processor - before) / seen.answered * 1e6, seen.answered / seconds


def _rate(parser: str, requests: int, rounds: int) -> bool:
    shares = []
    with _started("bare", parser) as bare, _started("served", parser) as served:
        for _ in range(rounds):
            one, quick = _cost(bare, requests)
            other, rate = _cost(served, requests)
            shares.append(one / other)
            print(f"bare {one:6.0f} us, {quick:6.0f}/s; served {other:6.0f} us, {rate:6.0f}/s; share {one / other:.2f}")
    print(f"share of the bare application: {median(shares):.2f} (at least {_LEAST_SHARE})")
    return median(shares) >= _LEAST_SHARE


def _latencies(parser: str, requests: int) -> bool:
    """Compare median and tail at half of the load that each bears; the bare one tells what the machine adds."""
    _spread("bare", parser, requests, "")
    return _spread("served", parser, requests, f" (at most {_MOST_SPREAD:g})") <= _MOST_SPREAD


def _spread(kind: str, parser: str, requests: int, bound: str) -> float:
    """Return how many times as long as the median request the slowest of a hundred takes."""
    with _started(kind, parser) as target:
        cost, rate = _cost(target, requests)
        rate = min(rate, 1e6 / cost) / 2
        waited, began = target.kept_waiting, time.perf_counter()
        told = open_loop(target.port, target.request, requests, rate)
        waited, seconds = target.kept_waiting - waited, time.perf_counter() - began
    usual, late = _at(told.taken, 0.5), _at(told.taken, 0.99)
    print(
        f"{kind} at half of it ({rate:.0f}/s): p50 {usual:.2f} ms, p99 {late:.2f} ms, {late / usual:.1f} times{bound}; "
        f"it had to wait for a processor for {waited * 1000:.0f} ms of {seconds:.1f} s, "
        f"and the generator was late by {_at(told.late, 0.99):.2f} ms (p99)"
    )
    return late / usual


def _at(found: list[int], share: float) -> float:
    """Return the milliseconds that a share of these nanoseconds does not exceed."""
    return sorted(found)[int((len(found) - 1) * share)] / 1e6


def _end(parser: str) -> bool:
    """End the server under load: whatever it has read is answered."""
    with _started("served", parser) as served:
        asyncio.run(_drive(served, 400))

        async def load() -> Seen:
            seen = Seen()
            tasks = [asyncio.ensure_future(_client(served, seen, 1 << 30)) for _ in range(_CLIENTS)]
            await asyncio.sleep(1.0)
            os.kill(served.pid, signal.SIGTERM)
            await asyncio.gather(*tasks)
            return seen

        seen = asyncio.run(load())
    print(f"at its end: {seen.answered} answered, {seen.lost} lost, {seen.refused} clients were not let in")
    return not seen.lost


def _memory(parser: str, requests: int) -> bool:
    """Tell whether memory stays as it is: by the slope of a straight line through what it is after each tenth."""
    done, seen, total = list[int](), list[float](), 0
    with _started("served", parser) as served:
        asyncio.run(_drive(served, 2_000))
        for _ in range(10):
            _, answers = asyncio.run(_drive(served, requests // 10))
            total += answers.answered
            done.append(total)
            seen.append(served.resident * (1 << 20))
            print(f"{total:>9,} requests  {served.resident:7.1f} MiB", flush=True)
    grown = linear_regression(done, seen).slope
    print(f"grows by {grown:.1f} bytes for each request (at most {_MOST_GROWTH:.0f})")
    return grown <= _MOST_GROWTH


def _stay_on(processor: int) -> None:
    if processor >= 0:
        os.sched_setaffinity(0, {processor})


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--soak", type=int, help="only memory, over so many requests")
    parser.add_argument("--parser", choices=("auto", "h11"), default="h11")
    parser.add_argument("--as", dest="kind", choices=("bare", "served"), help=argparse.SUPPRESS)
    parser.add_argument("--home", help=argparse.SUPPRESS)
    parser.add_argument("--processor", type=int, default=_OURS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    _stay_on(given.processor)
    if given.kind == "bare":
        asyncio.run(_bare(given.parser))
        return 0
    if given.kind == "served":
        _served(given.parser, given.home)
        return 0
    if given.soak:
        return 0 if _memory(given.parser, given.soak) else 1
    found = [
        _rate(given.parser, given.requests, given.rounds),
        _latencies(given.parser, given.requests),
        _end(given.parser),
        _memory(given.parser, 20_000),
    ]
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
