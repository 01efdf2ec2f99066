"""Export of a bank: tables, a workbook or GIFT, with the figures beside; importing it again changes nothing."""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.authoring import service, store
from exam_engine.authoring.model import Bank, BankContents
from exam_engine.authoring.packages import SourceFile
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.sheets import csv_bytes
from item_bank.checks import Finding
from item_bank.checks.items import contents_of
from item_bank.interchange.export import (
    USUAL_COLUMNS,
    Row,
    figures_of,
    item_rows,
    lines_of,
    stimulus_rows,
    titles_of,
    topic_rows,
)
from item_bank.interchange.gift_writer import write_gift
from item_bank.model.item import Item


class Format(StrEnum):
    """In what form a bank is written."""

    CSV = "csv"
    XLSX = "xlsx"
    GIFT = "gift"


class Export(msgspec.Struct, frozen=True):
    """The files of an export, and what the format could not hold."""

    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...] = ()


async def export_bank(
    session: AsyncSession, bank: Bank, file_format: Format, *, actor: Person, now: datetime
) -> Export:
    """Write the newest versions of a bank's items, with keys: what leaves is noted.

    Raises
    ------
    PermissionDenied
        The person may not read the bank's items.
    """
    await service.require(session, Permission.READ_ITEMS, bank, actor=actor)
    contents = await store.load_contents(session, bank.id)
    findings: tuple[Finding, ...] = ()
    if file_format is Format.GIFT:
        written = write_gift(version.item for version in contents.items.values())
        files = [SourceFile(f"{bank.code}.gift", written.text.encode())]
        findings = written.findings
    else:
        files = _tables(bank, contents, file_format)
    files += await _figures(session, contents)
    facts = {"format": file_format.value, "items": len(contents.items)}
    subject = f"bank:{bank.code}"
    await audit.append(session, actor=actor_of(actor), action="item.export", subject=subject, facts=facts, now=now)
    return Export(tuple(files), findings)


def _tables(bank: Bank, contents: BankContents, file_format: Format) -> list[SourceFile]:
    items = [version.item for version in contents.items.values()]
    stimuli = [version.stimulus for version in contents.stimuli.values()]
    sheets: dict[str, list[Row]] = {
        "items": item_rows(items, language=bank.language),
        "stimuli": stimulus_rows(stimuli, language=bank.language),
        "topics": topic_rows(contents.topics.values()),
    }
    titles = {name: titles_of(rows, *USUAL_COLUMNS[name]) for name, rows in sheets.items()}
    if file_format is Format.XLSX:
        # Imported here: the writer is slow to load and seldom needed.
        from item_bank.interchange.excel import workbook_bytes

        return [SourceFile(f"{bank.code}.xlsx", workbook_bytes(sheets, titles))]
    return [
        SourceFile(f"{name}.csv", csv_bytes(titles[name], lines_of(rows, titles[name])))
        for name, rows in sheets.items()
        if rows or name == "items"
    ]


async def _figures(session: AsyncSession, contents: BankContents) -> list[SourceFile]:
    texts = [text for version in contents.items.values() for text in _texts(version.item)]
    texts += [version.stimulus.content for version in contents.stimuli.values()]
    names = sorted({name for text in texts for name in figures_of(text)})
    return [SourceFile(name, (await service.load_media(session, name.partition(".")[0])).content) for name in names]


def _texts(item: Item) -> list[str]:
    return [text for _, text in contents_of(item)]
