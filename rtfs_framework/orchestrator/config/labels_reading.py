"""Reads `[labels]`, and what tables of models say of marks. Every name that leads nowhere is told with its place.

Codes: E0705 a value that cannot be meant; E0706 a mark or model that nobody knows; E0708 what fits nothing there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.patterns import compile_patterns, is_pattern
from rtfs_framework.api.targets import ExecTarget, LocalPure
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.orchestrator.config.grants import Grantable, known_capabilities, may_offer
from rtfs_framework.orchestrator.config.labels import Grant, LabelsSpec
from rtfs_framework.orchestrator.config.routes import Unknown, target_text
from rtfs_framework.orchestrator.config.tables.labels import WELL_KNOWN, GrantTable, LabelsTable

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.orchestrator.config.security import RuntimeContext
    from rtfs_framework.orchestrator.config.tables.file import ConfigFile
    from rtfs_framework.registry.catalog import Catalog

Named = Callable[[str], "ExecTarget | Unknown"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.?!*+<>=/-]*")
_DIGEST = re.compile(r"[0-9a-f]{12,64}")
_ALONE = ("journal", "log")
"""What accepts or does not, and has no name of its own."""
_KINDS = ("cache", "capability", "mcp", "observer", "queue")


def read_labels(
    reading: Reading,
    catalog: Catalog,
    target: Named,
    file: ConfigFile,
    data: Mapping[str, Any],
    providers: Iterable[ProviderSpec],
    security: RuntimeContext,
) -> LabelsSpec | None:
    """Return the labels of a configuration, None where it has no table `[labels]`; mistakes are noted."""
    tables = LabelTables.of(reading, catalog, target, file.labels)
    for section in ("remote_providers", "local_models"):
        for name, table in getattr(file.delegation, section).items():
            for key in ("accepts", "marks"):
                texts, path = table.get(key), ("delegation", section, name, key)
                if isinstance(texts, list) and all(isinstance(each, str) for each in texts):
                    tables.marks(texts, path)
                    if "labels" not in data:
                        tables.doubt(f"'{key}' says nothing: no data carries marks", path, "add a table [labels]")
    if "labels" not in data:
        return None
    for name, table in file.redaction.items():
        texts = table.get("marks")
        if isinstance(texts, list) and all(isinstance(each, str) for each in texts):
            tables.marks(texts, ("redaction", name, "marks"))
    return tables.read(file.labels, providers, security.values)


@attrs.frozen(slots=True)
class LabelTables:
    """Reads `[labels]`, and what tables of models say of marks; mistakes are noted in `reading`."""

    reading: Reading
    catalog: Catalog
    target: Named
    known: Label

    @classmethod
    def of(cls, reading: Reading, catalog: Catalog, target: Named, table: LabelsTable) -> LabelTables:
        """Return a reader that knows the marks of a table."""
        made = cls(reading, catalog, target, frozenset((*WELL_KNOWN, *table.marks)))
        for place, name in enumerate(table.marks):
            if _NAME.fullmatch(name) is None:
                way_out = "write it without its colon" if name.startswith(":") else 'such as "pii"'
                reading.mistake("E0705", f"'{name}' is no name of a mark", ("labels", "marks", place), way_out)
        return made

    def read(self, table: LabelsTable, providers: Iterable[ProviderSpec], context: Iterable[str]) -> LabelsSpec:
        """Return the labels; `context` are the names of configured context values."""
        accepts = {target_text(each.target): each.accepts for each in providers if each.accepts is not None}
        marks: dict[ExecTarget, Label] = {each.target: each.marks for each in providers if each.marks}
        for text, texts in table.providers.items():
            path: KeyPath = ("labels", "providers", text)
            found = self._model(text, path, key=True)
            if found is not None:
                said = self.marks(texts, path)  # another way to write a target takes nothing from it
                marks[found] = said if text == target_text(found) else said | marks.get(found, PUBLIC)
        self._check_names(table, tuple(context))
        return LabelsSpec(
            marks=self.known,
            forbidden=table.forbidden,
            trust_redaction=table.trust_redaction,
            inputs={tuple(path.split(".")): self.marks(texts, ("labels", "inputs", path))
                    for path, texts in table.inputs.items()},
            capabilities=self._sources("capabilities", table.capabilities),
            providers=marks,
            context=self._sources("context", table.context),
            accepts={**accepts, **self._accepts(table.accepts)},
            grants=tuple(self._grant(each, ("labels", "declassify", n)) for n, each in enumerate(table.declassify)),
            offered=Grantable.of(self.catalog),
        )  # fmt: skip

    def marks(self, texts: Sequence[str], path: KeyPath) -> Label:
        """Return the marks of a list; those that nobody knows are mistakes."""
        for place, name in enumerate(texts):
            if name in self.known:
                continue
            bare = name.removeprefix(":")
            known = sorted(self.known)
            way_out = f'write it without its colon: "{bare}"' if bare in self.known else did_you_mean(name, known)
            way_out = way_out or f"known: {', '.join(known)}; or add it to marks under [labels]"
            self.reading.mistake("E0706", f"no mark is called '{name}'", (*path, place), way_out)
        return frozenset(texts) & self.known

    def _sources(self, key: str, table: Mapping[str, list[str]]) -> dict[str, Label]:
        return {name: self.marks(texts, ("labels", key, name)) for name, texts in table.items()}

    def _accepts(self, table: Mapping[str, list[str]]) -> dict[str, Label]:
        found = {}
        for text, texts in table.items():
            path: KeyPath = ("labels", "accepts", text)
            found[self._accepting(text, path)] = self.marks(texts, path)
        return found

    def _accepting(self, text: str, path: KeyPath) -> str:
        """Return the text of what accepts, as it is looked up."""
        kind, _, name = text.partition(" ")
        if text in _ALONE or (kind in _KINDS and name):
            return text
        found = self._model(text, path, key=True, also=[*_ALONE, *(f"{each} NAME" for each in _KINDS)])
        return text if found is None else target_text(found)

    def _model(self, text: str, path: KeyPath, *, key: bool = False, also: Sequence[str] = ()) -> ExecTarget | None:
        """Return the model that a text names, None after noting that it names none."""
        found = self.target(text)
        if isinstance(found, Unknown):
            near = did_you_mean(text, also)
            more = f"; or {', '.join(also)}" if also else ""
            self.reading.mistake("E0706", found.message, path, near or f"{found.help}{more}", key=key)
            return None
        if isinstance(found, LocalPure):
            wrong = "the function's own body accepts every mark, and what it answers has those of the call"
            self.reading.mistake("E0705", wrong, path, "take it out", key=key)
        return found

    def _grant(self, table: GrantTable, path: KeyPath) -> Grant:
        if _DIGEST.fullmatch(table.program) is None:
            way_out = "`rtfs check --labels FILE` shows it; at least its first 12 digits"
            self.reading.mistake("E0705", f"'{table.program}' is no digest of a program", (*path, "program"), way_out)
        if not table.marks:
            self.reading.mistake("E0705", "it frees nothing", (*path, "marks"), 'name the marks, such as ["pii"]')
        text = table.target
        if not text.startswith("capability "):
            found = self._model(text, (*path, "target"), also=("capability NAME",))
            text = text if found is None else target_text(found)
        marks = self.marks(table.marks, (*path, "marks"))
        return Grant(program=table.program, function=table.function, target=text, marks=marks)

    def _check_names(self, table: LabelsTable, context: Sequence[str]) -> None:
        """Warn of names that fit nothing there is: they mark nothing, or nobody."""
        for name in table.context:
            near = None if name in context else did_you_mean(name, context)
            if near is not None:
                self.doubt(f"no context value is called '{name}'", ("labels", "context", name), near)
        if self.catalog.restricted or self.catalog.problems:
            return  # there may be plug-ins that are not seen now
        capabilities = known_capabilities(self.catalog)
        for name in table.capabilities:
            self._seen("capability", name, capabilities, ("labels", "capabilities", name))
        offered = {"capability": capabilities, "observer": self.catalog.observers,
                   "cache": self.catalog.caches, "queue": self.catalog.queues}  # fmt: skip
        for text in table.accepts:
            kind, _, name = text.partition(" ")
            if name and kind in offered:
                self._seen(kind, name, offered[kind], ("labels", "accepts", text))

    def _seen(self, kind: str, name: str, known: Iterable[str], path: KeyPath) -> None:
        known = tuple(known)
        if name in known or (kind == "capability" and may_offer(self.catalog, name)):
            return
        if is_pattern(name):
            fits = compile_patterns((name,))
            if any(fits(each) is not None for each in known):
                return
        way_out = did_you_mean(name, known) or f"installed: {', '.join(sorted(known)[:12]) or 'none'}"
        self.doubt(f"'{name}' fits no {kind} of an installed plug-in", path, way_out)

    def doubt(self, message: str, path: KeyPath, way_out: str) -> None:
        """Warn of what does nothing."""
        source, span = self.reading.places.at(path, key=True)
        self.reading.doubts.append(
            Diagnostic(code="E0708", message=message, source=source, span=span, help=way_out, kind="ConfigError",
                       severity="warning")
        )  # fmt: skip
