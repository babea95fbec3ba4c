"""What a model replied, and the program in it.

In: the text of a reply. Out: a program's text, or why there is none. Programs stand in fences, bare, or between prose;
of several fences that read as programs the longest counts, for models like to show a call beside what they wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source

MOST = 64 * 1024
"""Characters of a reply: no program that a model writes in one piece is longer."""
EMPTY, REFUSED, PROSE, TOO_LONG = "empty", "refused", "prose", "too-long"

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_OURS = frozenset({"", "rtfs", "lisp", "clojure", "clj", "edn", "scheme", "racket", "common-lisp", "elisp", "text"})
_START = re.compile(r"^[ \t]*[(;]", re.MULTILINE)
_FORM = re.compile(r"\(\s*[^\s()\[\]{}\"]+")
_NOT = r"(?:can(?:no|['\u2019])t|can not|won['\u2019]t|will not|must decline)"
_REFUSAL = re.compile(
    rf"\b(?:i(?:['\u2019]m| am) (?:sorry|unable|not able)|i {_NOT}|as an ai)\b",
    re.IGNORECASE,
)
_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)


@attrs.frozen(slots=True)
class Found:
    """A program in a reply."""

    program: str


@attrs.frozen(slots=True)
class Nothing:
    """A reply without a program: which kind, and in words."""

    kind: str
    words: str


def program_in(reply: str, refusal: bool = False) -> Found | Nothing:
    """Return the program of a reply; `refusal` tells that the model's server calls it one."""
    if len(reply) > MOST:
        return Nothing(TOO_LONG, f"the reply has {len(reply):,} characters; {MOST:,} are read at most")
    text = _THINKING.sub("", reply).replace("\r\n", "\n").strip()
    if refusal:
        return Nothing(REFUSED, text or "it does not say why")
    if not text:
        return Nothing(EMPTY, "the reply is empty")
    fenced = [body.strip("\n") for _, language, body in _FENCE.findall(text) if _is_ours(language, body)]
    found = _best(each for each in fenced if each.strip())
    if found is not None:
        return Found(found.rstrip() + "\n")
    if _FENCE.search(text):
        return Nothing(PROSE, "the reply has code of another language, and no RTFS")
    bare = _best(_bare(text))
    if bare is not None:
        return Found(bare.rstrip() + "\n")
    if _REFUSAL.search(text):
        return Nothing(REFUSED, text)
    return Nothing(PROSE, "the reply has no program in it")


def _is_ours(language: str, body: str) -> bool:
    """Tell whether a fence may hold a program: by its language, or by how it begins, for small models name any."""
    return language.lower() in _OURS or body.lstrip()[:2] in ("(d", "(l", ";;")


def _best(candidates: Iterator[str]) -> str | None:
    """Return the longest of those that read as a program, else the longest that has a form at all."""
    known = [each for each in candidates if _FORM.search(each) or _reads(each)]
    if not known:
        return None
    return max(known, key=lambda each: (_reads(each), len(each)))


def _bare(text: str) -> Iterator[str]:
    """Yield what a text without fences may hold: all of it, or what is between the first form and the last `)`."""
    if text[0] == "{":  # JSON, or a conversation that is only repeated: data, and no program
        return
    if text[0] in "([;" and _reads(text):
        yield text
        return
    start, end = _START.search(text), text.rfind(")")
    if start is not None and end > start.start():
        yield text[start.start() : end + 1].strip()
    elif text[0] in '(["' or _reads_as_data(text):
        yield text


def _reads_as_data(text: str) -> bool:
    """Tell whether a text is one literal, such as `42` or `:yes`: a program, if a short one. A word is prose."""
    return len(text.split()) == 1 and text.lstrip("-")[:1] in set("0123456789:") and _reads(text)


def _reads(text: str) -> bool:
    try:
        return bool(read_program(Source("<reply>", text)))
    except (LanguageError, RecursionError):
        return False
