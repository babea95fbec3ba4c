"""Capabilities: effects that a host grants by name and by argument. Denied unless the configuration grants them.

`grant = ["ccos.echo", { id = "fs.read", roots = ["./data"] }]`: what a table says besides `id` is read as the class
that the capability's entry declares (`CapabilityEntry.grant`), and handed to its handler with each call. The host looks
at names; what a grant's arguments allow, the handler judges, and refuses everything else with `not_granted`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import CapabilityError, PluginError, RtfsError
from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.lang.source import Place
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.lang.values import Value


_MOST_JOB = 256


@attrs.frozen(slots=True)
class CapabilityGrant:
    """What one table of `grant` allows."""

    own: Any
    """An instance of the class that the capability's entry declares."""
    base: str = "."
    """The folder where relative paths in it start: that of the configuration."""


class Speech(Protocol):
    """What a model says to a capability, as it comes; used from any thread.

    It is a request of the run like any other: within its budgets, in its records, under its labels, and given up with
    it. It may outlive the call that began it.
    """

    @property
    def marks(self) -> frozenset[str]:
        """The marks of what was said so far."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing more comes: the reply is whole, billed and written down, or the request has failed."""
        ...

    def pieces(self) -> tuple[str, ...]:
        """Return the pieces that have come since, each once; all together they are the reply. Never waits.

        Raises:
            ProgramError: All that came was returned before, and the request has failed.
        """
        ...

    def stop(self) -> None:
        """Give the request up: the model is told to stop, as far as it can be."""
        ...


def _job(_: object, field: attrs.Attribute[str], value: str) -> None:
    if not value or len(value) > _MOST_JOB or not value.isprintable():
        raise ValueError(f"the {field.name} of a job is at most {_MOST_JOB} printable characters: {value!r:.80}")


@attrs.frozen(slots=True, kw_only=True)
class Later:
    """What a handler returns whose answer comes later: its run waits, and may outlive its process meanwhile.

    The answer is sent by a word from outside (`rtfs tickets answer`), or comes from the entry's `collect`.
    """

    id: str = attrs.field(validator=_job)
    """Of the job, where it is done: handed to `collect`, written down, and shown. It tells nothing that is marked."""
    look: float = attrs.field(default=5.0, validator=attrs.validators.ge(0.01))
    """Seconds until `collect` looks for the answer, each time."""
    within: float = attrs.field(default=7 * 86_400.0, validator=[attrs.validators.ge(0.0), attrs.validators.lt(1e10)])
    """Seconds after which the call fails without an answer."""


@attrs.frozen(slots=True, weakref_slot=False)  # one is made per call: see `lang.frozen`
class CapabilityRequest:
    """One call of a capability."""

    id: str
    args: tuple[Value, ...]
    place: Place | None = None
    deadline: float | None = None
    """Seconds left."""
    key: str = ""
    """Of the call: the same when it is made again because nobody knows how it ended, as after a crash. A handler that
    passes it on to whoever acts (an idempotency key) may declare its capability `idempotent`."""
    grants: tuple[CapabilityGrant, ...] = ()
    """What the configuration allows, where the entry has a class for it: at least one; any of them may allow a call."""
    tenant: str = ""
    """For whom the run is: state that a capability keeps is kept apart by it."""
    marks: frozenset[str] = frozenset()
    """The marks that the call carries. State that is kept is kept with them, or refuses what is marked."""
    carries_marks: bool = True
    """Whether an answer or an error may bring marks along. Where not, the host hands over neither, so a handler that
    would answer with marks does nothing, and refuses."""
    speak: Callable[[str, str, frozenset[str]], Speech] | None = None
    """Begins to ask a configured model, where the entry says `speaks`: its name, the words, and the marks that these
    have beyond the call's own. Never waits; raises `ProgramError` for a model that is not configured."""
    job: str = ""
    """For `collect`: the id that the handler gave."""


