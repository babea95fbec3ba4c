"""The state of a decider as JSON, and back. It is read whole and checked before anything rests on it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding.evidence import CHANCES, FITS, ROWS, Evidence, row_text
from rtfs_cache_similar.deciding.features import NAMES, Vector
from rtfs_cache_similar.deciding.model import Model, read_model
from rtfs_cache_similar.deciding.prior import GRID, Prior, counted
from rtfs_framework.api.fitting import DamagedError, model_data, read_list, read_numbers, read_table

FORMAT, VERSION = "rtfs-similar-evidence", 4
_ORIGIN = "remove it: the evidence is gathered anew, and nothing is served meanwhile"
_COUNTS = ("looked", "served", "explored", "same", "other", "fits", "contradicted")
_SUMS = ("since", "ledger_looks", "blamed")
_BY_THRESHOLD = ("passed", "charged")
_BY_CHANCE = ("drawn", "judged", "wrong")


def dumped(partitions: Mapping[str, Evidence]) -> bytes:
    """Return a state. Look-ups that wait to be judged are not kept."""
    head = _text({"format": FORMAT, "version": VERSION})[:-1]
    each = ",".join(f"{_text(name)}:{_as_text(evidence)}" for name, evidence in partitions.items())
    return f'{head},"partitions":{{{each}}}}}'.encode()


def loaded(data: bytes, prior: Prior | None) -> OrderedDict[str, Evidence]:
    """Return the partitions of a state. Evidence that was gathered beside another prior is left out.

    Raises:
        FileError: It is none, or is damaged.
    """
    return model_data(
        data, "evidence of similar questions", _ORIGIN, lambda top, _: _partitions(top, prior), "<evidence>"
    )


def _as_text(evidence: Evidence) -> str:
    return f'{_text(_as_data(evidence))[:-1]},"rows":[{",".join(evidence.written)}]}}'


def _text(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _as_data(evidence: Evidence) -> dict[str, Any]:
    """Return all but the rows."""
    return {
        **{key: getattr(evidence, key) for key in (*_COUNTS, *_SUMS)},
        **{key: getattr(evidence, key).tolist() for key in (*_BY_THRESHOLD, *_BY_CHANCE)},
        "prior": evidence.prior.digest if evidence.prior else "",
        "model": None if evidence.model is None else attrs.evolve(evidence.model, trees=None).as_data(),
        "labels": evidence.labels,
    }


def _partitions(data: Any, prior: Prior | None) -> OrderedDict[str, Evidence]:
    top = read_table(data, "the file", ("format", "version", "partitions"))
    if top["format"] != FORMAT or top["version"] != VERSION or isinstance(top["version"], bool):
        raise DamagedError(f"it is not '{FORMAT}' of version {VERSION}")
    found = OrderedDict()
    for name, each in read_table(top["partitions"], "partitions", ()).items():
        evidence, digest = _evidence(each, f"partitions.{str(name)[:16]}", prior)
        if digest == (prior.digest if prior else ""):
            found[str(name)] = evidence
    return found


def _evidence(data: Any, name: str, prior: Prior | None) -> tuple[Evidence, str]:
    keys = (*_COUNTS, *_SUMS, *_BY_THRESHOLD, *_BY_CHANCE, "prior", "model", "rows", "labels")
    table = read_table(data, name, keys)
    numbers = counted([table[key] for key in (*_COUNTS, *_SUMS)], name, len(_COUNTS) + len(_SUMS))
    vectors = {key: counted(table[key], f"{name}.{key}") for key in _BY_THRESHOLD}
    vectors |= {key: _by_chance(table[key], f"{name}.{key}") for key in _BY_CHANCE}
    counts = dict(zip(_COUNTS, map(int, numbers), strict=False))
    sums = dict(zip(_SUMS, map(float, numbers[len(_COUNTS) :]), strict=True))
    rows = read_list(table["rows"], f"{name}.rows")
    labels = read_numbers(table["labels"], f"{name}.labels")
    if (
        (vectors["wrong"] > vectors["judged"]).any()
        or len(rows) != len(labels)
        or len(rows) > ROWS
        or not set(labels) <= {0.0, 1.0}
    ):
        raise DamagedError(f"'{name}' has counts that cannot be")
    if counts["fits"] > len(FITS) or counts["contradicted"] > len(GRID) or not isinstance(table["prior"], str):
        raise DamagedError(f"'{name}' has a part of a wrong kind")
    evidence = Evidence(
        prior=prior,
        model=_model(table["model"], f"{name}.model", prior),
        rows=[_row(each, f"{name}.rows[{place}]") for place, each in enumerate(rows)],
        labels=list(labels),
    )
    evidence.written = list(map(row_text, evidence.rows))
    for key, known in (*counts.items(), *sums.items(), *vectors.items()):
        setattr(evidence, key, known)
    return evidence, table["prior"]


def _by_chance(data: Any, name: str) -> Vector:
    """Return counts by probability and threshold; those of draws may be below 0 until what is explored is judged."""
    rows = read_list(data, name)
    found = [np.asarray(read_numbers(row, f"{name}[{place}]")) for place, row in enumerate(rows)]
    if len(found) != len(CHANCES) or any(len(row) != len(GRID) for row in found):
        raise DamagedError(f"'{name}' is not {len(CHANCES)} rows of {len(GRID)} numbers")
    return np.stack(found)


def _model(data: Any, name: str, prior: Prior | None) -> Model | None:
    """Return a partition's model; its trees are the prior's, and stand in that file alone."""
    model = None if data is None else read_model(data, name)
    return model if model is None or prior is None else attrs.evolve(model, trees=prior.model.trees)


def _row(data: Any, name: str) -> Any:
    found = np.asarray(read_numbers(data, name))
    if len(found) != len(NAMES):
        raise DamagedError(f"'{name}' has other features than this version computes")
    return found
