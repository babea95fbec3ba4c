"""Build llama-cpp-python as a wheel, once, of no more than its provider uses; then install it.

In: a folder that survives (`.tox/llama-cpp`). Out: the wheel in it, installed into the env that runs this. The registry
has only its sources, and a plain build compiles tools, servers and vision, too: seven minutes of processor. This one
makes the Python part alone, compiles the library `llama` by itself, and puts it into the wheel. It needs the packages
`pip`, `cmake`, `ninja` and `wheel`, and a C++ compiler; it is of the registry's sources alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "0.3.36"
_OFF = (
    "LLAMA_BUILD_COMMON",
    "LLAMA_BUILD_TESTS",
    "LLAMA_BUILD_TOOLS",
    "LLAMA_BUILD_EXAMPLES",
    "LLAMA_BUILD_SERVER",
    "LLAMA_CURL",
    "GGML_NATIVE",  # the wheel may be kept for another machine
    "GGML_OPENMP",  # one thread is what is used
)


def wheel_in(folder: Path) -> Path | None:
    """Return the wheel that was built before, None when there is none."""
    return next(folder.glob(f"llama_cpp_python-{VERSION}-*.whl"), None)


def build(folder: Path) -> Path:
    """Return the wheel, built in a folder."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    python_only = {**os.environ, "CMAKE_ARGS": "-DLLAMA_BUILD=OFF"}
    source = _source(pip, work, python_only)
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", work, source, env=python_only)
    made = wheel_in(work)
    if made is None:
        sys.exit("pip made no wheel of llama-cpp-python")
    _run(sys.executable, "-m", "wheel", "unpack", "--dest", work / "open", made)
    inside = work / "open" / f"llama_cpp_python-{VERSION}"
    for library in _compiled(source / "vendor" / "llama.cpp", work / "build"):
        target = inside / "llama_cpp" / "lib" / library.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(library, target)  # what a link leads to: wheels have no links
    _run(sys.executable, "-m", "wheel", "pack", "--dest-dir", folder, inside)
    shutil.rmtree(work)
    wheel = wheel_in(folder)
    if wheel is None:
        sys.exit("the wheel of llama-cpp-python was not written")
    return wheel


def _source(pip: list[str], work: Path, env: dict[str, str]) -> Path:
    """Return the folder of the sources, from the registry."""
    wanted = "--no-deps", "--no-binary", "llama-cpp-python", f"llama-cpp-python=={VERSION}"
    _run(*pip, "download", "--dest", work, *wanted, env=env)
    archive = next(work.glob("llama_cpp_python-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(work, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(work)
    return work / archive.name.removesuffix(".tar.gz")


def _compiled(source: Path, build: Path) -> list[Path]:
    """Return the libraries that the model's library is made of."""
    options = [f"-D{name}=OFF" for name in _OFF]
    fixed = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON"]
    beside = ["-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON", "-DCMAKE_INSTALL_RPATH=$ORIGIN"]
    _run("cmake", "-G", "Ninja", "-S", source, "-B", build, *fixed, *beside, *options)
    _run("cmake", "--build", build, "--target", "llama")
    named = [each for each in sorted((build / "bin").glob("lib*.so*")) if each.is_file()]
    return named or sorted((build / "bin").glob("lib*.dylib"))


def _run(*command: object, env: dict[str, str] | None = None) -> None:
    subprocess.run([str(each) for each in command], check=True, env=env)


if __name__ == "__main__":
    kept = Path(sys.argv[1])
    kept.mkdir(parents=True, exist_ok=True)
    found = wheel_in(kept) or build(kept)
    _run("uv", "pip", "install", "--quiet", found)
