"""Compiling through the cache: a program that was compiled before is not read again.

An entry is found by the program's text and name, the compiler's options and the compiler itself (`build`). What else
the compiler asked (the texts of imported modules, which functions may be delegated) is written into the entry with the
answers, and an entry counts only while every answer is still the same. The layer (level L4) keeps bytes; they are
sealed here, so whoever wrote into its files gains nothing: what was not sealed with the user's key is compiled anew.
What this session compiled last is at hand without the layer, under the same conditions.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.cache import CacheKey, CacheStats
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.library import Delegatable, FindModule
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.remembering.artifacts.build import build
from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal, SealError, make_seal
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer

if TYPE_CHECKING:
    from rtfs_framework.kernel.meter import Watch
    from rtfs_framework.lang.codegen.artifact import Artifact

NAMESPACE = "artifact"
AT_HAND = 64
"""Programs whose artifacts a session keeps at hand, the last ones used."""
LONGEST = 64 * 1024
"""Characters of text, modules included, of a program that is kept at hand."""


_Program = tuple[str, str, str]
"""Text, name, options."""
_Answers = tuple[dict[str, bool], "dict[str, str | None]"]
"""Which functions may be delegated, and what each module's name stood for."""


@attrs.frozen(slots=True, eq=False)
class _Compiled:
    """What was compiled, on which answers."""

    artifact: Artifact
    answers: _Answers


def _places() -> Callable[[_Program], list[_Compiled]]:
    """Return a function that gives each of the last programs a list of its own, new when it is asked for first."""
    return lru_cache(AT_HAND)(lambda _program: [])


@attrs.define(slots=True, eq=False)
class ArtifactStore:
    """Compiles programs; with a layer, each only once."""

    layer: SafeLayer | None
    folder: Callable[[], str]
    """Where the user's key is."""
    events: EventBus
    _seal: Seal | None = attrs.field(default=None, init=False)
    _recent: Callable[[_Program], list[_Compiled]] = attrs.field(factory=_places, init=False)
    """Where a program's artifact is kept at hand: a list of one or none."""

    def compiled(
        self,
        source: Source,
        options: Mapping[str, Any],
        delegatable: Delegatable,
        find_module: FindModule,
        watch: Watch | None = None,
    ) -> Artifact:
        """Return the artifact of a program. `options` are the compiler's, as plain data; `watch` may end it.

        Raises:
            LanguageError: The program is refused; that is found out anew every time.
        """
        asked = _Asked(delegatable, find_module)
        program = (source.text, source.name, repr(sorted(options.items())))
        place = self._recent(program) if len(source.text) <= LONGEST else []
        for recent in place[:1]:
            if asked.still(recent.answers):
                return recent.artifact
        key = None if self.seal is None else key_of(source, options)
        made = None if key is None else self._find(key, asked)
        if made is None:
            from rtfs_framework.kernel.loader import compile_source

            made = compile_source(
                source, delegatable=asked.delegatable, find_module=asked.find_module, watch=watch, **options
            )
            if key is not None:
                self._keep(key, made, asked)
        if sum(len(each.text) for each in made.sources) <= LONGEST:
            place[:] = [_Compiled(made, asked.answers())]
        return made

    def stats(self) -> CacheStats | None:
        """Return the layer's counters, None without a layer."""
        return None if self.layer is None else self.layer.stats()

    def clear(self) -> int:
        """Forget every program; return how many there were."""
        known = self.stats()
        self._recent = _places()
        if self.layer is not None:
            self.layer.clear()
        return 0 if known is None else known.size

    @property
    def seal(self) -> Seal | None:
        """The user's seal; None when nothing is kept."""
        if self.layer is None or self._seal is not None:
            return self._seal
        try:
            self._seal = make_seal(self.folder())
        except SealError as error:
            self.layer = None
            self.events.emit("artifact.unavailable", {"error": str(error)})
        return self._seal

    def _find(self, key: CacheKey, asked: _Asked) -> Artifact | None:
        if self.layer is None or self._seal is None:
            return None
        record = self.layer.get(key)
        if record is None:
            return None
        try:
            data = self._seal.open(key.digest.encode(), record.value)
        except (SealError, TypeError) as error:
            self.events.emit("artifact.refused", {"pointer": key.digest, "error": str(error)})
            return None
        questions, packed = marshal.loads(data)  # noqa: S302 - the seal has been verified
        if not asked.still(questions):
            return None
        from rtfs_framework.lang.codegen.stored import load_artifact

        self.events.emit("artifact.hit", {"pointer": key.digest})
        return load_artifact(packed)

    def _keep(self, key: CacheKey, artifact: Artifact, asked: _Asked) -> None:
        if self.layer is None or self._seal is None:
            return
        from rtfs_framework.lang.codegen.stored import dump_artifact

        data = marshal.dumps((asked.answers(), dump_artifact(artifact)))
        self.layer.put(key, self._seal.close(key.digest.encode(), data))
        self.events.emit("artifact.stored", {"pointer": key.digest})


def key_of(source: Source, options: Mapping[str, Any]) -> CacheKey:
    """Return the key of a program and what it is compiled with."""
    text = source.text.encode("utf-8", "surrogatepass")
    parts = (("program", sha256(text).hexdigest()), ("name", source.name), ("options", repr(sorted(options.items()))))
    digest = sha256(repr((parts, build())).encode("utf-8", "surrogatepass")).hexdigest()
    return CacheKey(NAMESPACE, digest, parts)


class _Asked:
    """What the compiler asked and was told."""

    def __init__(self, delegatable: Delegatable, find_module: FindModule) -> None:
        self._delegatable = delegatable
        self._find_module = find_module
        self._claims: dict[str, bool] = {}
        self._modules: dict[str, Source | None] = {}

    def delegatable(self, name: str) -> bool:
        """Ask whether a function may be delegated."""
        if name not in self._claims:
            self._claims[name] = self._delegatable(name)
        return self._claims[name]

    def find_module(self, name: str) -> Source | None:
        """Ask for the text of a module."""
        if name not in self._modules:
            self._modules[name] = self._find_module(name)
        return self._modules[name]

    def answers(self) -> _Answers:
        """Return what was asked, with the answers."""
        return self._claims, {name: _identity(module) for name, module in self._modules.items()}

    def still(self, answers: _Answers) -> bool:
        """Tell whether everything would be answered as it was."""
        claims, modules = answers
        if not all(self.delegatable(name) is answer for name, answer in claims.items()):
            return False
        try:
            return all(_identity(self.find_module(name)) == identity for name, identity in modules.items())
        except LanguageError:  # a module that can no longer be read: the compiler says so, with its place
            return False


def _identity(module: Source | None) -> str | None:
    if module is None:
        return None
    return f"{sha256(module.text.encode('utf-8', 'surrogatepass')).hexdigest()} {module.name}"
