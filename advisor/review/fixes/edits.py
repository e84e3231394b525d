"""Edits: change one part of a YAML text and leave every other character as it is.

The text is edited at the marks of its values and never rewritten, so comments, order, quotes, layout and line endings
survive. After each edit the text is read again and must hold exactly the intended value.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document, parse
from advisor.recipe.flow_style import flow
from advisor.review.comments import comments
from advisor.review.findings import Edit, Path_
from advisor.review.fixes.yaml_layout import Layout, NoRoom, lines_of

COMPARISON = re.compile(r"(:\s+|[{,]\s*)(?P<bound>(?:[<>]=?|!=)\s*[-+\d.][\w.+-]*)(?=\s*(?:[,}]|$)|\s+#)")


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text after some edits, one after another; each path is of the text as the ones before left it.

    Raises:
        NoRoom: an edit cannot be made without touching more than it means; nothing is changed then.
    """
    for edit in edits:
        text = _quoted(text, int(edit.path[0])) if edit.action == "quote" else _edited(text, edit)
    return text


def _edited(text: str, edit: Edit) -> str:
    try:
        document = parse(text, "")
        meant = copy.deepcopy(document.value)
        _change(meant, edit)
        changed = WAYS[edit.action](Layout(document), edit)
        after = parse(changed, "")
        if after.value != meant:
            raise NoRoom(f"{edit.action} at {edit.path} would change something else too")
        if not _drops_item(edit) and _comments(document) - _comments(after):
            raise NoRoom(f"{edit.action} at {edit.path} would lose a comment")
    except (AdviseError, LookupError, TypeError, AttributeError) as error:
        raise NoRoom(f"{edit.action} at {edit.path}: {error}") from None
    return changed


def _drops_item(edit: Edit) -> bool:
    """Is an item of a list removed? The comments in it and beside it are about it."""
    return edit.action == "remove" and isinstance(edit.path[-1], int)


def _comments(document: Document) -> Counter[str]:
    return Counter(one.text for one in comments(document))


def _change(value: Any, edit: Edit) -> None:
    """Do to a plain value what an edit does to the text.

    Raises:
        LookupError, TypeError: there is no such part.
    """
    *above, last = edit.path
    if edit.action == "set":
        _holder(value, tuple(above))[last] = edit.value
        return
    for part in above:
        value = value[part]
    if edit.action == "insert":
        value.insert(last, edit.value)
    elif edit.action == "rename":
        items = [(edit.value if key == last else key, item) for key, item in value.items()]
        value.clear()
        value.update(items)
    else:
        taken = value.pop(last)
        if edit.action == "move":
            value.insert(edit.value, taken)


def _holder(value: Any, path: Path_) -> Any:
    """The mapping or list at a path. A step without settings becomes one with none, so that it can take some."""
    for part in path:
        if value[part] is None:
            value[part] = {}
        value = value[part]
    return value


def _set(layout: Layout, edit: Edit) -> str:
    if edit.path in layout.document.marks:
        start, end = layout.span(edit.path)
        if layout.children(edit.path):
            raise NoRoom("only single values can be set")
        old = layout.text[start:end]
        return layout.replaced(start, end, _like(old, edit.value) if old else f" {flow(edit.value)}")
    return layout.with_key(edit.path, f"{flow(edit.path[-1])}: {flow(edit.value)}")


def _like(old: str, value: Any) -> str:
    """A value in the quotes of the one that it takes the place of."""
    if isinstance(value, str) and old[:1] == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    written = flow(value)
    return f'"{written}"' if isinstance(value, str) and old[:1] == '"' and written[:1] != '"' else written


def _remove(layout: Layout, edit: Edit) -> str:
    return layout.without(edit.path)


def _insert(layout: Layout, edit: Edit) -> str:
    written = flow(edit.value)
    single = isinstance(edit.value, dict) and len(edit.value) == 1
    return layout.with_item(edit.path, written if layout.is_flow(edit.path[:-1]) or not single else written[1:-1])


def _move(layout: Layout, edit: Edit) -> str:
    return layout.moved(edit.path, edit.value)


def _rename(layout: Layout, edit: Edit) -> str:
    start, end = layout.key_span(edit.path)
    return layout.replaced(start, end, _like(layout.text[start:end], edit.value))


def _quoted(text: str, line: int) -> str:
    """Put the comparison in a line in quotes, which YAML would take for a block or a tag."""
    lines = lines_of(text)
    if not 0 < line <= len(lines):
        raise NoRoom(f"there is no line {line}")
    found = COMPARISON.search(lines[line - 1])
    if found is None:
        raise NoRoom(f"line {line} holds no comparison")
    start, end = found.span("bound")
    old = lines[line - 1]
    lines[line - 1] = f'{old[:start]}"{found["bound"]}"{old[end:]}'
    return "".join(lines)


WAYS = {"set": _set, "remove": _remove, "insert": _insert, "move": _move, "rename": _rename}
