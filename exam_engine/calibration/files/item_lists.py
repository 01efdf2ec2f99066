"""Small files beside the responses: the key of each item, the model of each item."""

import re
from pathlib import Path

import msgspec

from exam_engine.calibration.files.tables import OpenTable, require_columns
from exam_engine.infra.i18n import N_
from scoring.irt.models import Model


class ItemModel(msgspec.Struct, frozen=True):
    """Model of one item, and what response files call its lowest category if that is said."""

    model: Model
    first_category: int | None = None


def read_key(source: Path | bytes, file_name: str) -> dict[str, frozenset[str]]:
    """Read a key: columns `item` and `key`; several right options stand with a bar or a blank between them.

    Raises
    ------
    FileRefused
        A column is missing, a key is empty, an item stands there twice.
    """
    keys: dict[str, frozenset[str]] = {}
    with OpenTable(source, file_name) as table:
        at_item, at_key = _places(table, ("item", "cau", "cau_hoi"), ("key", "dap_an"))
        for line, cells in table:
            name = cells[at_item].strip()
            options = frozenset(part.upper() for part in re.split(r"[|\s]+", cells[at_key].strip()) if part)
            if name in keys:
                table.mistakes.add(N_("item {item} stands there twice"), line=line, item=name)
            if not options:
                table.mistakes.add(N_("the cell is empty"), line=line, column=table.header.titles[at_key])
            keys[name] = options
        if not keys:
            table.mistakes.add(N_("there are no items in this file"))
        table.mistakes.finish()
    return keys


def read_models(source: Path | bytes, file_name: str) -> dict[str, ItemModel]:
    """Read the models of items: columns `item`, `model` and, if wanted, `first_category`.

    Raises
    ------
    FileRefused
        A column is missing, a model is unknown, an item stands there twice.
    """
    models: dict[str, ItemModel] = {}
    with OpenTable(source, file_name) as table:
        at_item, at_model = require_columns(table, ["item", "model"])
        at_first = table.header.place("first_category")
        for line, cells in table:
            name, text = cells[at_item].strip(), cells[at_model].strip()
            if name in models:
                table.mistakes.add(N_("item {item} stands there twice"), line=line, item=name)
            try:
                model = Model(text.casefold())
            except ValueError:
                known = ", ".join(Model)
                message = N_("“{value}” is no model; known are {known}")
                table.mistakes.add(message, line=line, column="model", value=text[:40], known=known)
                continue
            first = cells[at_first].strip() if at_first is not None else ""
            if first and not (first.isascii() and first.isdigit() and len(first) < 3):
                table.mistakes.add(
                    N_("“{value}” is not a whole number"), line=line, column="first_category", value=first
                )
                first = ""
            models[name] = ItemModel(model, int(first) if first else None)
        if not models:
            table.mistakes.add(N_("there are no items in this file"))
        table.mistakes.finish()
    return models


def _places(table: OpenTable, *wanted: tuple[str, ...]) -> list[int]:
    places = [table.header.place(*names) for names in wanted]
    for names, place in zip(wanted, places, strict=True):
        if place is None:
            table.mistakes.add(N_("the column {column} is missing"), column=names[0])
    table.mistakes.finish()
    return [place for place in places if place is not None]
