"""Requests and answers of the protocol (docs/arbiter.md), field by field. What a host says is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

from rtfs_framework.api import (
    AskedBy,
    BadReply,
    Followed,
    Health,
    InferenceReply,
    InferenceRequest,
    JsonError,
    Left,
    Offer,
    OfferedTarget,
    ProviderError,
    RemoteRun,
    RtfsError,
    Travel,
    Usage,
    load_json,
    one_line,
    read_value,
    to_json,
    token_count,
    write,
)

MOST_TARGETS = 256
MOST_FOLLOWED = 1_000
_NAME = 200


def run_body(travel: Travel, request: InferenceRequest, hops: int) -> dict[str, Any]:
    """Return the body of a request to run a program."""
    program, bounds, allowed, asker = travel.program, travel.bounds, travel.allowance, travel.asked_by
    left = hops if travel.journey.hops is None else min(hops, travel.journey.hops)
    return {
        "program": {
            "name": program.name,
            "source": program.source,
            "sha256": sha256(program.source.encode("utf-8", "surrogatepass")).hexdigest(),
        },
        "entry": program.entry or None,
        "args": write(travel.args),
        "context": {
            "labels": sorted(travel.labels),
            "grant": None if bounds.grant is None else list(bounds.grant),
            "deny": list(bounds.deny),
            "reach": bounds.reach,
            "level": bounds.level,
            "agent": bounds.agent,
            "environment": dict(bounds.environment),
            "constraints": dict(bounds.constraints),
        },
        "deadline": request.timeout,
        "budget": None
        if allowed is None
        else {"money": allowed.money, "tokens": allowed.tokens, "calls": allowed.calls},
        "hops": left - 1,
        "via": list(travel.journey.via),
        "key": travel.key,
        "caller": {"run": asker.run, "head": asker.head, "call": asker.call},
    }


def encoded(body: Any, provider: str) -> bytes:
    """Return a body that can be sent.

    Raises:
        ProviderError: It cannot: a text in it holds half of a surrogate pair.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (UnicodeEncodeError, ValueError) as error:
        message = "the request was not sent: a text in it holds half a character (a lone surrogate)"
        raise ProviderError(provider, message, usage=Usage(0, 0)) from error


def table_of(raw: bytes, provider: str) -> Mapping[str, Any]:
    """Return the JSON object that a host answered.

    Raises:
        BadReply: It is none.
    """
    try:
        found = load_json(raw.decode())
    except (JsonError, UnicodeDecodeError) as error:
        raise BadReply(provider, f"the host answered no JSON: {one_line(str(error), 200)}") from error
    if not isinstance(found, dict):
        raise BadReply(provider, "the host answered no JSON object")
    return found


def reply_of(table: Mapping[str, Any], provider: str, *, typed: bool) -> InferenceReply:
    """Return the answer of a run.

    Raises:
        BadReply: It is none of the protocol's.
    """
    text = table.get("value")
    if not isinstance(text, str):
        raise BadReply(provider, "the answer has no 'value'")
    try:
        value = read_value(text, f"<answer of {provider}>")
        data = to_json(value)
    except (RtfsError, JsonError, RecursionError) as error:
        raise BadReply(provider, f"the answer's value cannot be read: {one_line(str(error), 200)}") from error
    usage = _usage(table.get("usage"))
    where = RemoteRun(
        host=_name(table, "host"),
        run=_name(table, "run"),
        head=_name(table, "head"),
        labels=marks_of(table),
        value=value,
    )
    told: dict[str, Any] = {"usage": usage, "remote": where, "model": where.host}
    if isinstance(value, str) and not typed:
        return InferenceReply(text=value, **told)
    return InferenceReply(data=data, structured=True, **told)


def marks_of(table: Mapping[str, Any]) -> frozenset[str]:
    """Return the marks that a host says its answer, or its error, has."""
    found = table.get("labels")
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()


