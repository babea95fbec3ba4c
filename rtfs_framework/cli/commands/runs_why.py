"""`rtfs runs why RUN CALL`: everything about one recorded call, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from rtfs_framework.cli.journals import home, journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import money, seconds
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say

_ID = 12
_WIDTH = 12


@click.command("why")
@click.argument("run")
@click.argument("call")
@json_option
@config_option
def why_command(run: str, call: str, *, as_json: bool, config: str | None) -> None:
    """Show everything about one recorded call: what was read, who decided, what was tried, what it took.

    CALL is an id as `rtfs runs show` prints it. Arguments and words are there only if they were kept.

    \b
    rtfs runs why last 1:0
    """  # noqa: D301 - click takes the character for "as it is"
    from rtfs_framework.orchestrator.recording.journal.fault import JournalError
    from rtfs_framework.orchestrator.recording.journal.history import history_of
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.why import why

    path = journal(config)
    named = find_run(path, run)
    with history_of(path, home()) as history:
        found = None if history is None else why(history, named, call)
    if found is None:
        raise JournalError(path, f"run {named[:_ID]} has no call {call}", "`rtfs runs show` names the calls of a run")
    if as_json:
        put_json(found)
        return
    say(bold(f"call {found['call']} of run {found['run'][:_ID]}: {found['symbol']}"))
    for name, text in _lines(found):
        say(f"  {name:<{_WIDTH}}{text}")


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if found["place"]:
        yield "at", found["place"]
    yield "policy", found["policy"][:_ID] + (f", tenant {found['tenant']}" if found["tenant"] else "")
    yield "arguments", _arguments(found)
    if found["function"]:
        yield from _weighed(found)
    for each in found["consulted"]:
        yield "consulted", f"{each['target']}: {'answered' if each['outcome'] == 'value' else 'no answer'}{_took(each)}"
    decisions = {each["number"]: each for each in found["decisions"]}
    for number, attempt in enumerate(found["attempts"]):
        yield from _decided(decisions.get(number))
        yield "tried", _attempt(attempt)
    yield from _decided(decisions.get(len(found["attempts"])))
    yield from _labels(found)
    for name, did in found["hints"]:
        yield "hint", f"{name}: {did}"
    if found["exhausted"]:
        yield "exhausted", f"nothing was left to try: {found['exhausted']}"
    if found["shadow"]:
        yield "shadow", _shadow(found["shadow"])
    yield "ended", _ended(found)
    yield "memory", "; ".join(_memory(found))


def _labels(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the marks of the call, what was freed of them and why, and those that its answer brought."""
    if found["labels"]:
        yield "labels", ", ".join(f":{mark}" for mark in found["labels"])
    if found["freed"]:
        freed = found["freed"]
        marks = ", ".join(f":{mark}" for mark in freed["marks"])
        yield "declassified", f"{marks}: {freed['reason']} ({'; '.join(freed['grants']) or 'not granted'})"
    if found["brought"]:
        yield "brought", f"{', '.join(f':{mark}' for mark in found['brought'])}, for all that the run did from then on"


def _shadow(said: Mapping[str, Any]) -> str:
    where = str(said["target"]) or "nobody can tell"
    return f"engine '{said['engine']}': {where}" + (f" ({said['why']})" if said["why"] else "")


def _arguments(found: Mapping[str, Any]) -> str:
    if found["args"] is not None:
        return str(found["args"])
    gone = "removed" if "args" in found["removed"] else "encrypted" if "args" in found["sealed"] else "not kept"
    return f"{gone} (digest {found['args_digest'][:_ID]})"


def _weighed(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in found["candidates"]:
        model = f", {each['model']}" if each.get("model") else ""
        prices = [each.get("input_cost"), each.get("output_cost")]
        shown = " in, ".join("?" if price is None else f"${price:g}" for price in prices)
        who = f" ({each['priced_by']})" if each.get("priced_by") else ""
        price = f", {shown} out per million tokens{who}" if prices != [None, None] else ""
        yield "candidate", f"{each['target']}{model}{price}"
    for target, reason in found["excluded"]:
        yield "excluded", f"{target}: {reason}"


def _decided(made: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    from rtfs_framework.orchestrator.recording.journal.why import words_of

    if made is None:
        return
    if made["path"]:
        yield "engines", " > ".join(made["path"])
    for read in made["reads"]:
        yield "read", ": ".join(words_of(read))
    for step, verdict in made["steps"]:
        yield "step", f"{step}: {verdict}"
    for each in made.get("alternatives", ()):
        yield "weighed", f"{each['target']}: {each['score']:g} {each['why']}".rstrip()
    confidence = "" if made["confidence"] in (None, 1.0) else f", confidence {made['confidence']:g}"
    share = made.get("propensity")
    drawn = "" if share in (None, 1.0) else f", drawn with {share:.3g}"
    delay = f", after {seconds(made['delay'])}" if made.get("delay") else ""
    yield "decided", f"{made['target']}: {made['reasoning']} ({made['source']}{confidence}{drawn}{delay})"
    stood = made["stands_on"]
    if stood:
        yield "stands on", f"{stood['target']}: {stood['reasoning']} ({stood['source']}, {' > '.join(stood['path'])})"


def _attempt(attempt: Mapping[str, Any]) -> str:
    guard = f" by {attempt['guard']}" if attempt.get("guard") else ""
    reason = f", {attempt['reason']}" if attempt.get("reason") else ""
    took = f", {seconds(attempt['seconds'])}" if attempt.get("seconds") else ""
    return f"{attempt['target']}: {attempt['kind']}{guard}{reason}{took}{_cost(attempt)}"


def _ended(found: Mapping[str, Any]) -> str:
    if found["state"] == "begun":
        return "it began, and no end is known"
    if found["error"]:
        error = found["error"]
        what = ": ".join(filter(None, (error["kind"], error["message"] or error["code"])))
    else:
        what = str(found["outcome"])
    said = f", {found['model']}" if found["model"] else ""
    told = f": {found['explanation']}" if found["explanation"] else ""
    return f"{what}, {found['target']}{said}{told}{_took(found)}"


def _took(each: Mapping[str, Any]) -> str:
    time = "" if each["micros"] is None else f", {seconds(each['micros'] / 1_000_000)}"
    return f"{time}{_cost(each)}"


def _cost(each: Mapping[str, Any]) -> str:
    tokens = [each["input_tokens"], each["output_tokens"]]
    used = f", {tokens[0]:,} tokens in and {tokens[1]:,} out" if any(tokens) else ""
    return used + ("" if each["cost"] == 0 else f", {money(each['cost'] or 0.0, each['cost'] is None)}")


def _memory(found: Mapping[str, Any]) -> Iterator[str]:
    plan, reply = found["memory"]["plan"], found["memory"]["reply"]
    yield {"l1 hit": "the plan came from memory (L1)", "l1 miss": "the plan was made, and may be kept (L1)"}.get(
        plan, "the plan is none that is kept"
    )
    yield {
        "l2 hit": "the reply came from memory (L2)",
        "similar hit": "the reply came from memory, and is that to a similar request",
        "l2 miss": "the reply was not in memory (L2)",
        "in flight": "the reply was shared with an equal call under way",
    }.get(reply, "no reply was looked for in memory")
