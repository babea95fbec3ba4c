r"""Regular expressions, as far as a grammar can say them: text -> nodes of an automaton (`automata.Machine`).

The language is that of RTFS patterns (RE2): no back-references, and look-ahead only as `(?!...)` at the very start.
Where RTFS means all of Unicode (`\d`, `\w`, `\s`, `\p{..}`), the grammar takes what is ASCII of it: less, never more.
"""

from __future__ import annotations

import unicodedata

from rtfs_provider_llama.grammar import chars
from rtfs_provider_llama.grammar.automata import ANY, AT_END, AT_START, Branch, Node, Piece, Repeated, Run
from rtfs_provider_llama.grammar.chars import ASCII, CharSet
from rtfs_provider_llama.grammar.errors import GrammarError

_DIGITS = chars.among("0123456789")
_WORD = chars.of([(48, 57), (65, 90), (95, 95), (97, 122)])
_SPACE = chars.among("\t\n\v\f\r ")
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "xdigit": "0-9A-Fa-f",
    "space": r"\t\n\v\f\r ", "punct": "!-/:-@\\[-`{-~", "word": "0-9A-Za-z_", "blank": r"\t ", "print": " -~",
    "graph": "!-~",
}  # fmt: skip
_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7, "0": 0}
_MOST_TIMES = 1000


