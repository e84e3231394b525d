"""Texts with what they are classified by: one class, a number, or several labels each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from advisor.compute.data.columns import Columns, Named, find_columns
from advisor.compute.data.files import File, holds_texts_alone, refuse_texts_alone
from advisor.compute.data.label_lists import are_lists, rows_of_lists
from advisor.compute.data.labels import Labelled, label_rows

SEVERAL = "multi_label_classification"


def read_texts(
    source: str, files: Sequence[File], named: Named, problem_type: str | None = None
) -> tuple[Columns, Labelled]:
    """Texts or pairs of texts with labels. problem_type: by default what the labels look like.

    Raises:
        AdviseError: a file holds texts alone, the columns cannot be told, or rows make no sense; see `find_columns` and
            `label_rows`.
    """
    refuse_texts_alone(files)
    columns = find_columns(files[0], *named)
    files = [_named_alike(file, columns) for file in files]
    if problem_type == SEVERAL or (problem_type is None and are_lists(files, columns.label)):
        return columns, rows_of_lists(source, files, columns)
    return columns, label_rows(source, files, columns, problem_type)


def _named_alike(file: File, columns: Columns) -> File:
    """A file of texts alone with the name that the other files have for their texts."""
    return replace(file, columns={columns.text: file.columns["text"]}) if holds_texts_alone(file) else file
