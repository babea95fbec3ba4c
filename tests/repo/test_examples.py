"""The runner of the examples in the docs: it passes what is true, and fails what is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TRUE = {
    "output": "```console\n$ echo one two\none two\n```\n",
    "wildcard": "```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n$ echo again\nagain\n```\n",
    "pipe": "```console\n$ echo 'a | b' | cat\na | b\n```\n",
    "exit status": "```console\n$ ls nowhere\n...\n[exit 2]\n```\n",
    "file": "```rtfs file=x.rtfs\n(+ 1 2)\n```\n\n```console\n$ cat x.rtfs\n(+ 1 2)\n```\n",
    "python": "```python\n>>> 1 + 1\n2\n```\n",
}
FALSE = {
    "other output": "```console\n$ echo one two\none\n```\n",
    "output too many": "```console\n$ echo one\none\ntwo\n```\n",
    "silent failure": "```console\n$ ls nowhere\n...\n```\n",
    "success instead of failure": "```console\n$ echo x\nx\n[exit 1]\n```\n",
    "failure in a pipe": "```console\n$ ls nowhere | cat\n...\n```\n",
    "a dot is a dot": "```console\n$ echo axb\na.b\n```\n",
    "strange command": "```console\n$ touch x\n```\n",
    "strange command in a pipe": "```console\n$ echo x | tee y\nx\n```\n",
    "no prompt": "```console\necho one\n```\n",
    "python": "```python\n>>> 1 + 1\n3\n```\n",
    "python code": "```python\nassert 1 + 1 == 3\n```\n",
}


def run(page: str, root: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the examples of one page in a tree that has nothing else."""
    shutil.copytree(root / "tests/repo/house", tmp_path / "tests/repo/house")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['tests/repo']\n")
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    code = "import sys, pytest; sys.path.insert(0, 'tests/repo'); sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-p", "house.examples", "-p", "no:cacheprovider", "page.md"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("page", TRUE.values(), ids=TRUE)
def test_a_true_example_passes(page: str, root: Path, tmp_path: Path) -> None:
    result = run(page, root, tmp_path)
    assert result.returncode == pytest.ExitCode.OK, result.stdout + result.stderr


@pytest.mark.parametrize("page", FALSE.values(), ids=FALSE)
def test_a_false_example_fails(page: str, root: Path, tmp_path: Path) -> None:
    result = run(page, root, tmp_path)
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout + result.stderr
    assert "1 failed" in result.stdout