class Pattern:
    """One reading of one pattern, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.fold = False
        self.dot: CharSet = chars.without(ANY, chars.among("\n"))
        self.refused: list[Node] = []
        """What the text must not start with."""

    def read(self) -> Node:
        """Return the whole pattern."""
        node = self.alternatives()
        if self.at < len(self.text):
            raise self.error("a bracket too many")
        return node

    def error(self, what: str) -> GrammarError:
        """Return the error for what stands here."""
        return GrammarError(
            f"the pattern {self.text!r} cannot be said by a grammar: {what}, at character {self.at + 1}"
        )

    def peek(self) -> str:
        """Return the next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, word: str) -> bool:
        """Tell whether a word comes next, and go behind it."""
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def alternatives(self) -> Node:
        """Read up to a closing bracket or the end."""
        ways = [self.run()]
        while self.take("|"):
            ways.append(self.run())
        return ways[0] if len(ways) == 1 else Branch(tuple(ways))

    def run(self) -> Node:
        """Read what stands one after the other."""
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return Run(tuple(parts))

    def repeated(self) -> Node:
        """Read one part and how often it comes."""
        node = self.part()
        while True:
            times = self.times()
            if times is None:
                return node
            self.take("?")  # lazy or greedy: the same texts
            node = Repeated(node, *times)

    def times(self) -> tuple[int, int | None] | None:
        """Read `*`, `+`, `?`, `{m}`, `{m,}` or `{m,n}`."""
        for sign, found in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return found
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if self.peek() != "{" or end < 0 or not low.isdigit() or not (high.isdigit() or not high):
            return None
        self.at = end + 1
        most = (int(high) if high else None) if comma else int(low)
        if max(int(low), most or 0) > _MOST_TIMES:
            raise self.error(f"more than {_MOST_TIMES} repetitions")
        return int(low), most

    def part(self) -> Node:
        """Read a group, a class, an anchor or a character."""
        if self.take("("):
            return self.group()
        if self.take("["):
            return Piece(self.brackets())
        if self.take("^"):
            return AT_START
        if self.take("$"):
            return AT_END
        if self.take("."):
            return Piece(self.dot)
        if self.take("\\"):
            return self.escaped()
        if self.peek() in ("*", "+", "?"):
            raise self.error("a repetition of nothing")
        return Piece(self.folded(chars.among(self.next())))

    def next(self) -> str:
        """Return the next character and go behind it."""
        char = self.peek()
        if not char:
            raise self.error("it ends too early")
        self.at += 1
        return char

    def group(self) -> Node:
        """Read a group; flags hold up to its end."""
        kept = self.fold, self.dot
        if self.take("?!"):
            if self.text[: self.at] != "^(?!":
                raise self.error("look-ahead")
            self.refused.append(self.closed())
            return Run(())
        if self.take("?P<") or (
            self.text.startswith("?<", self.at) and self.text[self.at + 2 : self.at + 3] not in "=!"
        ):
            self.at = self.text.find(">", self.at) + 1 or len(self.text)
        elif self.take("?") and self.flags():
            return Run(())
        node = self.closed()
        self.fold, self.dot = kept
        return node

    def closed(self) -> Node:
        """Read up to the closing bracket of a group."""
        node = self.alternatives()
        if not self.take(")"):
            raise self.error("a bracket is not closed")
        return node

    def flags(self) -> bool:
        """Read flags; tell whether they stand alone, as in `(?i)`."""
        on = True
        while True:
            sign = self.next()
            if sign == ":":
                return False
            if sign == ")":
                return True
            if sign == "-":
                on = False
            elif sign == "i":
                self.fold = on
            elif sign == "s":
                self.dot = ANY if on else chars.without(ANY, chars.among("\n"))
            elif sign != "U":
                raise self.error(f"the flag or look-around ?{sign}")

    def folded(self, found: CharSet) -> CharSet:
        """Return the set with the other case of its ASCII letters, where case does not matter."""
        if not self.fold:
            return found
        letters = [chr(c) for c in range(128) if chr(c).isalpha() and chars.both(found, ((c, c),))]
        return chars.of([*found, *chars.among("".join(letters).swapcase())])

    def escaped(self) -> Node:
        """Read what a backslash means outside of brackets."""
        if self.take("A"):
            return AT_START
        if self.take("z"):
            return AT_END
        return Piece(self.folded(self.escape()))

    def escape(self) -> CharSet:
        """Read what a backslash means as a set of characters."""
        letter = self.next()
        if letter in "dws":
            return _CLASSES[letter]
        if letter in "DWS":
            return chars.without(ASCII, _CLASSES[letter.lower()])
        if letter in "pP":
            return self.category(inverted=letter == "P")
        if letter == "x":
            return self.by_number()
        if letter in _CONTROL:
            return ((_CONTROL[letter], _CONTROL[letter]),)
        if letter.isalnum():
            raise self.error(f"\\{letter}")
        return chars.among(letter)

    def by_number(self) -> CharSet:
        r"""Read `\\x41` or `\\x{1F600}`."""
        braces = self.take("{")
        end = self.text.find("}", self.at) if braces else self.at + 2
        digits = self.text[self.at : end]
        try:
            code = int(digits, 16)
        except ValueError:
            raise self.error("a character by a wrong number") from None
        self.at = end + braces
        return ((code, code),)

    def category(self, *, inverted: bool) -> CharSet:
        r"""Read `\\pL`, `\\p{Lu}`, `\\p{^Lu}`: the ASCII characters of it."""
        name = self.next()
        if name == "{":
            end = self.text.find("}", self.at)
            name, self.at = self.text[self.at : end], end + 1
        inverted ^= name.startswith("^")
        name = name.removeprefix("^")
        if not _is_category(name):
            raise self.error(f"\\p{{{name}}}")
        codes = [c for c in range(128) if unicodedata.category(chr(c)).startswith(name) is not inverted]
        return chars.of((c, c) for c in codes)

    def brackets(self) -> CharSet:
        """Read a class behind its opening bracket."""
        inverted, wide = self.take("^"), False
        found: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            first = False
            if self.take("[:"):
                found += self.posix()
                continue
            wide |= self.peek() == "\\" and self.text[self.at + 1 : self.at + 2] in tuple("dwsDWSpP")
            low = self.member()
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.member()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][1]:
                    raise self.error("a range of characters that is none")
                found.append((low[0][0], high[0][1]))
            else:
                found += low
        self.at += 1
        made = self.folded(chars.of(found))
        if not inverted:
            return made
        # What RTFS means by \d and its like is more than ASCII: of their opposites, only ASCII is sure.
        return chars.without(ASCII if wide else ANY, made)

    def member(self) -> CharSet:
        """Read one member of a class."""
        return self.escape() if self.take("\\") else chars.among(self.next())

    def posix(self) -> CharSet:
        """Read `[:alpha:]` behind its opening."""
        end = self.text.find(":]", self.at)
        name = self.text[self.at : end]
        if end < 0 or name not in _POSIX:
            raise self.error(f"the class [:{name}:]")
        self.at = end + 2
        return Pattern(_POSIX[name] + "]").brackets()


def _is_category(name: str) -> bool:
    """Tell whether a name is a general category of Unicode, or the first letter of some."""
    return len(name) in (1, 2) and name[0] in "LMNPSZC" and (len(name) == 1 or name[1].islower())
