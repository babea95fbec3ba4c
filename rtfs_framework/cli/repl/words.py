"""What is known of a name, for people: usage, documentation, examples. The language server shows the same."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rtfs_framework.lang.analyzer.specials.table import SPECIALS
from rtfs_framework.lang.expander.core import CORE
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.stdlib.library import BUILTINS

SPECIAL = "special form"
MACRO = "macro"
FUNCTION = "function"


@attrs.frozen(slots=True, kw_only=True)
class Word:
    """What is known of a name."""

    name: str
    kind: str
    usage: str
    doc: str = ""
    notes: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return it as lines for a terminal."""
        lines = [f"{self.usage}  [{self.kind}]", *(f"  {line}" for line in self.doc.splitlines())]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {program}  =>  {value}" for program, value in self.examples]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return it as Markdown, for editors."""
        parts = [f"```rtfs\n{self.usage}\n```", f"*{self.kind}*", self.doc, "\n".join(f"- {n}" for n in self.notes)]
        if self.examples:
            shown = "\n".join(f"{program}  ; => {value}" for program, value in self.examples)
            parts.append(f"```rtfs\n{shown}\n```")
        return "\n\n".join(part for part in parts if part)


def language_names() -> Iterator[tuple[str, str]]:
    """Yield every name of the language that a program can write, with its kind."""
    yield from ((name, SPECIAL) for name in SPECIALS if name[0].isalpha() or name == "λ")
    yield from ((name, MACRO) for name in CORE)
    yield from ((name, FUNCTION) for name in BUILTINS if not name.startswith("%"))


def language_word(name: str) -> Word | None:
    """Return what is known of a name of the language."""
    if name in SPECIALS:
        form = SPECIALS[name]
        return Word(name=name, kind=SPECIAL, usage=form.grammar, doc=form.doc)
    if name in CORE:
        macro = CORE[name]
        return Word(name=name, kind=MACRO, usage=macro.grammar, doc=macro.doc)
    entry = BUILTINS.get(name)
    if entry is None:
        return None
    notes = [f"also: {', '.join(other for other in (entry.name, *entry.aliases) if other != name)}"]
    if entry.effect is not None:
        notes.append("asks the host")
    return Word(
        name=name,
        kind=FUNCTION,
        usage=f"({' '.join(filter(None, (name, entry.signature)))})",
        doc=entry.doc,
        notes=tuple(note for note in notes if note != "also: "),
        examples=entry.examples,
    )


def signature_word(signature: FunctionSignature) -> Word:
    """Return what is known of a program's own function."""
    notes = () if signature.hint is None else (f"delegated: {hint_text(signature.hint)}",)
    usage = signature_text(signature)
    return Word(name=signature.name, kind="function of the program", usage=usage, doc=signature.doc, notes=notes)


def signature_text(signature: FunctionSignature) -> str:
    """Return a function's head as it is called: `(f a : int & rest) : string`."""
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
