"""An editor: a real client of the Language Server Protocol that starts `advise server` and opens files in it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
LONGEST = 60  # seconds for an answer


class Editor:
    """One editor with its server. shown: the diagnostics of each file, as the server last published them."""

    def __init__(self, workspace: Path, *options: str) -> None:
        self.workspace = workspace
        self.loop = asyncio.new_event_loop()
        self.client = LanguageClient("editor", "1")
        self.shown: dict[str, list[types.Diagnostic]] = {}

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.shown[params.uri] = list(params.diagnostics)

        self.versions: dict[str, int] = {}
        self.wait(self.client.start_io(sys.executable, "-m", "advisor", "server", "--stdio", *options))
        about = types.InitializeParams(types.ClientCapabilities(), root_uri=workspace.as_uri())
        self.able = self.wait(self.client.initialize_async(about)).capabilities
        self.client.initialized(types.InitializedParams())

    def wait(self, answer: Awaitable[T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(answer, LONGEST))

    def uri(self, name: str) -> str:
        return (self.workspace / name).as_uri()

    def open(self, name: str, text: str | None = None) -> list[types.Diagnostic]:
        """Open a file with its text on disk, or another one, and see what is found."""
        text = (self.workspace / name).read_text() if text is None else text
        uri = self.uri(name)
        self.shown.pop(uri, None)
        self.versions[uri] = 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "yaml", 1, text))
        )
        return self.diagnostics(uri)

    def type(self, name: str, text: str) -> list[types.Diagnostic]:
        """Replace the whole text, as if it had been typed."""
        uri = self.uri(name)
        self.shown.pop(uri, None)
        self.versions[uri] += 1
        whole = types.TextDocumentContentChangeWholeDocument(text)
        about = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(about, [whole]))
        return self.diagnostics(uri)

    def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        async def published() -> list[types.Diagnostic]:
            while uri not in self.shown:
                await asyncio.sleep(0.01)
            return self.shown[uri]

        return self.wait(published())

    def save(self, name: str) -> list[types.Diagnostic]:
        uri = self.uri(name)
        self.shown.pop(uri, None)
        about = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(about))
        return self.diagnostics(uri)

    def at(self, name: str, line: int, character: int) -> dict[str, Any]:
        return {
            "text_document": types.TextDocumentIdentifier(self.uri(name)),
            "position": types.Position(line, character),
        }

    def hover(self, name: str, line: int, character: int) -> str:
        found = self.wait(self.client.text_document_hover_async(types.HoverParams(**self.at(name, line, character))))
        return "" if found is None else found.contents.value

    def complete(self, name: str, line: int, character: int) -> dict[str, types.CompletionItem]:
        asked = types.CompletionParams(**self.at(name, line, character))
        return {one.label: one for one in self.wait(self.client.text_document_completion_async(asked))}

    def fixes(self, name: str, diagnostic: types.Diagnostic) -> list[types.CodeAction]:
        context = types.CodeActionContext([diagnostic])
        about = types.TextDocumentIdentifier(self.uri(name))
        asked = types.CodeActionParams(about, diagnostic.range, context)
        return list(self.wait(self.client.text_document_code_action_async(asked)) or [])

    def quit(self) -> int:
        """Say goodbye; the exit code of the server."""
        self.wait(self.client.shutdown_async(None))
        self.client.exit(None)
        server = self.client._server
        assert server is not None
        code = self.wait(server.wait())
        self.wait(self.client.stop())
        self.loop.close()
        return code
