"""The kinds of plug-ins that can be made, and what each example does."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Made:
    """A kind: the field of its `EntryTable`, what its example does, and how that is used."""

    table: str
    """The table of the catalog in which its names are."""
    summary: str
    usage: str
    """Lines of a configuration, or of a command, that use it; `$name` stands for its name."""
    language: str = "toml"
    module: str = ""
    """The module with the example's code, where that is not called as the kind is."""
    permission: str = "none"
    dependencies: tuple[str, ...] = ()
    copied: str = ""
    """A module of `rtfs_framework.testing` that is the example's code, in place of a template."""
    heading: str = ""
    """What the copy says of itself."""


KINDS: Mapping[str, Made] = {
    "engine": Made(
        table="engines",
        summary="Sends short requests of chosen functions to the first model that can be used.",
        usage='[delegation]\nengine = "$name"\n\n[engines.$name]\nsymbols = ["ask-*"]\nmost_tokens = 256',
    ),
    "provider": Made(
        table="providers",
        summary="Answers from a phrase book, by the name of the function.",
        usage=(
            '[delegation.static_routes]\ngreet = "local-book"\n\n[delegation.local_models.book]\nprovider = "$name"\n'
            'answers = { greet = "Hello!" }'
        ),
    ),
    "cache": Made(
        table="caches",
        summary="Remembers replies in memory, the least recently used first out.",
        usage="[caches.$name]\ncapacity = 1000\nttl = 3600",
        module="layer",
    ),
    "capability": Made(
        table="capabilities",
        summary="Turns a title into a slug, which may stand in an address.",
        usage='[security]\ngrant = [{ id = "$name.slug", most = 40 }]',
    ),
    "embedder": Made(
        table="embedders",
        summary="Makes vectors of texts by hashing their words.",
        usage='[delegation]\nembedder = "$name"\n\n[embedders.$name]\nlength = 256',
    ),
    "store": Made(
        table="stores",
        summary="Keeps published programs in a folder.",
        usage='[stores.mine]\nplugin = "$name"\npath = "programs"',
        permission="files",
    ),
    "queue": Made(
        table="queues",
        summary="A queue of work in the memory of one process.",
        usage='[queue]\nstore = "$name"',
        copied="memory_queue",
        heading="The queue: items in memory. They last as long as the process: put what keeps yours in their place.",
    ),
    "ledger": Made(
        table="ledgers",
        summary="Counts budgets in the memory of one process.",
        usage='[ledger]\nstore = "$name"\n\n[budgets.team]\nusd = 5.0',
        copied="memory_ledger",
        heading="The ledger: counts in memory. They last as long as the process: put what keeps yours in their place.",
    ),
    "guard": Made(
        table="guards",
        summary="Refuses requests and replies that hold chosen words.",
        usage='[guards.$name]\nwords = ["project x"]',
    ),
    "executor": Made(
        table="executors",
        summary="Does pieces of work in threads of this process.",
        usage="rtfs run triage.rtfs --input messages.csv --on $name:4",
        language="console",
    ),
    "command": Made(
        table="commands",
        summary="Say which names the library of the language has already.",
        usage="rtfs $name map filter",
        language="console",
        dependencies=("click>=8.1.7",),
    ),
    "observer": Made(
        table="observers",
        summary="Writes a line of JSON for each call, without a word of what was said.",
        usage='[observers.$name]\nfields = ["symbol", "target", "seconds", "cost"]',
        permission="files",
    ),
}

LICENSES = ("Apache-2.0", "MIT", "BSD-3-Clause")
