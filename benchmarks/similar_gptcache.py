"""What a look-up and a put cost in GPTCache, by the same texts and vectors; run by `benchmarks.similar_cache`.

    PYTHON similar_gptcache.py FOLDER

PYTHON has `gptcache`, `faiss-cpu` and `sqlalchemy`: mostly an environment of its own, since GPTCache installs what it
lacks as it is imported. In: `texts.json` (`asked`, `kept`) and `vectors.npy` of the folder, those of what is asked
first. Out: one line of JSON with the seconds of processor time of a `look_up` and a `put`, and bytes on `disk` of an
entry. It keeps what it holds as it is set up in its own examples: SQLite and a flat index of faiss, in one thread.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import process_time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from gptcache import Cache
from gptcache.adapter.api import get, put
from gptcache.manager import CacheBase, VectorBase, get_data_manager
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation

_ROUNDS = 3


def main(folder: Path) -> None:
    """Fill it, ask it, and print what that took."""
    texts, vectors = json.loads((folder / "texts.json").read_text()), np.load(folder / "vectors.npy")
    asked, kept = texts["asked"], texts["kept"]
    table = dict(zip((*asked, *kept), vectors, strict=True))
    base = CacheBase("sqlite", sql_url=f"sqlite:///{folder}/gpt.sqlite")
    near = VectorBase("faiss", dimension=vectors.shape[1], index_path=f"{folder}/faiss.index")
    cache = Cache()
    cache.init(
        pre_embedding_func=get_prompt,
        embedding_func=lambda text, **_: table[text],
        data_manager=get_data_manager(base, near),
        similarity_evaluation=SearchDistanceEvaluation(),
    )
    began = process_time()
    for text in kept:
        put(text, "an answer", cache_obj=cache)
    took = (process_time() - began) / len(kept)
    rounds, each = [], len(asked) // _ROUNDS
    for at in range(_ROUNDS):
        began = process_time()
        for text in asked[at * each : (at + 1) * each]:
            get(text, cache_obj=cache)
        rounds.append((process_time() - began) / each)
    cache.data_manager.close()
    cache.data_manager.close = lambda: None  # it is called at exit again, when the folder is gone
    disk = sum((folder / name).stat().st_size for name in ("gpt.sqlite", "faiss.index")) / len(kept)
    print(json.dumps({"look_up": sorted(rounds)[_ROUNDS // 2], "put": took, "disk": disk}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
