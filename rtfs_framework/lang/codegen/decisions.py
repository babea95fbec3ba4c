"""Decision trees: the clauses of a `match` as questions about parts of the subject, none asked twice on any way down.

In: patterns. Out: a tree of questions whose leaves are clauses in the order in which they are to be tried. What is
known of a part settles further questions: a vector is no map, a length no other one, a literal no other literal.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.maps import PLAIN
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types.model import Type

Step = tuple[str, Any]
"""From a value to a part of it: ("item", i), ("tail", n), ("key", k) or ("rest", keys)."""
Path = tuple[Step, ...]


@records.frozen()
class Question:
    """Something to ask of a part: "vector", "map", "length" (n), "least" (n), "has" (key), "is" (value), "type"."""

    path: Path
    kind: str
    value: Any = None


@records.frozen(eq=False)
class Row:
    """What is left to ask of a clause, and the variables that it binds."""

    number: int
    questions: tuple[Question, ...]
    binds: tuple[tuple[ir.Var, Path], ...]
    guarded: bool


@records.frozen(eq=False)
class Ask:
    """A question and what follows each answer."""

    question: Question
    yes: Tree
    no: Tree


@records.frozen(eq=False)
class Leaf:
    """A clause that fits; `otherwise` follows when its guard says no."""

    row: Row
    otherwise: Tree | None


Tree = Ask | Leaf | None
"""None: no clause fits."""


def row(number: int, clause: ir.Clause) -> Row:
    """Return the row of a clause."""
    questions: list[Question] = []
    binds: list[tuple[ir.Var, Path]] = []
    _read(clause.pattern, (), questions, binds)
    return Row(number, tuple(questions), tuple(binds), clause.guard is not None)


def _read(pattern: ir.Pattern, path: Path, questions: list[Question], binds: list[tuple[ir.Var, Path]]) -> None:
    match pattern:
        case ir.PVar(var=var):
            binds.append((var, path))
        case ir.PIgnore():
            return
        case ir.PLiteral(value=value):
            questions.append(Question(path, "is", _Literal(value)))
        case ir.PAs(var=var, pattern=inner):
            _read(inner, path, questions, binds)
            binds.append((var, path))
        case ir.PType(type=declared, pattern=inner):
            questions.append(Question(path, "type", _Declared(declared)))
            _read(inner, path, questions, binds)
        case ir.PVector(items=items, rest=rest, whole=whole):
            questions.append(Question(path, "vector"))
            questions.append(Question(path, "length" if rest is None else "least", len(items)))
            parts = [(item, ("item", i)) for i, item in enumerate(items)]
            _read_parts([*parts, *_rest(rest, ("tail", len(items)))], path, questions, binds)
            binds += [] if whole is None else [(whole, path)]
        case ir.PMap(entries=entries, rest=rest, whole=whole):
            questions.append(Question(path, "map"))
            for entry in entries:
                questions.append(Question(path, "has", _Literal(entry.key)))
                _read_parts([(entry.pattern, ("key", _Literal(entry.key)))], path, questions, binds)
            keys = tuple(_Literal(entry.key) for entry in entries)
            _read_parts(_rest(rest, ("rest", keys)), path, questions, binds)
            binds += [] if whole is None else [(whole, path)]
        case _ as never:
            raise forgotten(never)


def _rest(rest: ir.Pattern | None, step: Step) -> list[tuple[ir.Pattern, Step]]:
    return [] if rest is None else [(rest, step)]


def _read_parts(
    parts: Sequence[tuple[ir.Pattern, Step]], path: Path, questions: list[Question], binds: list[tuple[ir.Var, Path]]
) -> None:
    for pattern, step in parts:
        _read(pattern, (*path, step), questions, binds)


class _Literal:
    """A literal as part of a question: 1, 1.0 and true are three."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def is_plain(self) -> bool:
        """Whether its equals are those of its class that Python calls equal."""
        return self.value.__class__ in PLAIN or self.value.__class__ in (int, bool)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Literal):
            return False
        if self.is_plain and other.is_plain:
            return self.value.__class__ is other.value.__class__ and bool(self.value == other.value)
        return self.value is other.value

    def __hash__(self) -> int:
        return hash(self.value) if self.is_plain else id(self.value)


@records.frozen()
class _Declared:
    type: Type


def tree(rows: Sequence[Row], most: int) -> Tree:
    """Return the decision tree of clauses.

    Raises:
        OverflowError: it would have more than `most` questions and leaves.
    """
    return _Growing(most).tree(tuple(rows))


class _Growing:
    def __init__(self, most: int) -> None:
        self._left = most

    def tree(self, rows: tuple[Row, ...]) -> Tree:
        if not rows:
            return None
        self._left -= 1
        if self._left < 0:
            raise OverflowError
        first = rows[0]
        if not first.questions:
            return Leaf(first, self.tree(rows[1:]) if first.guarded else None)
        asked = first.questions[0]
        yes = tuple(made for each in rows if (made := _after(each, asked, answer=True)) is not None)
        no = tuple(made for each in rows if (made := _after(each, asked, answer=False)) is not None)
        return Ask(asked, self.tree(yes), self.tree(no))


def _after(each: Row, asked: Question, *, answer: bool) -> Row | None:
    """Return what is left of a clause after an answer, or None when it cannot fit any more."""
    kept = []
    for question in each.questions:
        settled = _settles(asked, question, answer=answer) if question.path == asked.path else None
        if settled is False:
            return None
        if settled is None:
            kept.append(question)
    return each if len(kept) == len(each.questions) else records.evolve(each, questions=tuple(kept))


def _settles(asked: Question, other: Question, *, answer: bool) -> bool | None:
    """Return the answer to a question of the same part, as far as that to another settles it."""
    if asked == other:
        return answer
    pair = (asked.kind, other.kind)
    if asked.kind == "least" and other.kind in ("least", "length"):
        if not answer:
            return False if other.value >= asked.value else None
        if other.kind == "least":
            return True if other.value <= asked.value else None
        return False if other.value < asked.value else None
    if not answer:
        return None
    if pair == ("length", "length"):
        return False
    if pair == ("length", "least"):
        return bool(asked.value >= other.value)
    if pair in (("vector", "map"), ("map", "vector")):
        return False
    plain = [each.value.is_plain for each in (asked, other) if each.kind == "is"]
    if pair == ("is", "is"):
        return False if all(plain) else None
    return False if plain == [True] and {*pair} & {"vector", "map"} else None


def depth(grown: Tree) -> int:
    """Return how deep a tree is."""
    deepest, todo = 0, [(grown, 1)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        if isinstance(node, Ask):
            todo += [(node.yes, level + 1), (node.no, level + 1)]
        elif node is not None:
            todo.append((node.otherwise, level + 1))
    return deepest


def leaves(grown: Tree) -> list[int]:
    """Return the clauses at the leaves, as often as they stand there."""
    found: list[int] = []
    todo: list[Tree] = [grown]
    while todo:
        node = todo.pop()
        if isinstance(node, Ask):
            todo += [node.yes, node.no]
        elif node is not None:
            found.append(node.row.number)
            todo.append(node.otherwise)
    return found
