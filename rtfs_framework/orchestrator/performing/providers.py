"""The provider instances of a host: made when first asked, and whether they can be asked at all.

Whether it can be asked is read off its settings alone, for making a provider may be dear. A settings class may say so
itself: an optional method `unusable(environ) -> str | None` returns the reason and the way out. Without one, a field
`api_key_env` that names an unset variable makes it unusable, unless its `endpoint` (or `base_url`, or the variable
X_BASE_URL beside X_API_KEY) is set, for local servers ask for no key.

Whose account asks is read off them, too: an optional method `account(environ) -> Mapping[str, str]` returns the key,
organisation and whatever else chooses it, by name. Without one, the variables count that fields named `*_env` name.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import ConfigError, ProviderError, ProviderUnavailable
from rtfs_framework.api.plans import Candidate
from rtfs_framework.api.provider import (
    InferenceRequest,
    Locality,
    Member,
    ModelProvider,
    ProviderEntry,
    ProviderSettings,
)
from rtfs_framework.api.signals import Price
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.lang.signature import DelegationHint, HintKind
from rtfs_framework.orchestrator.concurrency.deadlines import OverdueError
from rtfs_framework.orchestrator.config.model import DEFAULT_PARALLEL, ProviderSpec
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
from rtfs_framework.orchestrator.performing.accounts import are_texts, endpoint, of_variables
from rtfs_framework.orchestrator.performing.at_once import at_once
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import words_of

if TYPE_CHECKING:
    import asyncio

    import anyio

    from rtfs_framework.api.provider import VectorOf
    from rtfs_framework.orchestrator.concurrency.outside import Outside, Told
    from rtfs_framework.orchestrator.performing.controls import Controls

_CLOSE_SECONDS = 5.0
_METHODS = ("fingerprint", "infer", "aclose")


def untold(_part: Part, _wrong: BaseException | str, _doing: str, _instead: str) -> None:
    """Tell nobody: where a host only looks at providers."""


@attrs.define(slots=True, eq=False)
class ProviderInstance:
    """One configured provider; `provider()` makes it."""

    spec: ProviderSpec
    entry: ProviderEntry
    environ: Mapping[str, str] = attrs.field(repr=False)
    part: Part
    told: Told = untold
    """Told of what its plugin does wrong."""
    refusal: str | None = None
    """Why it cannot be asked whatever its plugin says: a key that it names must not go to its host."""
    threads: int = DEFAULT_PARALLEL
    """Worker threads that it may have, if its plugin is not asynchronous."""
    members: Mapping[str, ProviderInstance] = attrs.field(factory=dict)
    """The instances that it asks, by the text in its settings that names each."""
    vector: VectorOf | None = None
    batches: Any = attrs.field(default=None, init=False)
    """Calls of fan-outs that travel together (`batching.Batches`), once there were any."""
    _made: ModelProvider | None = attrs.field(default=None, init=False)
    _failed: PluginFault | None = attrs.field(default=None, init=False)
    _fingerprint: str | None = attrs.field(default=None, init=False)
    _account: Mapping[str, str] | None = attrs.field(default=None, init=False, repr=False)
    _room: tuple[asyncio.AbstractEventLoop, anyio.Semaphore] | None = attrs.field(default=None, init=False)
    _outside: Outside | None = attrs.field(default=None, init=False)
    _controls: Controls | None = attrs.field(default=None, init=False)
    _making: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def target(self) -> ExecTarget:
        """Where it is asked."""
        return self.spec.target

    @property
    def distribution(self) -> str:
        """Who offers its plugin: distribution and version."""
        return str(self.part.provenance)

    @property
    def steady(self) -> bool:
        """Tell whether equal requests always get equal answers: of those that it asks, too."""
        return self.entry.deterministic and all(member.steady for member in self.members.values())

    @property
    def reusable(self) -> bool:
        """Tell whether a reply may be served from memory unasked."""
        return self.spec.reuse == "always" or (self.spec.reuse == "auto" and self.entry.deterministic)

    @property
    def costs(self) -> bool:
        """Tell whether asking may cost or change something.

        A local provider without a price that always answers the same does not.
        """
        spec, entry = self.spec, self.entry
        local = isinstance(spec.target, LocalModel) and entry.locality is Locality.LOCAL
        return not (local and entry.deterministic) or bool(spec.input_cost or spec.output_cost)

    @property
    def immediate(self) -> bool:
        """Tell whether it is asked where the program computes: its record says that it never waits, and it is free."""
        return self.entry.immediate and not self.costs and self.parallel is None

    def infer_at_once(self, request: InferenceRequest) -> Any:
        """Return what a provider that never waits returns.

        Raises:
            ProviderError: It has none.
            PluginFault: It waited all the same, or raised anything else.
        """
        found = ask(self.part, "`infer`", at_once, self.provider().infer, request)
        if isinstance(found, ProviderError):
            raise found
        return found

    def provider(self) -> ModelProvider:
        """Return the provider, made on first use.

        Raises:
            ProviderUnavailable: The plugin could not make it, now or before.
        """
        made = self._made
        if made is None:
            with self._making:
                made = self._make()
        if made is None:
            wrong = None if self._failed is None else self._failed.__cause__
            message = f"{self.distribution} could not make it: {self._failed if wrong is None else words_of(wrong)}"
            raise ProviderUnavailable(self.spec.id, message, failure=FailureKind.HERE) from self._failed
        return made

    def _make(self) -> ModelProvider | None:
        if self._made is None and self._failed is None:
            settings = ProviderSettings(
                id=self.spec.id,
                own=self.spec.own,
                environ=self.environ,
                directory=self.spec.directory,
                members=self._handed_over() if self.members else {},
                vector=self.vector,
            )
            try:
                self._made = make(self.part, self.entry.factory, settings, methods=_METHODS)
            except PluginFault as fault:
                self._failed = fault
        return self._made

    def _handed_over(self) -> dict[str, Member]:
        from rtfs_framework.orchestrator.performing.members import HostMember

        return {text: HostMember(instance) for text, instance in self.members.items()}

    @property
    def outside(self) -> Outside:
        """What its code that waits is called through."""
        if self._outside is None:
            from rtfs_framework.orchestrator.concurrency.outside import Outside

            self._outside = Outside(self.part, self.told, self.threads)
        return self._outside

    @property
    def controls(self) -> Controls:
        """What it is asked besides answers."""
        if self._controls is None:
            from rtfs_framework.orchestrator.performing.controls import Controls

            self._controls = Controls(self.spec.id, self.part, self.provider)
        return self._controls

    async def prepare(self) -> None:
        """Let the provider import and make what it needs, once, in a thread; that is no part of any request's time.

        Raises:
            ProviderError: It cannot, or not within two minutes.
        """
        await self.controls.prepare()

    @property
    def parallel(self) -> int | None:
        """How many requests may be under way at once, None when only the host's own bound counts."""
        return self.entry.parallel if self.spec.parallel is None else self.spec.parallel

    def room(self) -> AbstractAsyncContextManager[Any]:
        """Return what a request holds while it is under way; entering waits until there is room. Always in one loop."""
        if self.parallel is None:
            return nullcontext()
        import asyncio

        loop = asyncio.get_running_loop()
        if self._room is None or self._room[0] is not loop:  # a loop that was given up keeps its room
            import anyio

            self._room = loop, anyio.Semaphore(self.parallel)
        return self._room[1]

    def mistakes(self) -> ConfigError | None:
        """Make the provider and return what the files that it reads have wrong; None when nothing is."""
        try:
            self.provider()
        except ProviderUnavailable as error:
            found = None if error.__cause__ is None else error.__cause__.__cause__
            return found if isinstance(found, ConfigError) else None
        return None

    def fingerprint(self) -> str:
        """Return the provider's fingerprint, computed once.

        Raises:
            ProviderUnavailable: The plugin could not make the provider.
            PluginFault: It raised, or gave no text.
        """
        if self._fingerprint is None:
            found: object = ask(self.part, "`fingerprint`", self.provider().fingerprint)
            if not isinstance(found, str):
                raise self._no_text("`fingerprint`", found)
            self._fingerprint = key_of(self.entry.name, found)
        return self._fingerprint

    def _no_text(self, doing: str, found: object) -> PluginFault:
        return PluginFault(self.part, doing, f"returned a {type(found).__name__}, which is no text")

    def _said(self, why: object) -> str | None:
        if why is None or isinstance(why, str):
            return why
        raise self._no_text("`unusable`", why)

    def account(self) -> Mapping[str, str]:
        """Return all that chooses whose account asks, credentials included, computed once; nothing for local models.

        Raises:
            PluginFault: The settings' own `account` raised, or gave no names and texts.
        """
        if self._account is None:
            own = self.spec.own
            says = getattr(own, "account", None)
            if callable(says):
                found: object = ask(self.part, "`account`", says, self.environ)
                if not are_texts(found):
                    raise PluginFault(self.part, "`account`", "returned no mapping from names to texts")
                self._account = {name: text for name, text in found.items() if text}
            else:
                self._account = of_variables(own, self.environ)
        return self._account

    def unusable(self) -> str | None:
        """Return why the provider cannot be asked and what to do, None when it can."""
        if self.refusal is not None:
            return self.refusal
        for text, why in ((text, member.unusable()) for text, member in self.members.items()):
            if why is not None:
                return f"its member '{text}' cannot be used: {why}"
        own = self.spec.own
        says = getattr(own, "unusable", None)
        if callable(says):
            try:
                return self._said(ask(self.part, "`unusable`", says, self.environ))
            except PluginFault as fault:
                self.told(self.part, fault, "", "it counts as unusable")
                return fault.problem
        variable = getattr(own, "api_key_env", None)
        if not isinstance(variable, str) or not variable or endpoint(own):
            return None
        if any(self.environ.get(v, "").strip() for v in (variable, f"{variable.removesuffix('_API_KEY')}_BASE_URL")):
            return None
        return f"the environment variable {variable} is not set; set it, or an endpoint that needs no key"

    async def aclose(self) -> None:
        """Release what the provider holds, if it was ever made."""
        made, self._made = self._made, None
        if made is not None:
            await self.outside.call("`aclose`", _CLOSE_SECONDS, made.aclose, bounded=False)


