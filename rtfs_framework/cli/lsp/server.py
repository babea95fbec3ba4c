"""The protocol: requests of editors, on pygls. Texts are analyzed in a thread of their own, a moment after a change."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from rtfs_framework import __version__
from rtfs_framework.cli.limits import nesting_for
from rtfs_framework.cli.lsp.asking import Asked, described, offered
from rtfs_framework.cli.lsp.documents import Document, Documents
from rtfs_framework.cli.lsp.hosts import Hosts, host_names
from rtfs_framework.cli.lsp.messages import completion_kind, edit_of, internal, location, report, symbols, uri_of
from rtfs_framework.cli.lsp.positions import Positions
from rtfs_framework.cli.repl.words import language_word
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.format.check import format_source
from rtfs_framework.lang.source import Source

DEBOUNCE = 0.15
"""Seconds of rest after a change before the text is analyzed."""
_STACK = 64 * 1024 * 1024
_PATIENCE = 2.0


class RtfsServer(LanguageServer):
    """A server and its documents."""

    def __init__(self, config: Path | None = None) -> None:
        super().__init__("rtfs", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.documents = Documents(Hosts(config))
        self._pending: dict[str, asyncio.Task[None]] = {}
        before = threading.stack_size(_STACK)
        self._worker = ThreadPoolExecutor(1, "rtfs-analysis")
        self._worker.submit(int).result()  # the thread is made now, with room for deep macros
        threading.stack_size(before)

    @property
    def encoding(self) -> str:
        """How the editor counts characters."""
        return str(getattr(self.workspace.position_encoding, "value", None) or "utf-16")

    def changed(self, uri: str, delay: float) -> None:
        """Analyze a document in a moment, unless it changes again."""
        earlier = self._pending.pop(uri, None)
        if earlier is not None:
            earlier.cancel()
        self._pending[uri] = asyncio.ensure_future(self._analyze(uri, delay))

    def closed(self, uri: str) -> None:
        """Forget a document."""
        earlier = self._pending.pop(uri, None)
        if earlier is not None:
            earlier.cancel()
        self.documents.close(uri)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def _analyze(self, uri: str, delay: float) -> None:
        await asyncio.sleep(delay)
        item = self.workspace.get_text_document(uri)
        opened = {other: each.source for other, each in self.workspace.text_documents.items()}
        read = self.documents.read
        try:
            document = await asyncio.get_running_loop().run_in_executor(self._worker, read, uri, item.source, opened)
        except Exception as error:  # noqa: BLE001 - a bug of ours, told to the user; the server goes on
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, internal(error, item.path)))
            return
        for problem in self.documents.new_problems():
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, problem))
        found = [report(each, document.reading.source, self.encoding) for each in document.found]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, item.version))

    async def settled(self, uri: str) -> Document | None:
        """Return a document when its analysis is up to date, or the older one when that takes long."""
        pending = self._pending.get(uri)
        if pending is not None:
            await asyncio.wait([pending], timeout=_PATIENCE)
        return self.documents.get(uri)

    async def asked(self, params: Any) -> tuple[Asked, Positions] | None:
        """Return the question that a request with a position is."""
        uri = params.text_document.uri
        document = await self.settled(uri)
        if document is None:
            return None
        text = self.workspace.get_text_document(uri).source
        positions = Positions(text, self.encoding)
        offset = positions.offset(params.position.line, params.position.character)
        return Asked(document.best, text, offset, tuple(document.found)), positions

    def stop(self) -> None:
        """Release everything."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self.documents.hosts.close()


def make_server(config: Path | None = None) -> RtfsServer:
    """Return a server that answers."""
    server = RtfsServer(config)
    _follow_texts(server)
    _answer_questions(server)
    _complete(server)
    return server


def _follow_texts(server: RtfsServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: RtfsServer, params: types.DidOpenTextDocumentParams) -> None:
        ls.changed(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(ls: RtfsServer, params: types.DidChangeTextDocumentParams) -> None:
        ls.changed(params.text_document.uri, DEBOUNCE)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(ls: RtfsServer, _params: types.DidSaveTextDocumentParams) -> None:
        for uri in ls.workspace.text_documents:  # what is saved may be a module of the others
            ls.changed(uri, DEBOUNCE)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(ls: RtfsServer, params: types.DidCloseTextDocumentParams) -> None:
        ls.closed(params.text_document.uri)


def _answer_questions(server: RtfsServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: RtfsServer, params: types.HoverParams) -> types.Hover | None:
        question = await ls.asked(params)
        found = question[0].hover() if question else None
        if question is None or found is None:
            return None
        text, span = found
        made = location(question[1], span)
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), made)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(ls: RtfsServer, params: types.DefinitionParams) -> types.Location | None:
        question = await ls.asked(params)
        found = question[0].place() if question else None
        if question is None or found is None:
            return None
        source, span = found
        uri = params.text_document.uri
        target = uri if source is question[0].reading.source else uri_of(source)
        return types.Location(target, location(Positions(source.text, ls.encoding), span))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outline(ls: RtfsServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = await ls.settled(params.text_document.uri)
        return symbols(document.best, ls.encoding) if document else []

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def layout(ls: RtfsServer, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        text = ls.workspace.get_text_document(params.text_document.uri).source
        name = to_fs_path(params.text_document.uri) or params.text_document.uri
        try:
            made = format_source(Source(name, text), nesting=nesting_for(name, None))
        except LanguageError:  # it cannot be read, and the diagnostics say why
            return None
        return [edit_of(text, made, ls.encoding)] if made != text else []


def _complete(server: RtfsServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(resolve_provider=True))
    async def complete(ls: RtfsServer, params: types.CompletionParams) -> types.CompletionList:
        question = await ls.asked(params)
        if question is None:
            return types.CompletionList(is_incomplete=False, items=[])
        uri = params.text_document.uri
        names = offered(question[0], host_names(ls.documents.session(uri)))
        items = [
            types.CompletionItem(name, kind=completion_kind(kind), detail=kind, sort_text=f"{place:05}", data=uri)
            for place, (name, kind) in enumerate(names)
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(ls: RtfsServer, item: types.CompletionItem) -> types.CompletionItem:
        document = ls.documents.get(str(item.data))
        found = document.best.definitions.get(item.label) if document else None
        word = described(document.best, found) if document and found else language_word(item.label)
        if word is not None:
            item.documentation = types.MarkupContent(types.MarkupKind.Markdown, word.markdown())
        return item