class CapabilityHandler(Protocol):
    """Performs the effect; raises `CapabilityError` when it cannot."""

    def __call__(self, request: CapabilityRequest) -> Value | Later | Awaitable[Value | Later]:
        """Return the reply, or an awaitable of it; `Later` if it comes later."""
        ...


class FetchedAhead(Protocol):
    """What a set of streams is told and asked of batches that a host fetched ahead for a run; used from any thread."""

    def settle(self, tenant: str, stream: str, seq: int, used: int) -> str:
        """Take note of how many items of the batch that began at `seq` a program was given; others are given again.

        Returns "", or why the run may not go on: somebody else has read on meanwhile.
        """
        ...

    def take(self, batch: str, count: int) -> bool | None:
        """Give so many items of a batch in all, where its reply named it (`:batch`): of a stream that others may read.

        The name ends with the first 32 digits of the SHA-256 (in hex) of the `key` of the request that fetched it: a
        fork of the run, which is told the same reply, knows by it that the batch is not its own.

        Never waits. False where others have read on; None where only `may_have` can tell.
        """
        ...

    def may_have(self, tenant: str, stream: str, batch: str, count: int) -> tuple[int, bool]:
        """Do the same; return how many of its items are the run's, and whether this is so for good."""
        ...


def not_granted(what: str, way_out: str) -> CapabilityError:
    """Return the error of a call that its grants do not allow: nothing was done, and asking again changes nothing."""
    return CapabilityError(f"not granted: {what}; {way_out}", "SecurityViolation", failure=FailureKind.FINAL)


@attrs.frozen(slots=True, kw_only=True)
class CapabilityEntry:
    """A capability that a plugin offers."""

    id: str
    summary: str
    handler: Callable[[CapabilityRequest], Value | Later | Awaitable[Value | Later]]
    _parameters: tuple[Type | str, ...] | None = None
    """Types of its arguments, checked before each call; None where they are not known. A name that the language does
    not know (`:url`, `Document`) says what a value means: capabilities are found by it, and any value fits it. Texts of
    types are read when somebody wants to know, so that no start pays for it."""
    _returns: Type | str | None = None
    """Of its answers, each of which is checked."""
    effects: tuple[str, ...] = ()
    order_independent: bool = False
    """Whether calls may overlap with each other and with anything else: only then does a `map` make them at once.
    (`pmap` and `step-parallel` overlap whatever they call: there the program says that order does not matter.)"""
    idempotent: bool = False
    """Whether a call may be made again when nobody knows whether it was carried out: two calls with one key do what one
    does. One that only reads is idempotent, too."""
    deterministic: bool = False
    """Whether equal calls are answered alike and change nothing: only then does the hint `cache` keep an answer."""
    blocking: bool = False
    """Whether the handler waits without being asynchronous (files, a vendor's blocking client): the host then runs it
    in a worker thread, under the deadline, beside other calls. It must be safe to call from several threads."""
    isolable: bool = False
    """Whether a call may run in a process of its own, as `[security] isolation` asks: it keeps nothing in memory
    between calls, starts no process, and writes only where the configuration says, or in its set's folder. That process
    imports the handler where it is a function of a module; else it loads the plug-in, makes its set and asks for it.
    Not with `speaks` or `ahead`, which are of the host's own process."""
    names: tuple[str, ...] = ()
    """Function names under which programs may call it directly, such as `log`."""
    aliases: tuple[str, ...] = ()
    """Other ids of the same capability: a grant of one grants all, and so does a denial. One that several want calls
    nobody, and grants nothing; denials of it still count for each of them (E0806)."""
    served: Literal["", "person", "model", "catalog"] = attrs.field(
        default="", validator=attrs.validators.in_(("", "person", "model", "catalog"))
    )
    """What of the host answers it in place of `handler`: whoever is there is asked, or a configured model, or what
    programs may call here is searched."""
    speaks: bool = False
    """Whether its handler, which is `blocking` or asynchronous, may ask models (`CapabilityRequest.speak`)."""
    collect: Callable[[CapabilityRequest], Value | Later | Awaitable[Value | Later]] | None = None
    """Looks for the answer of a job that `handler` promised (`Later`): the answer, or `Later` again while there is
    none. It is called like `handler`, with the same request and `job`, as often as it says and by whoever goes on with
    the run, so it changes nothing. `CapabilityError` of failure `SAFE`: it could not look, and does so again; any other
    ends the call. Such capabilities are not isolable."""
    ahead: FetchedAhead | None = None
    """Of `marketplace.stream.next`, whose items a host may fetch ahead for a run (`{:max n :ahead true}`, and `:after`
    where it ends what it has of them, unless the stream has a name)."""
    grant: SettingsSchema | None = None
    """An attrs class of what a table of `grant` says of it besides `id`. One that cannot be made without arguments must
    be granted by them: its bare name grants nothing."""
    version: str = ""
    """Of what is behind it, where that is not the plug-in's distribution (an MCP server)."""

    @property
    def parameters(self) -> tuple[Type, ...] | None:
        """The types of its arguments, None where it does not say.

        Raises:
            PluginError: A text spells no type.
        """
        return None if self._parameters is None else tuple(_read(self.id, each) for each in self._parameters)

    @property
    def returns(self) -> Type | None:
        """The type of its answers, None where it does not say.

        Raises:
            PluginError: The text spells none.
        """
        return None if self._returns is None else _read(self.id, self._returns)


