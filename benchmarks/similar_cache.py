"""What a look-up among similar requests costs at 100,000 entries, and how often it finds the nearest.

    python -m benchmarks.similar_cache --data question_pairs.csv.gz [--entries 100000] [--embedder wordllama]
        [--index usearch annoy exact] [--asked 1200] [--gptcache PYTHON] [--json]

In: real questions (`question_a`, `question_b`); where they are too few, halves of two questions joined make more. Never
random vectors: those of texts lie in clusters, and that is what an index must bear. All but the questions that are
asked are put into the layer, in one partition and a file. Out: for each index, processor time of a look-up (beyond the
embedding; search, the file's rows, seal and decision) and of a put; memory and bytes on disk of an entry; recall@1
against comparing with all. A look-up is also given as a multiple of a bare `select` of one row of the same file by its
key, and of a look-up in a dict; with `--gptcache`, of GPTCache's own look-up among the same texts and vectors, in an
interpreter that has it (`uv venv gpt; uv pip install -p gpt gptcache faiss-cpu sqlalchemy`). Each question is asked
once: neither it nor what lies near it was looked at before.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import attrs
import numpy as np

from benchmarks.embedders import read
from rtfs_framework.api import CacheKey, CacheSettings, EmbedderSettings, SimilarQuestion
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.registry.load import load_catalog

PARTITION = CacheKey("partition", sha256(b"benchmark").hexdigest())


@attrs.frozen(kw_only=True)
class Row:
    """What one index came to. Times are seconds of processor time, sizes bytes."""

    index: str
    entries: int
    look_up: float
    search: float
    put: float
    memory: float
    disk: float
    recall: float
    selects: float
    """A look-up as a multiple of a bare select."""
    dicts: float


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=1_200)
    parser.add_argument("--embedder", default="wordllama")
    parser.add_argument("--index", nargs="*", default=["usearch", "annoy"])
    parser.add_argument("--gptcache", metavar="PYTHON", help="measure GPTCache, too: an interpreter that has it")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(None if arguments is None else list(arguments))
    asked, kept = texts_of(args.data, args.entries, args.asked)
    entry, _ = load_catalog().embedders[args.embedder]
    embedder = entry.factory(EmbedderSettings(args.embedder, None))
    vectors = unit(embedder, [*asked, *kept])
    rows = [measured(name, asked, kept, vectors) for name in args.index]
    if args.json:
        print(json.dumps([attrs.asdict(row) for row in rows], indent=1))
        return
    print(f"{len(kept):,} entries of {vectors.shape[1]} dimensions ({args.embedder}), {len(asked)} look-ups")
    titles = ("look-up", "search", "put", "memory", "disk", "recall@1", "selects", "dicts")
    print(f"{'index':10}" + "".join(f"{each:>11}" for each in titles))
    for row in rows:
        times = "".join(f"{each * 1e3:>8.3f} ms" for each in (row.look_up, row.search, row.put))
        sizes = f"{row.memory:>9.0f} B{row.disk:>9.0f} B"
        print(f"{row.index:10}{times}{sizes}{row.recall:>11.3f}{row.selects:>10.0f}x{row.dicts:>10.0f}x")
    if args.gptcache is None:
        print("GPTCache was not measured: --gptcache PYTHON says which interpreter has it")
        return
    peer = gptcache(args.gptcache, asked, kept, vectors)
    if peer is not None:
        print(f"{'GPTCache':10}{peer['look_up'] * 1e3:>8.3f} ms{'':11}{peer['put'] * 1e3:>8.3f} ms", end="")
        print(f"{'':11}{peer['disk']:>9.0f} B")
        for row in rows:
            print(f"{row.index}, as a multiple of GPTCache: look-up {row.look_up / peer['look_up']:.3f}x,", end=" ")
            print(f"put {row.put / peer['put']:.2f}x")


def texts_of(path: str, entries: int, asked: int) -> tuple[list[str], list[str]]:
    """Return questions to ask, and texts to keep: the other questions, and halves of two joined until they suffice."""
    chance = Random(1)
    pairs = read(path)
    real = list(dict.fromkeys(text for one, other, _ in pairs for text in (one, other)))
    chance.shuffle(real)
    questions, kept = real[:asked], real[asked : asked + entries]
    known = set(real)
    while len(kept) < entries:
        one, other = chance.choice(real).split(), chance.choice(real).split()
        made = " ".join((*one[: len(one) // 2], *other[len(other) // 2 :]))
        if made and made not in known:
            known.add(made)
            kept.append(made)
    return questions, kept


def unit(embedder: Any, texts: Sequence[str]) -> Any:
    """Return the vectors of texts, of length 1: shape (texts, dimensions)."""
    made = [each for at in range(0, len(texts), 256) for each in embedder.embed(texts[at : at + 256])]
    vectors = np.asarray(made, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measured(name: str, asked: Sequence[str], kept: Sequence[str], vectors: Any) -> Row:
    """Fill a layer with one index and ask it."""
    entry, _ = load_catalog().caches["similar"]
    questions, entries = vectors[: len(asked)], vectors[len(asked) :]
    with tempfile.TemporaryDirectory() as folder:
        own = attrs.evolve(entry.settings(), index=name, capacity=len(kept) + 10, capacity_bytes=1 << 40)
        seal = Keyring(lambda: folder).seal
        settings = CacheSettings(clock=SystemClock(), own=own, directory=folder, seal=lambda: seal("cache similar"))
        layer: Any = entry.factory(settings)
        began = process_time()
        for text, vector in zip(kept, entries, strict=True):
            layer.put(question(text, vector), '{"text": "an answer", "structured": false, "data": null}')
        index = layer._shelf._indexes[PARTITION.digest][1]
        getattr(index, "settle", lambda: None)()
        put = (process_time() - began) / len(kept)
        best = np.concatenate([(part @ entries.T).max(axis=1) for part in np.array_split(questions, 8)])
        found = [index.search(vector, 8) for vector in questions]
        recall = float(np.mean([near[0][1] >= high - 1e-3 for near, high in zip(found, best, strict=True)]))
        search = timed(lambda at: index.search(questions[at], 8), len(asked))
        wanted = [question(text, vector) for text, vector in zip(asked, questions, strict=True)]
        look_up = timed(lambda at: layer.ask(wanted[at]), len(asked))
        memory = index.nbytes() / len(kept)
        layer.close()
        file = Path(folder) / "similar.sqlite"
        select, plain = yardsticks(file, [question(text, vectors[0]).exact.digest for text in kept[: len(asked)]])
        disk = file.stat().st_size / len(kept)
    return Row(
        index=name,
        entries=len(kept),
        look_up=look_up,
        search=search,
        put=put,
        memory=memory,
        disk=disk,
        recall=recall,
        selects=look_up / select,
        dicts=look_up / plain,
    )


def question(text: str, vector: Any) -> SimilarQuestion:
    """Return a question as a host asks it."""
    exact = CacheKey("reply", sha256(text.encode()).hexdigest())
    return SimilarQuestion(partition=PARTITION, exact=exact, text=text, vector=vector)


def timed(work: Callable[[int], object], count: int) -> float:
    """Return the seconds of processor time of one of so many, each done once: the median of three rounds."""
    rounds, each = [], count // 3
    for first in range(0, 3 * each, each):
        began = process_time()
        for at in range(first, first + each):
            work(at)
        rounds.append((process_time() - began) / each)
    return sorted(rounds)[1]


def yardsticks(file: Path, digests: Sequence[str]) -> tuple[float, float]:
    """Return what a bare select of a row by its key takes, and a look-up in a dict."""
    known = dict.fromkeys(digests, "an answer")
    with closing(sqlite3.connect(file)) as db:
        text = "select sealed from entries where namespace = 'reply' and digest = ?"
        select = timed(lambda at: db.execute(text, (digests[at],)).fetchone(), len(digests))
    return select, timed(lambda at: known.get(digests[at]), len(digests))


def gptcache(python: str, asked: Sequence[str], kept: Sequence[str], vectors: Any) -> dict[str, float] | None:
    """Return what GPTCache takes, as an interpreter that has it measures; None, and a word why, where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "texts.json").write_text(json.dumps({"asked": asked, "kept": kept}))
        np.save(Path(folder, "vectors.npy"), vectors)
        script = Path(__file__).with_name("similar_gptcache.py")
        done = subprocess.run([python, str(script), folder], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"GPTCache did not run: {(done.stderr.strip() or 'without a word').splitlines()[-1]}")
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
