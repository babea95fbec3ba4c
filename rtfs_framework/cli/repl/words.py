"""What is known of a name, for people: usage, documentation, examples. The language server shows the same."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rtfs_framework.cli.reference import entries, entry_of
from rtfs_framework.lang.codes import CODES, Code
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind
from rtfs_framework.lang.types.show import show_type


@attrs.frozen(slots=True, kw_only=True)
class Word:
    """What is known of a name."""

    name: str
    kind: str
    usage: str
    doc: str = ""
    types: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return it as lines for a terminal."""
        lines = [f"{self.usage}  [{self.kind}]", *(f"  {line}" for line in (*self.types, *self.doc.splitlines()))]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {program}  =>  {value}" for program, value in self.examples]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return it as Markdown, for editors."""
        head = "\n".join((self.usage, *(f"; {line}" for line in self.types)))
        parts = [f"```rtfs\n{head}\n```", f"*{self.kind}*", self.doc, "\n".join(f"- {n}" for n in self.notes)]
        if self.examples:
            shown = "\n".join(f"{program}  ; => {value}" for program, value in self.examples)
            parts.append(f"```rtfs\n{shown}\n```")
        return "\n\n".join(part for part in parts if part)


def language_names() -> Iterator[tuple[str, str]]:
    """Yield every name of the language that a program can write, with its kind."""
    for entry in entries():
        yield from ((name, entry.kind) for name in (entry.name, *entry.aliases) if not name.startswith("#"))


def language_word(name: str) -> Word | None:
    """Return what is known of a name of the language."""
    entry = entry_of(name)
    if entry is None:
        return None
    others = ", ".join(other for other in (entry.name, *entry.aliases) if other != name)
    notes = [f"also: {others}"] if others else []
    if entry.purity != "pure":
        notes.append(entry.purity)
    return Word(
        name=name,
        kind=entry.kind,
        usage=entry.usage,
        doc=entry.doc,
        types=tuple(entry.types_text()),
        notes=tuple(notes),
        examples=entry.examples,
    )


def code_word(code: str) -> Word | None:
    """Return what is known of the code of a diagnostic."""
    found = CODES.get(code.upper())
    if found is None:
        return None
    doc = "\n".join([found.text, *(f"{word}:\n{text}" for word, text in _examples(found) if text)])
    return Word(name=found.code, kind="code", usage=f"{found.code}: {found.title}", doc=doc)


def _examples(found: Code) -> tuple[tuple[str, str], ...]:
    return ("wrong", found.wrong), ("right", found.right)


def signature_word(signature: FunctionSignature) -> Word:
    """Return what is known of a program's own function."""
    notes = () if signature.hint is None else (f"delegated: {hint_text(signature.hint)}",)
    usage = signature_text(signature)
    return Word(name=signature.name, kind="function of the program", usage=usage, doc=signature.doc, notes=notes)


def signature_text(signature: FunctionSignature) -> str:
    """Return a function's heads as it is called: `(f a : int & rest) : string`, one for each arity."""
    if signature.arities:
        return " or ".join(map(signature_text, signature.arities))
    words = [signature.name]
    for parameter in signature.parameters:
        words += ["&"] if parameter.rest else []
        words.append(parameter.name + ("" if parameter.type is None else f" : {show_type(parameter.type)}"))
    returns = "" if signature.returns is None else f" : {show_type(signature.returns)}"
    return f"({' '.join(words)}){returns}"


def hint_text(hint: DelegationHint) -> str:
    """Return a hint in words."""
    match hint.kind:
        case HintKind.LOCAL:
            return "never; it always runs its own body (^:delegation :local)"
        case HintKind.LOCAL_MODEL:
            return f'the local model "{hint.id}" (^:delegation :local-model)'
        case HintKind.REMOTE:
            return f'the remote provider "{hint.id}" (^:delegation :remote)'
        case HintKind.TARGET:
            return f'the target "{hint.id}" (^:delegation {{:target ...}})'
