"""What each read of a decision is, and the key that stands for it. Equal keys stand for equal values.

In: the reads of one decision, and a read's parameters. Out: its key and its value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from rtfs_framework.api.caller import NO_METADATA
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.targets import Capability, ExecTarget, L4CacheHit, LocalModel, LocalPure, RemoteModel
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
from rtfs_framework.orchestrator.deciding.said import said_of
from rtfs_framework.orchestrator.deciding.situations import read_situation
from rtfs_framework.orchestrator.deciding.type_names import type_name

if TYPE_CHECKING:
    from rtfs_framework.lang.maps import Map
    from rtfs_framework.orchestrator.deciding.reads import Reads
    from rtfs_framework.orchestrator.deciding.signals import Signals

_LEAST_BAND = 64
_BAND = 4
_CHARACTERS = 4
"""Of a token, on average, in English; what a model counts is its own."""


class Unkept:
    """The key of what no key can stand for: data that is not plain. A plan that rests on it is not kept."""


UNKEPT: Final = Unkept()
PENDING: Final = Unkept()
"""The key of a question that nobody has answered yet: no plan is found by it."""


def _types(reads: Reads) -> tuple[Hashable, Any]:
    names = tuple(map(type_name, reads.call.args))
    text = "\0".join(names).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big"), names


def _fingerprint(reads: Reads) -> tuple[Hashable, Any]:
    key = reads.look(("types",))[0]
    return key, key


def _args(reads: Reads) -> tuple[Hashable, Any]:
    args = reads.call.args
    return digest(*args) if is_plain(args) else UNKEPT, args


def _text(reads: Reads) -> tuple[Hashable, Any]:
    return reads.digest_args(), reads.facts.wording(reads.call)


def _embedding(reads: Reads) -> tuple[Hashable, Any]:
    """Return the vector of the request; what an embedder could not answer once it may the next time."""
    embedder = reads.facts.embedder
    if embedder is None:
        return None, None
    args = reads.digest_args()
    if isinstance(embedder, AskedEmbedder):
        return _asked_for(reads, embedder, args)
    found = embedder.vector(reads.facts.wording(reads.call))
    if found is None or args is UNKEPT:
        return UNKEPT, None if found is None else found[1]
    return f"{args} {found[0]}", found[1]


def _asked_for(reads: Reads, embedder: AskedEmbedder, args: Hashable) -> tuple[Hashable, Any]:
    """Return the vector of the request, by a model that is asked. A plan that rests on it is found without asking."""
    found = embedder.vectors((reads.facts.wording(reads.call),), reads.answer_to)
    who = embedder.fingerprint()
    if found is None or who is None or args is UNKEPT:
        return UNKEPT, found[0] if isinstance(found, tuple) else found
    return f"{args} {who}", found[0] if isinstance(found, tuple) else found


def _similarity(reads: Reads, text: str, *others: str) -> tuple[Hashable, Any]:
    """Return how near texts are to one. The texts are the read's own, so who compared them tells the figures."""
    embedder = reads.facts.embedder
    if embedder is None:
        return None, None
    from rtfs_framework.orchestrator.deciding.comparing import cosines, similarity

    if not isinstance(embedder, AskedEmbedder):
        found = similarity(embedder, text, others)
        return (UNKEPT, None) if found is None else found
    made = embedder.vectors((text, *others), reads.answer_to)
    who = embedder.fingerprint()
    value = cosines(made) if isinstance(made, tuple) else made
    return (UNKEPT if value is None or who is None else who), value


def _semantic_hash(reads: Reads) -> tuple[Hashable, Any]:
    key, vector = reads.look(("embedding",))
    if vector is None:
        return key, None
    if not isinstance(vector, tuple):
        return PENDING, vector
    from rtfs_framework.orchestrator.deciding.semantic_hash import semantic_hash

    found = semantic_hash(vector)
    return found, found


def _size(reads: Reads) -> tuple[Hashable, Any]:
    tokens = len(reads.facts.wording(reads.call)) / _CHARACTERS
    band = _LEAST_BAND
    while band < tokens:
        band *= _BAND
    return band, band


def _hints(reads: Reads) -> tuple[Hashable, Any]:
    hints: Map = reads.call.hints
    return digest(hints) if is_plain(hints) else UNKEPT, hints


def _rules(reads: Reads) -> tuple[Hashable, Any]:
    found = reads.facts.runtime_context_hash
    return found, found


def _tenant(reads: Reads) -> tuple[Hashable, Any]:
    return reads.facts.tenant, reads.facts.tenant


def _permissions(reads: Reads) -> tuple[Hashable, Any]:
    found = reads.facts.permissions
    return found, found


def _metadata(reads: Reads) -> tuple[Hashable, Any]:
    caller = NO_METADATA if reads.asker is None else reads.asker.metadata
    found = said_of(reads.facts.function, reads.call.hints, caller)
    facts = (text for fact in sorted(found.context.items()) for text in fact)
    return digest(found.confidence, found.reasoning, found.source, *facts), found


def _attempts(reads: Reads) -> tuple[Hashable, Any]:
    found = () if reads.asker is None else reads.asker.attempts
    return UNKEPT if found else (), found


def _labels(reads: Reads) -> tuple[Hashable, Any]:
    found = PUBLIC if reads.asker is None else reads.asker.labels
    return tuple(sorted(found)), found


