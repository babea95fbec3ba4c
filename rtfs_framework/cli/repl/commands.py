"""The commands of the REPL. Each takes its argument as text and returns what is to be printed."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.cli.repl.hosts import Unasked
from rtfs_framework.cli.repl.shown import value_type
from rtfs_framework.cli.repl.talk import Talk
from rtfs_framework.cli.repl.words import Word, code_word, language_names, language_word, signature_text, signature_word
from rtfs_framework.cli.sources import remember
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import Views

USAGE = "E0913"


class Leave(Exception):
    """The user wants to go."""


@attrs.frozen(slots=True, eq=False)
class Command:
    """A command: `argument` is how help shows what it takes, "" for nothing."""

    name: str
    argument: str
    summary: str
    run: Callable[[Talk, str], str]

    @property
    def usage(self) -> str:
        """The command as it is typed."""
        return f":{self.name} {self.argument}".rstrip()


COMMANDS: dict[str, Command] = {}


def command(name: str, argument: str, summary: str) -> Callable[[Callable[[Talk, str], str]], None]:
    """Enter a command."""

    def enter(run: Callable[[Talk, str], str]) -> None:
        COMMANDS[name] = Command(name, argument, summary, run)

    return enter


def run_command(talk: Talk, name: str, argument: str) -> str:
    """Run a command; return what it prints.

    Raises:
        LanguageError: E0913, the argument is missing or too much; or the argument is refused.
        Leave: It is `:quit`.
    """
    found = COMMANDS[name]
    if bool(argument) != bool(found.argument):
        message = f":{name} needs {found.argument}" if found.argument else f":{name} takes no argument"
        raise _refusal(message, f"as in {found.usage}")
    return found.run(talk, argument)


def known_word(talk: Talk, name: str) -> Word | None:
    """Return what is known of a name: the conversation's own come first."""
    instance = talk.talk.instance
    signature = instance.function(name)
    if signature is not None and instance.knows(name):
        return signature_word(signature)
    if instance.knows(name):
        value = instance.value(name)
        return Word(name=name, kind="value", usage=f"{name} : {value_type(value)}", doc=_short(write(value)))
    if name in talk.talk.names and talk.talk.is_macro(name):
        return Word(name=name, kind="macro of the program", usage=f"({name} ...)")
    return language_word(name)


@command("help", "", "Show this help.")
def _help(_talk: Talk, _argument: str) -> str:
    width = max(len(each.usage) for each in COMMANDS.values())
    lines = ["Type a form to see its value; an input goes on while a bracket is open."]
    lines += [f"  {each.usage:<{width}}  {each.summary}" for each in COMMANDS.values()]
    lines.append("*1 *2 *3 are the last values, *e is the last error. Ctrl-C stops a run, Ctrl-D leaves.")
    return "\n".join(lines)


@command("doc", "NAME", "What is known of a function, special form or macro, or of a code such as E0203.")
def _doc(talk: Talk, name: str) -> str:
    word = known_word(talk, name) or code_word(name)
    if word is None:
        names = [*talk.talk.names, *(known for known, _ in language_names())]
        raise _refusal(f"nothing is known of '{name}'", did_you_mean(name, names) or ":help shows what can be asked")
    return word.text()


@command("type", "EXPR", "The type of an expression's value; the host is not asked, and definitions do not stay.")
def _type(talk: Talk, text: str) -> str:
    signature = talk.talk.instance.function(text)
    if signature is not None and talk.talk.instance.knows(text):
        return signature_text(signature)
    entry = language_word(text)
    if entry is not None and text not in talk.talk.names:
        return f"{entry.usage}  [{entry.kind}]"
    try:
        return value_type(talk.try_out(text))
    except Unasked as asked:
        return f"{talk.foresee(text)}  [not run: it asks its host for {asked}]"


@command("expand", "EXPR", "The expression with all macros expanded.")
def _expand(talk: Talk, text: str) -> str:
    return _views(talk, text).expanded.rstrip()


@command("ir", "EXPR", "What the compiler makes of an expression.")
def _ir(talk: Talk, text: str) -> str:
    return _views(talk, text).ir.rstrip()


@command("py", "EXPR", "The Python that is compiled.")
def _py(talk: Talk, text: str) -> str:
    return _views(talk, text).python.rstrip()


@command("load", "FILE", "Run a program's file here; what it defines stays.")
def _load(talk: Talk, path: str) -> str:
    return write(talk.load(path.strip('"')))


@command("reset", "", "Forget every definition.")
def _reset(talk: Talk, _argument: str) -> str:
    talk.reset()
    return "all definitions are forgotten"


@command("history", "", "Show the inputs of this conversation.")
def _history(talk: Talk, _argument: str) -> str:
    return "\n".join(f"{number:>4}  {_indented(text)}" for number, text in enumerate(talk.inputs, 1))


@command("quit", "", "Leave (Ctrl-D does too).")
def _quit(_talk: Talk, _argument: str) -> str:
    raise Leave


def _views(talk: Talk, text: str) -> Views:
    source = remember(Source("<expression>", text))
    return talk.talk.program.view(talk.talk.read(source))


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n" + " " * 6)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]} ..."


def _refusal(message: str, way_out: str) -> LanguageError:
    return LanguageError([Diagnostic(code=USAGE, message=message, help=way_out, kind="InputError")])
