"""The server itself: what an editor asks over the Language Server Protocol, answered from the other files here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from advisor.api.project import Project
from advisor.base.errors import AdviseError
from advisor.base.version import __version__
from advisor.editor.completion import suggestions
from advisor.editor.diagnosis import findings
from advisor.editor.hover import hover
from advisor.editor.kinds import kind_of
from advisor.editor.positions import Positions
from advisor.editor.quick_fixes import Change, quick_fixes
from advisor.policy.pack import Policy, find
from advisor.review.findings import Finding

NAME = "advise"
SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
ITEMS = {
    "key": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.Value,
    "rule": types.CompletionItemKind.Reference,
}


class Open(NamedTuple):
    """An open file as it stands in the editor."""

    uri: str
    path: Path
    text: str
    version: int | None
    places: Positions

    def about(self, found: Iterable[Finding], start: int, end: int) -> list[Finding]:
        """The findings whose place touches the text between two offsets."""
        places = [(one, self.places.of_place(one.place)) for one in found]
        return [
            one for one, at in places if self.places.offset(at.start) <= end and start <= self.places.offset(at.end)
        ]


class Server(LanguageServer):
    """Reads open files by a project's configuration. config: this one alone, else the nearest to each file."""

    def __init__(self, config: Path | None) -> None:
        super().__init__(NAME, __version__)
        self.config = config
        self.seen: dict[str, tuple[Finding, ...]] = {}

    def open(self, uri: str) -> Open:
        """The file of a URI. Its name counts from the workspace, as on the command line.

        Raises:
            JsonRpcInvalidParams: it is not open. Reading it from the disk could wait for ever for a pipe.
        """
        if uri not in self.workspace.text_documents:
            raise JsonRpcInvalidParams(f"{uri} is not open")
        document = self.workspace.get_text_document(uri)
        path = Path(os.path.relpath(to_fs_path(uri) or document.path))
        places = Positions(document.source, self.workspace.position_codec)
        return Open(uri, path, document.source, document.version, places)

    def findings(self, opened: Open) -> tuple[Finding, ...]:
        """All findings about an open file, found once for each version of it."""
        if opened.uri not in self.seen:
            self.seen[opened.uri] = findings(opened.path, opened.text, self.config)
        return self.seen[opened.uri]

    def policy(self, opened: Open) -> Policy | None:
        """The rules for an open file; None where configuration or pack are faulty, which its findings say."""
        try:
            return find(Project.at(opened.path.parent, self.config).policy_of(str(opened.path)))
        except AdviseError:
            return None

    def publish(self, uri: str) -> None:
        """Show the editor what is wrong with a file now."""
        opened = self.open(uri)
        shown = [_diagnostic(opened, one) for one in self.findings(opened)]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, opened.version))


def _diagnostic(opened: Open, finding: Finding) -> types.Diagnostic:
    tried = f"\ntry: {finding.fix.words}" if finding.fix else ""
    excused = "waived: " if finding.waiver else "known: " if finding.known else ""
    causes = [
        types.DiagnosticRelatedInformation(types.Location(opened.uri, opened.places.of_place(one.place)), one.words)
        for one in finding.causes
        if one.place and one.place.file == str(opened.path)
    ]
    severity = SEVERITY[finding.severity] if finding.counts else types.DiagnosticSeverity.Hint
    return types.Diagnostic(
        opened.places.of_place(finding.place),
        f"{excused}{finding.message}{tried}",
        severity,
        finding.rule,
        source=NAME,
        related_information=causes or None,
    )


def made(config: Path | None = None) -> Server:
    """The server with all that it answers."""
    server = Server(config)
    feature = server.feature
    feature(types.INITIALIZED)(_begun)
    feature(types.TEXT_DOCUMENT_DID_OPEN)(_shown)
    feature(types.TEXT_DOCUMENT_DID_CHANGE)(_shown)
    feature(types.TEXT_DOCUMENT_DID_SAVE)(_saved)
    feature(types.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    feature(types.TEXT_DOCUMENT_HOVER)(_hover)
    feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["-", "[", "{", " ", "."]))(
        _completion
    )
    kinds = types.CodeActionOptions([types.CodeActionKind.QuickFix])
    feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)(_code_actions)
    return server


def serve(config: Path | None) -> None:
    """Talk to an editor over stdin and stdout until it says goodbye."""
    with redirect_stdout(sys.stderr):  # a stray print would not be understood
        made(config).start_io(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))


def _begun(server: Server, _: types.InitializedParams) -> None:
    """Names of files in configurations and findings count from the workspace, wherever the editor was started."""
    if server.workspace.root_path:
        with suppress(OSError):
            os.chdir(server.workspace.root_path)


def _shown(server: Server, params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams) -> None:
    server.seen.pop(params.text_document.uri, None)
    server.publish(params.text_document.uri)


def _saved(server: Server, _: types.DidSaveTextDocumentParams) -> None:
    """A saved rule, pack or file of waivers may change what is said of the other open files."""
    server.seen.clear()
    for uri in list(server.workspace.text_documents):
        server.publish(uri)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.seen.pop(params.text_document.uri, None)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    opened = server.open(params.text_document.uri)
    if (kind := kind_of(opened.path, opened.text)) is None:
        return None
    about = partial(opened.about, server.findings(opened))
    found = hover(kind, opened.text, opened.places.offset(params.position), about, server.policy(opened))
    if found is None:
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(text, opened.places.range(found.start, found.end))


def _completion(server: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    opened = server.open(params.text_document.uri)
    if (kind := kind_of(opened.path, opened.text, begun=True)) is None:
        return []
    policy, end = server.policy(opened), opened.places.offset(params.position)
    found = suggestions(kind, opened.text[:end], policy.rules if policy else ())
    return [
        types.CompletionItem(
            one.label,
            kind=ITEMS[one.kind],
            documentation=types.MarkupContent(types.MarkupKind.Markdown, one.about) if one.about else None,
            text_edit=types.TextEdit(opened.places.range(end - one.replaces, end), one.text),
        )
        for one in found
    ]


def _code_actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """A safe fix keeps what the recipe does; the others say that they change it."""
    opened = server.open(params.text_document.uri)
    here = map(opened.places.offset, (params.range.start, params.range.end))
    return [
        types.CodeAction(
            one.fix.words if one.fix.safe else f"{one.fix.words} (changes what the recipe does)",
            types.CodeActionKind.QuickFix,
            [_diagnostic(opened, one.finding)],
            one.fix.safe,
            edit=types.WorkspaceEdit({opened.uri: [_text_edit(opened, one.change)]}),
        )
        for one in quick_fixes(opened.text, opened.about(server.findings(opened), *here))
    ]


def _text_edit(opened: Open, change: Change) -> types.TextEdit:
    return types.TextEdit(opened.places.range(change.start, change.end), change.text)
