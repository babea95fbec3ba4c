"""What editors ask: hover, definition, completion, symbols. In: a reading, the text as it is now, an offset in it.

The reading may be of an older text (the new one cannot be read while a bracket is open): then names are looked up by
what they are called, not by where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from rtfs_framework.cli.lsp.reading import Definition, Reading, word_at
from rtfs_framework.cli.repl.words import Word, code_word, language_names, language_word, signature_word
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source, Span

LOCAL = "local"
_TOP_LEVEL = re.compile(r"^\(", re.MULTILINE)
_INSIDE = re.compile(r'"(?:[^"\\]|\\.)*\Z|;[^\n]*\Z', re.DOTALL)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@attrs.frozen(slots=True, eq=False)
class Asked:
    """A question about a place in a text."""

    reading: Reading
    text: str
    offset: int
    found: tuple[Diagnostic, ...] = ()
    """What is wrong with the text."""

    @property
    def fresh(self) -> bool:
        """Whether the reading is of this very text."""
        return self.reading.source.text == self.text

    def local(self) -> Span | None:
        """Return where the variable at this place is bound."""
        _, span = word_at(self.text, self.offset)
        if not self.fresh:
            return None
        tracer = self.reading.tracer
        var = tracer.reads.get(span)
        bound = tracer.bound.get(var) if var is not None else None
        if bound is not None and tracer.sources[bound.source].text[bound.start : bound.end] == _word(self.text, span):
            return bound
        if span in set(tracer.bound.values()):
            return span
        return None if span in tracer.globals else self._nearest(span)

    def _nearest(self, span: Span) -> Span | None:
        """Return the nearest binding before a name that nobody read: what a macro was given stands nowhere else."""
        start = max((match.start() for match in _TOP_LEVEL.finditer(self.text, 0, span.start)), default=0)
        word, bound = _word(self.text, span), self.reading.tracer.bound
        near = [at for var, at in bound.items() if var.name == word and at.source == 0 and start < at.end <= span.start]
        return max(near, key=lambda at: at.start, default=None)

    def definition(self) -> Definition | None:
        """Return the top-level definition that the name at this place means."""
        word, span = word_at(self.text, self.offset)
        reading = self.reading
        full = reading.tracer.globals.get(span) if self.fresh else None
        return reading.definitions.get(full or reading.tracer.namespace.full(word) or word)

    def place(self) -> tuple[Source, Span] | None:
        """Return where the name at this place is defined."""
        bound = self.local()
        if bound is not None:
            return self.reading.source, bound
        found = self.definition()
        return None if found is None else (found.source, found.span)

    def hover(self) -> tuple[str, Span] | None:
        """Return what is known of the name at this place, and of what is wrong here, as Markdown, and the span."""
        word, span = word_at(self.text, self.offset)
        known = self._known()
        wrong = [code_word(each.code) for each in self.found if self.fresh and _holds(each.span, self.offset)]
        parts = [*([] if known is None else [known]), *(f"**{each.usage}**\n\n{each.doc}" for each in wrong if each)]
        return ("\n\n---\n\n".join(parts), span if word else Span(self.offset, self.offset)) if parts else None

    def _known(self) -> str | None:
        word, _ = word_at(self.text, self.offset)
        if not word or inside_text(self.text, self.offset):
            return None
        bound = self.local()
        if bound is not None:
            line, _ = self.reading.source.place(bound.start)
            return f"```rtfs\n{word}\n```\n\n*local*, bound in line {line}"
        found = self.word(word)
        return None if found is None else found.markdown()

    def word(self, name: str) -> Word | None:
        """Return what is known of a name."""
        found = self.definition() if _is_at(self, name) else self.reading.definitions.get(name)
        return language_word(name) if found is None else described(self.reading, found)


def described(reading: Reading, found: Definition) -> Word:
    """Return what is known of a definition."""
    signature = reading.signature(found.full)
    if signature is not None:
        return signature_word(signature)
    head = found.source.text[found.whole.start : found.whole.end].strip()
    usage = head if len(head) <= 200 else f"{head[:200]} ..."
    return Word(name=found.name, kind=found.kind, usage=usage)


def offered(asked: Asked, host_names: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield the names that may stand at a place, each once, with its kind; the nearest come first."""
    if inside_text(asked.text, asked.offset) or asked.text[: asked.offset].endswith(":"):
        return
    tracer, typed = asked.reading.tracer, word_at(asked.text, asked.offset)[0]
    seen: set[str] = {typed} if typed not in asked.reading.definitions else set()
    near = set(re.findall(r"[^\s,()\[\]{}\";:`~^'@#]+", _form_before(asked)))
    groups = (
        ((var.name, LOCAL) for var in tracer.bound if var.name in near),
        ((each.name, each.kind) for each in asked.reading.own),
        ((name, "imported") for name in tracer.namespace.visible),
        ((name, "host") for name in host_names),
        language_names(),
    )
    for group in groups:
        for name, kind in group:
            if name not in seen and "#" not in name and not name.startswith("%"):
                seen.add(name)
                yield name, kind


def inside_text(text: str, offset: int) -> bool:
    """Tell whether a place is inside a string or a line comment."""
    starts = [match.start() for match in _TOP_LEVEL.finditer(text, 0, offset)]
    before = text[starts[-1] if starts else 0 : offset]
    return _INSIDE.search(_STRINGS.sub("", before)) is not None


def _form_before(asked: Asked) -> str:
    """Return the text of the top-level form around a place, up to that place."""
    starts = [match.start() for match in _TOP_LEVEL.finditer(asked.text, 0, asked.offset)]
    return asked.text[starts[-1] if starts else 0 : asked.offset]


def _holds(span: Span | None, offset: int) -> bool:
    return span is not None and span.source == 0 and span.start <= offset <= span.end


def _word(text: str, span: Span) -> str:
    return text[span.start : span.end]


def _is_at(asked: Asked, name: str) -> bool:
    return word_at(asked.text, asked.offset)[0] == name
