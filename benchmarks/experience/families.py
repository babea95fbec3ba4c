"""The world: five models, four families of functions, what each model is worth for each, and the new functions.

Nothing of it is seen by an engine but what a function says of itself, whether answers come and fit, what they cost, how
long they take, and what somebody says of some answers. How often a model is right differs by family, and a
little by function (`SPREAD`), so that what is alike is not the same.

New functions are of three kinds: *alike* (of a family whose other functions are known), *unlike* (of none), and
*misleading* (it reads like one family and behaves like another).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import attrs

SPREAD = 0.02
"""By how much a model's quality differs from function to function of a family, at most."""
NAMES = ("strong", "north", "south", "spare", "weak")
PRICES = {"strong": 10.0, "north": 5.0, "south": 3.5, "spare": 2.5, "weak": 0.6}
"""US dollars per million tokens."""
SECONDS = {"strong": 0.025, "north": 0.02, "south": 0.022, "spare": 0.015, "weak": 0.01}
"""The medians: fast, so that versions are published after 32 outcomes, as in a busy host, and not after each."""
TOKENS = 200
ERRORS = INVALID = 0.004

Qualities = Mapping[str, float]

FAMILIES: Mapping[str, Qualities] = {
    "choosing": {"strong": 0.88, "north": 0.85, "south": 0.85, "spare": 0.85, "weak": 0.95},
    "finding": {"strong": 0.82, "north": 0.80, "south": 0.80, "spare": 0.95, "weak": 0.60},
    "reasoning": {"strong": 0.85, "north": 0.92, "south": 0.50, "spare": 0.40, "weak": 0.30},
    "writing": {"strong": 0.85, "north": 0.70, "south": 0.93, "spare": 0.60, "weak": 0.45},
}
"""Each model but the strong one was made for one of them, so the next best is worth clearly less."""


@attrs.frozen(slots=True)
class Task:
    """A function: its name, what it says of itself, and which family it behaves like."""

    name: str
    doc: str
    family: str
    kind: str = "known"
    """"known", "alike", "unlike" or "misleading"."""

    @property
    def source(self) -> str:
        """The function in RTFS."""
        return f'(defn {self.name} "{self.doc}" [text :string] : :bool false)'

    def qualities(self) -> Qualities:
        """Return how often each model is right."""
        dice = random.Random(self.name)
        return {name: share + dice.uniform(-SPREAD, SPREAD) for name, share in FAMILIES[self.family].items()}


KNOWN: Sequence[Task] = (
    Task("review/sentiment", "Tells whether a customer review is positive or negative.", "choosing"),
    Task("message/mood", "Tells whether a short message sounds happy or angry.", "choosing"),
    Task("mail/spam", "Tells whether a mail is spam.", "choosing"),
    Task("invoice/total", "Finds the total amount and the currency in the text of an invoice.", "finding"),
    Task("contract/dates", "Finds the dates on which a contract begins and ends in its text.", "finding"),
    Task("letter/sender", "Finds the name and address of the sender in the text of a letter.", "finding"),
    Task("maths/exercise", "Solves a word problem of mathematics step by step.", "reasoning"),
    Task("logic/puzzle", "Solves a logic puzzle about several people step by step.", "reasoning"),
    Task("physics/exercise", "Solves an exercise of physics step by step.", "reasoning"),
    Task("reply/complaint", "Writes a polite reply to the complaint of a customer.", "writing"),
    Task("report/summary", "Writes a summary of a long report in five sentences.", "writing"),
    Task("letter/cover", "Writes a cover letter for an application.", "writing"),
)
NEW: Sequence[Task] = (
    Task("comment/tone", "Tells whether a comment on an article is friendly or hostile.", "choosing", "alike"),
    Task("receipt/merchant", "Finds the merchant and the amount in the text of a receipt.", "finding", "alike"),
    Task("chemistry/exercise", "Solves an exercise of chemistry step by step.", "reasoning", "alike"),
    Task("mail/apology", "Writes a polite apology to a customer for a late delivery.", "writing", "alike"),
    Task("song/chords", "Names the chords under a melody.", "reasoning", "unlike"),
    Task("garden/plan", "Places vegetables in beds over the seasons.", "writing", "unlike"),
    Task("review/irony", "Tells whether a customer review is meant ironically.", "reasoning", "misleading"),
    Task("exercise/grade", "Tells whether a solved exercise of physics is tidy.", "choosing", "misleading"),
)