def _usage(found: Any) -> Usage:
    if not isinstance(found, dict):
        return Usage()
    cost = found.get("cost")
    fits = isinstance(cost, int | float) and not isinstance(cost, bool) and isfinite(cost) and cost >= 0
    return Usage(
        token_count(found.get("input_tokens")), token_count(found.get("output_tokens")), cost=cost if fits else None
    )


def _name(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return one_line(found, _NAME) if isinstance(found, str) else ""


def _number(table: Mapping[str, Any], key: str) -> float | None:
    found = table.get(key)
    fits = isinstance(found, int | float) and not isinstance(found, bool) and isfinite(found) and found >= 0
    return float(found) if fits and found is not None else None


def offer_of(table: Mapping[str, Any], provider: str) -> Offer:
    """Return what a host offers.

    Raises:
        BadReply: It says nothing of the protocol's.
    """
    host, targets = table.get("host"), table.get("targets")
    if not isinstance(host, dict) or not isinstance(targets, list) or len(targets) > MOST_TARGETS:
        raise BadReply(provider, "what the host offers is not as the protocol says")
    capabilities = table.get("capabilities")
    named = [each for each in capabilities if isinstance(each, str)] if isinstance(capabilities, list) else []
    return Offer(
        host=_name(host, "id"),
        targets=tuple(_target(each) for each in targets if isinstance(each, dict)),
        accepts=_accepts(table),
        room=_room(table.get("load")),
        capabilities=tuple(one_line(each, _NAME) for each in named[:MOST_TARGETS]),
    )


def _target(table: Mapping[str, Any]) -> OfferedTarget:
    quality = _number(table, "quality")
    states = {each.value: each for each in Health}
    return OfferedTarget(
        target=_name(table, "target"),
        local=table.get("locality") == "local",
        accepts=_accepts(table),
        input_cost=_number(table, "input_cost"),
        output_cost=_number(table, "output_cost"),
        quality=quality if quality is None or quality <= 1 else None,
        health=states.get(str(table.get("health")), Health.CLOSED),
    )


def _accepts(table: Mapping[str, Any]) -> frozenset[str] | None:
    found = table.get("accepts")
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else None


def _room(load: Any) -> Left:
    """Return how much room a host has, in the bands of what is left of a budget."""
    table = load if isinstance(load, dict) else {}
    running, most = _number(table, "running"), _number(table, "most")
    if running is None or not most:
        return Left.PLENTY
    free = 1 - running / most
    if free <= 0:
        return Left.NOTHING
    return Left.LITTLE if free <= 0.05 else Left.SOME if free <= 0.2 else Left.PLENTY


def followed_of(table: Mapping[str, Any], provider: str, run: str) -> Followed:
    """Return what a host says of a run that it keeps.

    Raises:
        BadReply: It says nothing of the protocol's, or speaks of another run.
    """
    if table.get("run") != run or not isinstance(table.get("ok"), bool):
        raise BadReply(provider, "what the host says of the run is not as the protocol says")
    return _followed(table, [MOST_FOLLOWED])


def _followed(table: Mapping[str, Any], left: list[int]) -> Followed:
    left[0] -= 1
    problems, further = table.get("problems"), table.get("followed")
    texts = [each for each in problems if isinstance(each, str)] if isinstance(problems, list) else []
    inner = [each for each in further if isinstance(each, dict)] if isinstance(further, list) else []
    return Followed(
        run=_name(table, "run"),
        head=_name(table, "head"),
        ok=table.get("ok") is True,
        problems=tuple(one_line(each) for each in texts[:100]),
        followed=tuple(_followed(each, left) for each in inner if left[0] > 0),
        asked_by=_asker(table.get("asked_by")),
        host=_name(table, "host"),
    )


def _asker(found: Any) -> AskedBy:
    table = found if isinstance(found, dict) else {}
    return AskedBy(run=_name(table, "run"), head=_name(table, "head"), call=_name(table, "call"))