def _read(id_: str, said: Type | str) -> Type:
    return _read_text(id_, said) if isinstance(said, str) else said


@lru_cache(maxsize=1024)
def _read_text(id_: str, text: str) -> Type:
    from rtfs_framework.api.typed import parse_type

    try:
        return parse_type(text)
    except RtfsError as error:
        way_out = "tell the authors of its plug-in"
        raise PluginError(f"capability '{id_}'", f"the type {text!r} is none: {error}", way_out=way_out) from error


@attrs.frozen(slots=True, kw_only=True)
class CapabilitySetSettings:
    """What a set of capabilities is made from."""

    own: Any = None
    """Its table `[capabilities.<name>]`, as its `settings` say."""
    base: str = "."
    """Where relative paths in `own` start: the folder of the configuration."""
    directory: str = ""
    """A folder of this user and this set, where it may keep files; it need not exist yet."""
    environ: Callable[[str], str | None] = lambda _: None
    """Reads one variable of the host's environment: where credentials come from."""


class CapabilitySet(Protocol):
    """Capabilities that share something: a file, a connection, servers. One is made for a host."""

    def entries(self) -> Iterable[CapabilityEntry]:
        """Return its capabilities; asked once. Nothing is started, opened or reached before one is called."""
        ...

    def close(self) -> None:
        """Let go of everything. Called once, from any thread, when nothing is under way."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class CapabilitySetEntry:
    """A set of capabilities that a plugin offers under a name; `[capabilities.<name>]` configures it."""

    name: str
    """Of its folder, too: it matches `[a-z0-9][a-z0-9_-]{0,63}`."""
    summary: str
    factory: Callable[[CapabilitySetSettings], CapabilitySet]
    settings: SettingsSchema | None = None
    ids: tuple[str, ...] = ()
    """Ids of what it may offer, or patterns with `*`: so that a grant can be read before it is made."""
    grant: SettingsSchema | None = None
    """The class of grants of its capabilities, where it has one: all its entries have this one."""
    aliases: Mapping[str, str] = attrs.field(factory=dict)
    """Other ids of what it may offer, each with its own: a grant of one is one of the other before the set is made."""
    keeps_files: bool = False
    """Whether it keeps files in `CapabilitySetSettings.directory`: those of its capabilities that run in processes of
    their own may write there."""
