"""What the tests of the pages share: a journal with hostile names and texts, and an application that answers."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import attrs
import pytest

NEEDED = ("jinja2", "starlette", "uvicorn", "httpx")
collect_ignore_glob = [] if all(map(find_spec, NEEDED)) else ["test_*.py"]
"""Without the extra `ui` there is nothing to test."""

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7 * 7 }} \u202eevil\u200b \x1b[31m"


def text_of(value: str) -> str:
    """Return a string as RTFS writes it."""
    from rtfs_framework.lang.printer import write

    return write(value)


@pytest.fixture
def evil():
    """A text that would do something anywhere but where texts are shown."""
    return HOSTILE


@pytest.fixture
def hostile(rtfs, folder, monkeypatch):
    """Fill the journal: a run whose name and error are hostile, and one with calls in two branches."""
    folder_of_it = folder / "hostile"
    folder_of_it.mkdir()
    (folder_of_it / "evil<i>.rtfs").write_text(
        f"(defn main [] (try (call :acme.read {text_of(HOSTILE)}) (catch _ e (throw {text_of(HOSTILE)}))))",
        encoding="utf-8",
    )
    (folder / "two.rtfs").write_text(
        '(defn main [] (pmap (fn [x] (try (call :acme.read x) (catch _ e "no"))) [1 2]))', encoding="utf-8"
    )
    monkeypatch.setenv("RTFS_JOURNAL__KEEP", '"replies"')
    assert rtfs("run", "two.rtfs").code == 0
    assert rtfs("run", "hostile/evil<i>.rtfs").code == 1
    return rtfs


@attrs.define(eq=False)
class Served:
    """An application, and a browser's part of talking to it."""

    app: object
    door: object
    visitor: object

    def ask(self, path, *, method="GET", cookie=None, headers=None, **form):
        """Send a request; the visitor's cookie and form secret go along."""
        import httpx

        cookies = {self.door.cookie_name: self.visitor.cookie if cookie is None else cookie}
        sent = {"host": f"127.0.0.1:{self.door.port}", "origin": self.door.origin, **(headers or {})}
        data = {"csrf": self.visitor.form, **form} if method == "POST" else None

        async def send():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.door.origin, cookies=cookies) as client:
                return await client.request(method, path, headers=sent, data=data)

        return asyncio.run(send())

    def post(self, path, **form):
        """Send a form."""
        return self.ask(path, method="POST", **form)


@pytest.fixture
def served(folder):
    """Return a function that makes the application as `rtfs ui` does, for this folder's home."""
    from rtfs_framework.cli.journals import journal
    from rtfs_framework.cli.ui.app import Pages, make_app
    from rtfs_framework.cli.ui.door import Door
    from rtfs_framework.cli.ui.editor import Editor

    def make(*, read_only=False, config=None):
        links = []
        door = Door(8643, read_only, links.append)
        visitor = door.enter(door.link.partition("token=")[2])
        return Served(make_app(Pages(door, journal(config), config, Editor(config))), door, visitor)

    return make
