"""`rtfs run --on`: what is refused before anything is read."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--on", "dask", "--input", "in.txt"], "name an executor and where it is"),
        (["--on", "nobody:1", "--input", "in.txt"], "no executor is called `nobody`"),
        (["--on", "dask:there"], "--on needs --input FILE"),
    ],
    ids=["no-address", "unknown", "no-input"],
)
def test_what_names_no_executor(rtfs, folder, args, words):
    (folder / "main.rtfs").write_text("(defn main [record] 1)", encoding="utf-8")
    (folder / "in.txt").write_text("a\nb\n", encoding="utf-8")
    result = rtfs("run", "main.rtfs", *args)
    assert result.code != 0
    assert words in result.err
    assert not result.out


def test_a_fold_is_not_spread(rtfs, folder):
    (folder / "main.rtfs").write_text("(defn fold [state record] 1)", encoding="utf-8")
    (folder / "in.txt").write_text("a\n", encoding="utf-8")
    result = rtfs("run", "main.rtfs", "--input", "in.txt", "--on", "dask:there")
    assert result.code == 2
    assert "carries one state from record to record" in result.err
