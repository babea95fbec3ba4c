"""Model providers: infer. They see a typed request and answer text or data; the orchestrator types the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.remote import RemoteRun, Travel
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.values import Value


class Locality(Enum):
    """Whether data stays on this device."""

    LOCAL = "local"
    REMOTE = "remote"


@attrs.frozen(slots=True)
class Message:
    """One chat message; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


MOST_TOKENS = 2**53 - 1
"""The largest count of tokens that is believed: what JSON numbers hold exactly everywhere."""


def token_count(found: Any) -> int | None:
    """Return a number of tokens as a server wrote it; None for what is no count (negative, absurd, no number)."""
    if found.__class__ is float and found.is_integer():
        found = int(found)
    return found if found.__class__ is int and 0 <= found <= MOST_TOKENS else None


@attrs.frozen(slots=True)
class Usage:
    """Tokens that a reply took; None is "not known", and makes the cost of a paid reply unknown too."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """How many of the input tokens the vendor still remembered; these have a price of their own."""
    cost: float | None = None
    """US dollars, where the server itself says what the request cost; it counts where no price is configured."""


@attrs.frozen(slots=True, kw_only=True)
class ChatRequest:
    """A whole conversation, in the form of OpenAI's chat completions: for providers whose entry says `chat`."""

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Any = None
    """"auto", "none", "required" or a tool by name; None where the client says nothing."""
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Further parameters of the client's, by their names in the API; a provider passes on those that it knows. A
    temperature stands here only if the client said one."""


@attrs.frozen(slots=True, kw_only=True)
class InferenceRequest:
    """A call of a typed function, for a model: the signature and arguments, and the same as a prompt and schema."""

    function: FunctionSignature
    args: tuple[Value, ...]
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the declared return type; None when the function declares none (plain text is expected)."""
    timeout: float = 30.0
    """Seconds for the whole request."""
    max_tokens: int | None = None
    temperature: float = 0.0
    hints: tuple[tuple[str, str], ...] = ()
    embeds: bool = False
    """Whether vectors are wanted, for providers whose entry says `embeds`: `messages` are then texts, and the reply's
    `data` a list of vectors, one for each, all of one length, of finite numbers."""
    chat: ChatRequest | None = None
    """A conversation that the call passes on as it is; `messages` says the same as plain text. The reply's `data` is
    then the assistant's message: {"content": text or null, "tool_calls": [...] where there are any, "finish_reason":
    "length" where the bound on tokens cut it off}."""
    on_text: Callable[[str], None] | None = attrs.field(default=None, eq=False, repr=False)
    """Told each piece of the answer as it arrives, by providers that can; together they are its text. None where
    nobody listens. It never waits and raises nothing."""
    key: str = ""
    """An idempotency key, of requests that cost something: the same when this one is made again because nobody knows
    what became of it, as after a crash. Servers that know such keys answer the second as the first."""
    travel: Travel | None = None
    """What goes along to another RTFS host; only for providers whose entry says `travels`."""


@attrs.frozen(slots=True, kw_only=True)
class InferenceReply:
    """An answer: exactly one of `text` (a model's words) and `data` (JSON data, already structured) is used."""

    text: str | None = None
    data: Any = None
    structured: bool = False
    """True when `data` holds the answer (None included)."""
    model: str = ""
    usage: Usage = Usage()
    confidence: float | None = None
    """How sure the model is, within 0 and 1; None where it does not say. A configuration may want a least one."""
    remote: RemoteRun | None = None
    """The run on another RTFS host that gave the answer; its record names it."""
    explanation: str = ""
    """Why this answer, when the provider can say (a rules provider names the rule); goes to the causal chain."""
    problems: tuple[str, ...] = ()
    """What was odd of what the server answered (no fault of the plugin's own), and did not keep the answer from being
    used; a host tells its user each of them once."""


@attrs.frozen(slots=True, kw_only=True)
class ModelStatus:
    """What a provider that keeps a model in memory says of it."""

    loaded: bool
    memory: int | None = None
    """Bytes, None where it is not known."""
    queued: int = 0
    """Requests that wait for their turn."""
    restarts: int = 0
    """How often what holds the model was started again after it had ended by itself."""
    detail: str = ""
    """What people want to know besides: file, size of the context, backend."""


