"""Many rows in one statement of constant size: columns travel as arrays and are unnested by the server.

A statement with a parameter for each value would be compiled anew for every number of rows, at more cost than the work.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from typing import cast as cast_type

import msgspec
from sqlalchemy import ARRAY, Column, Select, String, Table, bindparam, cast, func, select, update
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from exam_engine.infra.database import Base

BATCH = 20_000
"""Rows of one statement: a few megabytes."""


async def insert_many(
    session: AsyncSession,
    row: type[Base],
    values: Sequence[Mapping[str, Any]],
    *,
    replaces: Sequence[str] = (),
) -> None:
    """Insert rows; with `replaces`, a row of the same primary key takes these columns instead."""
    if not values:
        return
    table = _table(row)
    names = list(values[0])
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        statement = upsert(table).from_select(names, _unnested(table, names))
        if replaces:
            changed = {name: statement.excluded[name] for name in replaces}
            key = [c.name for c in table.primary_key.columns]
            statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
        await session.execute(statement, _arrays(table, names, batch))


async def update_many(session: AsyncSession, row: type[Base], values: Sequence[Mapping[str, Any]]) -> None:
    """Write columns over the rows with the same `id`."""
    if not values:
        return
    table = _table(row)
    names = list(values[0])
    given = _unnested(table, names).subquery("given")
    changed = {name: given.c[name] for name in names if name != "id"}
    statement = update(table).where(table.c.id == given.c.id).values(changed)
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        await session.execute(statement, _arrays(table, names, batch))


def _table(row: type[Base]) -> Table:
    return cast_type(Table, row.__table__)


def _unnested(table: Table, names: Sequence[str]) -> Select[Any]:
    arrays = [bindparam(f"many_{name}", type_=ARRAY(_carrier(table.c[name]))) for name in names]
    carried = (named(name, _carrier(table.c[name])) for name in names)
    given = func.unnest(*arrays).table_valued(*carried, name="rows").render_derived()
    return select(*(_restored(table.c[name], given.c[name]) for name in names))


def _restored(column: Column[Any], given: Any) -> Any:
    # Arrays of JSON would be read as JSON arrays, so the documents travel as text.
    return cast(given, JSONB).label(column.name) if isinstance(column.type, JSONB) else given


def _carrier(column: Column[Any]) -> TypeEngine[Any]:
    return String() if isinstance(column.type, JSONB | String) else column.type


def _arrays(table: Table, names: Sequence[str], values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    arrays: dict[str, list[Any]] = {}
    for name in names:
        cells = [entry[name] for entry in values]
        if isinstance(table.c[name].type, JSONB):
            cells = [None if cell is None else msgspec.json.encode(cell).decode() for cell in cells]
        arrays[f"many_{name}"] = cells
    return arrays
