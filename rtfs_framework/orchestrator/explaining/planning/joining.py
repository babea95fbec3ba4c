"""Questions to one model, put to it as one: numbered, and answered by a map with an entry for each.

In: questions of engines. Out: one question, and from its answer those of the others. A model that cannot answer so is
asked the questions one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from rtfs_framework.orchestrator.boundary.confidence import without_confidence
from rtfs_framework.orchestrator.deciding.facts import Question

MOST_JOINED = 16
MOST_TEXT = 60_000
"""Characters of a joined question: what is longer is asked in several."""
_HEAD = "Below are {} questions. Answer each as if it had been asked alone; question N under the key qN."


def joined(questions: Iterable[Question]) -> Iterator[tuple[Question, Sequence[Question]]]:
    """Yield what is asked, each with the questions that its answer answers."""
    by_target: dict[object, list[Question]] = {}
    for each in questions:
        if each.wants_vectors:
            yield each, (each,)
        else:
            by_target.setdefault(each.target, []).append(each)
    for found in by_target.values():
        part: list[Question] = []
        for each in found:
            if part and (len(part) == MOST_JOINED or sum(len(one.text) for one in (*part, each)) > MOST_TEXT):
                yield _one(part), tuple(part)
                part = []
            part.append(each)
        yield _one(part), tuple(part)


def _one(questions: Sequence[Question]) -> Question:
    if len(questions) == 1:
        return questions[0]
    texts = "\n\n".join(f"Question {number}:\n{each.text}" for number, each in enumerate(questions, 1))
    types = " ".join(f"[:q{number} {each.schema or ':string'}]" for number, each in enumerate(questions, 1))
    head = _HEAD.format(len(questions))
    return Question(questions[0].target, f"{head}\n\n{texts}", f"[:map {types}]")


def parted(answer: str | None, questions: Sequence[Question]) -> dict[Question, str | None] | None:
    """Return the answers to several questions out of the one that they had together, None when there is none."""
    if len(questions) == 1:
        return {questions[0]: answer}
    found = None if answer is None else json.loads(without_confidence(answer)[0])
    if not isinstance(found, dict):
        return None
    answers: dict[Question, str | None] = {}
    for number, each in enumerate(questions, 1):
        said = found.get(f"q{number}")
        answers[each] = json.dumps(said, ensure_ascii=False) if each.schema else str(said)
    return answers