class ModelProvider(Protocol):
    """Infers. Raises only `rtfs_framework.api.errors.ProviderError` and its subclasses.

    Optional methods, each of which a host calls in a worker thread, never two of them at once:

    - `prepare() -> None` imports and makes what the first request needs, once, before that request's time starts;
    - `load() -> None` and `unload() -> None` take a model into memory and out of it (a later request loads it again);
    - `status() -> ModelStatus` says how it is, and never waits;
    - `ping(timeout: float) -> None` finds out whether it could answer, at no cost, and raises what a request would.

    Two more of providers that ask other RTFS hosts (`travels`), asynchronous or not:

    - `offer(timeout: float) -> Offer` asks what that host can do now;
    - `follow(run: RemoteRun, hops: int, timeout: float) -> Followed` asks whether the record of a run there is intact.
    """

    def fingerprint(self) -> str:
        """Return a digest of all that the answer depends on besides the request (model, rule file, parameters)."""
        ...

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the answer to one request within `request.timeout`.

        An asynchronous method must only ever wait by `await`: nothing can interrupt one that blocks, and all other
        calls of its event loop wait with it. A plain function is called in a worker thread; it must be safe to call
        from several. Either is abandoned at the deadline if it does not end.
        """
        ...

    async def aclose(self) -> None:
        """Release connections; called once."""
        ...


class Member(Protocol):
    """Another provider of the host, as one that combines several sees it: made, asked and closed by the host."""

    def fingerprint(self) -> str:
        """Return what tells its answers from those of another, as `ModelProvider.fingerprint` does.

        Raises:
            ProviderError: The host could not make it.
        """
        ...

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return its answer to a request, within the shorter of the request's and its own time.

        Raises:
            ProviderError: It has none.
        """
        ...


VectorOf = Callable[[str], tuple[str, Sequence[float]] | None]
"""From a text to the fingerprint of an embedder and its vector; None where that cannot answer."""


@attrs.frozen(slots=True)
class ProviderSettings:
    """What every provider is made from: its instance id and its own settings object."""

    id: str
    own: Any = None
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """The environment, for keys named by `*_env` settings. Never logged."""
    directory: str | None = None
    """Where relative paths in `own` start: the folder of the configuration. None stands for the current folder."""
    members: Mapping[str, Member] = attrs.field(factory=dict, repr=False)
    """The providers that texts of the type `TargetText` in `own` name, by text. They are local models without a price;
    the host refuses other names, and providers that would ask themselves, with their place."""
    vector: VectorOf | None = attrs.field(default=None, repr=False)
    """Gives a text's vector and the fingerprint of the embedder that made it, None where that cannot answer. There only
    if the entry says `vectors` and the configuration names an embedder of this machine. It may compute: call it in a
    thread."""


@attrs.frozen(slots=True, kw_only=True)
class ProviderEntry:
    """A provider that a plugin offers under a name."""

    name: str
    summary: str
    locality: Locality
    factory: Callable[[ProviderSettings], ModelProvider]
    settings: SettingsSchema | None = None
    deterministic: bool = False
    """True when equal requests always get equal answers: only then may a reply be served from memory unasked."""
    immediate: bool = False
    """True when `infer` never waits, needs no `prepare`, and its work is bounded by its input: a host may then ask it
    where the program computes, without an event loop, a thread or a deadline (a provider that costs is asked with)."""
    order_independent: bool = True
    """Whether requests may overlap: only then does a `map` make them at once."""
    parallel: int | None = None
    """Requests that one instance can have under way at once, when the provider knows a bound (one model in memory: 1).
    The others wait; their own deadlines start when they are let in. A configuration may say another number."""
    embeds: bool = False
    """Whether it makes vectors of texts (`InferenceRequest.embeds`): then a configuration may name it as embedder."""
    vectors: bool = False
    """Whether it uses the vectors of the configured embedder (`ProviderSettings.vector`)."""
    chat: bool = False
    """Whether it takes whole conversations (`InferenceRequest.chat`)."""
    travels: bool = False
    """Whether it asks another RTFS host: its requests then have `travel`."""
    idempotent: bool = False
    """Whether asking it twice is as good as once: it may be asked again when a request may have been carried out."""
    batch: bool = False
    """Whether several calls may be put to it as one request: it follows any prompt, and answers by any schema. A
    configuration says how many (`batch = 16`); the host numbers the calls, and asks for a list of results."""
    keys: Mapping[str, str] = attrs.field(factory=dict)
    """Environment variables with the vendor's keys, each with the vendor's own address: without the user's own word the
    host gives such a key to no provider that asks another host (e.g. {"ACME_API_KEY": "https://api.acme.example"})."""
    defaults: Mapping[str, Any] = attrs.field(factory=dict)
    """Instances that exist without any configuration: instance id to settings table (e.g. {"sentiment": {...}})."""