def _around(name: str) -> Callable[[Reads], tuple[Hashable, Any]]:
    def read(reads: Reads) -> tuple[Hashable, Any]:
        found = getattr(reads.facts.around, name)
        return (found if found.__class__ is str else tuple(sorted(found.items()))), found

    return read


def _stats(reads: Reads, symbol: str, kind: str, id_: str) -> tuple[Hashable, Any]:
    return reads.facts.learned.stats(symbol, target_of(kind, id_))


def _state(reads: Reads, engine: str, cell: str) -> tuple[Hashable, Any]:
    return reads.facts.learned.state(engine, cell)


def _experience(reads: Reads, most: str) -> tuple[Hashable, Any]:
    found = reads.facts.learned.experience(read_situation(reads), int(most), reads.facts.embedder)
    return (UNKEPT, ()) if found is None else found


def _draw(reads: Reads, name: str) -> tuple[Hashable, Any]:
    return UNKEPT, 0.0 if reads.asker is None else reads.asker.draw(name)


def _signal(name: str, key_of: Callable[[Any], Hashable]) -> Callable[[Reads, str, str], tuple[Hashable, Any]]:
    def read(reads: Reads, kind: str, id_: str) -> tuple[Hashable, Any]:
        found = getattr(reads.facts.signals, name)(target_of(kind, id_))
        return key_of(found), found

    return read


def _left(name: str) -> Callable[[Reads, str], tuple[Hashable, Any]]:
    def read(reads: Reads, which: str) -> tuple[Hashable, Any]:
        found = getattr(reads.facts.signals, name)(which)
        return found._value_, found

    return read


# Keys are looked up in dicts at every call: texts and tuples are hashed in C, members of enums and records are not.
_SIGNALS: Mapping[str, Callable[[Any], Hashable]] = {
    "health": lambda found: found._value_,
    "latency": lambda found: None if found is None else (found.p50, found.p95),
    "load": lambda found: found,
    "price": lambda found: (found.input, found.output),
    "offer": lambda found: None if found is None else found.key,
}


def why_unkept(name: str) -> str:
    """Return, as what an engine did, why no plan is kept that rests on a read of this name."""
    if name == "consult":
        return "asked a model that gave no answer"
    if name == "similarity":
        return "compared texts, and the embedder failed"
    if name == "experience":
        return "asked for experience, and its layer failed"
    if name in ("embedding", "semantic_hash"):
        return f"read {name}, and the embedder failed, or the arguments are no plain data"
    return f"read {name}, and it is no plain data"


_KINDS: Mapping[str, type] = {
    "pure": LocalPure,
    "local": LocalModel,
    "remote": RemoteModel,
    "capability": Capability,
    "l4": L4CacheHit,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def spelled(target: ExecTarget) -> tuple[str, str]:
    """Return a target as the parameters of a read: a kind and an id.

    Raises:
        TypeError: This is no target that has signals.
    """
    name = _NAMES.get(type(target))
    if name is None:
        raise TypeError(f"signals are read of models, capabilities and the own body, and this is {target!r:.80}")
    if isinstance(target, L4CacheHit):
        return name, f"{target.pointer}@{target.signature}"
    return name, getattr(target, "id", "")


@lru_cache(maxsize=1024)
def target_of(kind: str, id_: str) -> ExecTarget:
    """Return the target that a read's parameters spell."""
    parts = id_.split("@") if kind == "l4" else [] if kind == "pure" else [id_]
    found: ExecTarget = _KINDS[kind](*parts)
    return found


READS: Mapping[str, Callable[..., tuple[Hashable, Any]]] = {
    "types": _types,
    "arg_type_fingerprint": _fingerprint,
    "args": _args,
    "text": _text,
    "embedding": _embedding,
    "semantic_hash": _semantic_hash,
    "similarity": _similarity,
    "size": _size,
    "hints": _hints,
    "runtime_context_hash": _rules,
    "tenant": _tenant,
    "permissions": _permissions,
    "metadata": _metadata,
    "attempts": _attempts,
    "labels": _labels,
    **{name: _around(name) for name in ("agent", "environment", "constraints", "time_class")},
    "stats": _stats,
    "state": _state,
    "experience": _experience,
    "draw": _draw,
    **{name: _signal(name, key_of) for name, key_of in _SIGNALS.items()},
    "budget": _left("budget"),
    "rate": _left("rate"),
}


def reader_of(read: tuple[str, ...], signals: Signals) -> Callable[[Reads], tuple[Hashable, Any]] | None:
    """Return what makes one read, its parameters understood; None for a question, whose answer may come meanwhile."""
    name, *params = read
    if name == "consult":
        return None
    if name in _SIGNALS:
        return _bound(name, signals.bound(name, target_of(params[0], params[1])))
    function = READS[name]
    return (lambda reads: function(reads, *params)) if params else function


def _bound(name: str, ask: Callable[[], Any]) -> Callable[[Reads], tuple[Hashable, Any]]:
    """Return what reads a signal of one target: `ask` knows whose. A call less for what most plans rest on."""
    key_of = _SIGNALS[name]

    def read(_: Reads) -> tuple[Hashable, Any]:
        found = ask()
        return key_of(found), found

    def read_health(_: Reads) -> tuple[Hashable, Any]:
        found = ask()
        return found._value_, found

    def read_number(_: Reads) -> tuple[Hashable, Any]:
        found = ask()
        return found, found

    return {"health": read_health, "load": read_number}.get(name, read)
