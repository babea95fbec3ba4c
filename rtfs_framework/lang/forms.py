"""Forms: what the reader produces and macros rewrite. Every form carries the span of text that it came from.

`Atom` holds a literal value; names are `Name`s; collections hold forms. Reader shorthands that later stages must see
(`#(...)`, metadata, `@x`, quasiquote) have nodes of their own. Dispatch over `Form` is total.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.frozen import maker
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword


@records.frozen(eq=False, weakref_slot=False)
class Atom:
    """A literal: nil, boolean, number, string, keyword, timestamp, UUID or resource handle."""

    value: Any
    span: Span


@records.frozen(eq=False, weakref_slot=False)
class Name:
    """A symbol in the program."""

    name: str
    span: Span


@records.frozen(eq=False, weakref_slot=False)
class ListForm:
    """`( ... )`."""

    items: tuple[Form, ...]
    span: Span


@records.frozen(eq=False, weakref_slot=False)
class VectorForm:
    """`[ ... ]`."""

    items: tuple[Form, ...]
    span: Span


@records.frozen(eq=False)
class MapForm:
    """`{ ... }`: keys and values in turn; the reader has checked that their number is even."""

    items: tuple[Form, ...]
    span: Span

    @property
    def pairs(self) -> tuple[tuple[Form, Form], ...]:
        """The entries as (key, value)."""
        return tuple(zip(self.items[::2], self.items[1::2], strict=True))


@records.frozen(eq=False)
class SetForm:
    """`#{ ... }`."""

    items: tuple[Form, ...]
    span: Span


@records.frozen(eq=False)
class ShorthandFn:
    """`#( ... )`: an anonymous function whose parameters are `%`, `%1`.., `%&`."""

    body: ListForm
    span: Span


@records.frozen(eq=False)
class Quoted:
    """`'x`, `` `x ``, `~x`, `~@x`: `kind` is "quote", "quasiquote", "unquote" or "splice"."""

    kind: str
    form: Form
    span: Span


@records.frozen(eq=False)
class Reference:
    """`@name`: a read of the host context (locals win). `plain` marks `@:name`, the same as the bare symbol."""

    name: str
    plain: bool
    span: Span


@records.frozen(eq=False)
class Meta:
    """`^meta form`. `meta` is a map form, or a keyword atom for `^:pure`; for a delegation hint see `HintForm`."""

    meta: Form
    form: Form
    span: Span


@records.frozen(eq=False)
class HintForm:
    """`^:delegation TARGET form`: `keyword` is the target's keyword name, `id` its string, or `map` its map form."""

    keyword: str
    id: str | None
    map: MapForm | None
    form: Form
    span: Span


Form = Atom | Name | ListForm | VectorForm | MapForm | SetForm | ShorthandFn | Quoted | Reference | Meta | HintForm

make_atom, make_name = maker(Atom), maker(Name)
make_list, make_vector = maker(ListForm), maker(VectorForm)
"""What the classes do, quicker: a text has hundreds of thousands."""


def keyword_of(form: Form) -> str | None:
    """Return the name of the keyword that a form is; None for other forms."""
    return form.value.name if isinstance(form, Atom) and isinstance(form.value, Keyword) else None


def text_of(form: Form) -> str | None:
    """Return the string that a form is; None for other forms."""
    return form.value if isinstance(form, Atom) and isinstance(form.value, str) else None


def head_of(form: Form) -> str | None:
    """Return the name at the head of a list; None for other forms."""
    head = form.items[0] if isinstance(form, ListForm) and form.items else None
    return head.name if isinstance(head, Name) else None