@attrs.define(slots=True, eq=False)
class ProviderPool:
    """All provider instances of a host, by target."""

    instances: Mapping[ExecTarget, ProviderInstance]
    _unusable: dict[ExecTarget, str | None] = attrs.field(factory=dict, init=False)
    _candidates: tuple[Candidate, ...] | None = attrs.field(default=None, init=False)
    _embeds: ExecTarget | None = attrs.field(default=None, init=False)

    def get(self, target: ExecTarget) -> ProviderInstance | None:
        """Return the instance behind a target, None when there is none."""
        return self.instances.get(target)

    def ids(self, kind: type[LocalModel | RemoteModel]) -> list[str]:
        """Return the ids of the local models or the remote providers."""
        return [target.id for target in self.instances if isinstance(target, kind)]

    @property
    def all(self) -> tuple[ExecTarget, ...]:
        """The targets that are configured, usable or not."""
        return tuple(self.instances)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The targets that can be used."""
        if self._candidates is None:
            self._candidates = tuple(
                Candidate(
                    target=target,
                    provider=instance.entry.name,
                    model=instance.spec.model,
                    input_cost=instance.spec.input_cost,
                    output_cost=instance.spec.output_cost,
                    context_window=instance.spec.context_window,
                    priced_by=instance.spec.priced_by,
                    quality=instance.spec.quality,
                    description=instance.spec.description,
                    idempotent=instance.spec.idempotent or instance.entry.idempotent or instance.entry.deterministic,
                    deterministic=instance.entry.deterministic,
                )
                for target, instance in self.instances.items()
                if target != self._embeds and self.unusable(target) is None
            )
        return self._candidates

    def embedder(self, target: LocalModel | RemoteModel) -> AskedEmbedder:
        """Return a target as what makes vectors. It is none that calls may go to from now on."""
        self._embeds, self._candidates = target, None
        return AskedEmbedder(target, self.instances[target].fingerprint)

    def candidate(self, target: ExecTarget) -> Candidate | None:
        """Return what is known of a target that can be used, None for any other."""
        return next((each for each in self.candidates if each.target == target), None)

    def price(self, target: ExecTarget) -> Price:
        """Return what a target costs."""
        instance = self.instances.get(target)
        return Price() if instance is None else Price(instance.spec.input_cost, instance.spec.output_cost)

    def configured(self, target: ExecTarget) -> bool:
        """Tell whether a target exists here, usable or not. (What is no model is looked for when it is called.)"""
        return target in self.instances or not isinstance(target, LocalModel | RemoteModel)

    def unusable(self, target: ExecTarget) -> str | None:
        """Return why a target cannot be used, None when it can."""
        if not isinstance(target, LocalModel | RemoteModel):
            return None
        try:
            return self._unusable[target]
        except KeyError:
            found = self.instances.get(target)
            why = self._unusable[target] = "no such provider is configured" if found is None else found.unusable()
            return why

    def of_hint(self, hint: DelegationHint) -> ExecTarget | None:
        """Return the target that a hint names, None when there is none."""
        local, remote = self.ids(LocalModel), self.ids(RemoteModel)
        match hint.kind:
            case HintKind.LOCAL:
                return _known("local-pure", local, remote)
            case HintKind.LOCAL_MODEL:
                return LocalModel(hint.id) if hint.id in local else None
            case HintKind.REMOTE:
                return RemoteModel(hint.id) if hint.id in remote else None
            case HintKind.TARGET:
                if hint.id in local and hint.id not in remote:
                    return LocalModel(hint.id)
                if hint.id in remote and hint.id not in local:
                    return RemoteModel(hint.id)
                return _known(hint.id, local, remote)

    async def aclose(self) -> None:
        """Close every provider; one that fails or hangs does not keep the others open, and is told."""
        for instance in self.instances.values():
            try:
                await instance.aclose()
            except OverdueError:  # noqa: PERF203
                instance.told(instance.part, f"took longer than {_CLOSE_SECONDS:g} s", "`aclose`", "it was left so")
            except Exception as error:  # noqa: BLE001 - closing is best effort
                instance.told(instance.part, error, "`aclose`", "it was left so")


def _known(text: str, local: list[str], remote: list[str]) -> ExecTarget | None:
    found = parse_target(text, local, remote)
    return None if isinstance(found, Unknown) else found
