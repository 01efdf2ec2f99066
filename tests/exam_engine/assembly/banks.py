"""A small bank of active items, a blueprint over it, and the people of a form."""

from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service
from exam_engine.assembly.model import AssemblyOrder, Form, StoredBlueprint
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import Bank
from exam_engine.authoring.tables import ItemRow, ItemVersionRow, StimulusRow, StimulusVersionRow
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Role
from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part, kind_of
from item_bank.model.interactions import (
    Essay,
    Interaction,
    Option,
    ShortNumeric,
    SingleChoice,
    Statement,
    TrueFalseCluster,
)
from item_bank.model.item import Item, Level, Stimulus
from item_bank.model.review import content_hash
from scoring.keys.values import ClusterKey, Criterion, Key, OneOptionKey, RubricKey, ShortAnswerKey
from tests.exam_engine.identity.people import NOW, person, saved, unit

CLUSTER = TrueFalseCluster(tuple(Statement(letter, f"<p>statement {letter}</p>") for letter in "abcd"))


class Hall(msgspec.Struct):
    """Everything a test of forms needs."""

    bank: Bank
    blueprint: StoredBlueprint
    developer: Person
    board: Person


def choice(code: str, key: str) -> tuple[Interaction, Key]:
    options = tuple(Option(letter, f"<p>{letter} of {code}</p>", letter == "D") for letter in "ABCD")
    return SingleChoice(options), OneOptionKey((key,))


def items() -> list[Item]:
    levels = list(Level)
    truths = [dict(zip("abcd", (True, False, n == 1, True), strict=True)) for n in range(3)]
    rubric = RubricKey((Criterion("c1", "Content", 100), Criterion("c2", "Language", 100)))
    made: list[tuple[str, str, Level, tuple[Interaction, Key], str | None]] = [
        *((f"MC-{n:02d}", f"t{n % 2}", levels[n % 3], choice(f"MC-{n}", "ABCD"[n % 4]), None) for n in range(12)),
        *((f"RD-{n:02d}", "read", Level.APPLY, choice(f"RD-{n}", "ABC"[n % 3]), f"P{n // 2}") for n in range(4)),
        *((f"TF-{n:02d}", "t0", Level.UNDERSTAND, (CLUSTER, ClusterKey(truths[n])), None) for n in range(3)),
        *((f"SA-{n:02d}", "t1", Level.APPLY, (ShortNumeric(), ShortAnswerKey((f"{n},5",))), None) for n in range(3)),
        ("ES-00", "t1", Level.APPLY, (Essay(200), rubric), None),
    ]
    return [
        Item(
            code=code,
            topic=topic,
            level=level,
            stem=f"<p>stem of {code}</p>",
            interaction=interaction,
            key=key,
            stimulus=stimulus,
            explanation="secret explanation",
        )
        for code, topic, level, (interaction, key), stimulus in made
    ]


def spec() -> Blueprint:
    return Blueprint(
        title="Toán",
        minutes=90,
        paper_code_prefix="01",
        parts=(
            Part(
                part=1,
                title="PHẦN I",
                kind=ItemKind.SINGLE_CHOICE,
                points=25,
                cells=(Cell(3, "t0"), Cell(3, "t1"), Cell(2, "read")),
                testlets=1,
            ),
            Part(part=2, title="PHẦN II", kind=ItemKind.TRUE_FALSE_CLUSTER, points=100, cells=(Cell(2),)),
            Part(part=3, title="PHẦN III", kind=ItemKind.SHORT_NUMERIC, points=50, cells=(Cell(2),)),
            Part(part=4, title="PHẦN IV", kind=ItemKind.ESSAY, points=200, cells=(Cell(1),)),
        ),
    )


async def hall(session: AsyncSession) -> Hall:
    mark = uuid4().hex[:8]
    province = unit()
    await saved(session, province)
    developer = await person(session, (Role.TEST_DEVELOPER, province), name="developer")
    board = await person(session, (Role.BOARD, province), name="board")
    new = authoring.NewBank(code=f"bank-{mark}", name="Bank", subject_code="TOAN", grade=12, unit_id=province.id)
    bank = await authoring.create_bank(session, new, actor="system:test", now=NOW)
    await _add_items(session, bank, developer, items())
    blueprint = await service.save_blueprint(
        session, bank_id=bank.id, code=f"bp-{mark}", name="Blueprint", spec=spec(), actor=developer, now=NOW
    )
    return Hall(bank=bank, blueprint=blueprint, developer=developer, board=board)


async def assembled(session: AsyncSession, on: Hall, *, seed: int = 7, **fields: object) -> Form:
    values = {
        "blueprint_id": on.blueprint.id,
        "code": f"form-{uuid4().hex[:8]}",
        "seed": seed,
        "paper_codes": 2,
        **fields,
    }
    return await service.assemble(session, AssemblyOrder(**values), actor=on.developer, now=NOW)  # type: ignore[arg-type]


async def sealed(session: AsyncSession, on: Hall, **fields: object) -> Form:
    form = await assembled(session, on, **fields)
    return await service.seal(session, form.id, actor=on.board, now=NOW)


async def _add_items(session: AsyncSession, bank: Bank, author: Person, made: list[Item]) -> None:
    """Write frozen active versions straight into the tables: their way through review is tested elsewhere."""
    versions_of: dict[str, StimulusVersionRow] = {}
    for code in sorted({item.stimulus for item in made if item.stimulus}):
        stimulus = StimulusRow(id=uuid4(), bank_id=bank.id, code=code)
        content = Stimulus(code=code, title=f"Passage {code}", content=f"<p>text of {code}</p>")
        versions_of[code] = StimulusVersionRow(
            id=uuid4(),
            stimulus_id=stimulus.id,
            number=1,
            content=msgspec.to_builtins(content),
            hash=code,
            frozen_at=NOW,
        )
        session.add(stimulus)
        await session.flush()
        session.add(versions_of[code])
        await session.flush()
    for item in made:
        row = ItemRow(
            id=uuid4(),
            bank_id=bank.id,
            code=item.code,
            state="active",
            kind=str(kind_of(item.interaction)),
            topic=item.topic,
            level=str(item.level),
            stimulus_code=item.stimulus,
            title=item.code,
            search_text=item.code,
            marked_text=item.code,
            created_by=author.id,
            updated_at=NOW,
        )
        session.add(row)
        await session.flush()
        session.add(
            ItemVersionRow(
                id=uuid4(),
                item_id=row.id,
                number=1,
                state="active",
                content=msgspec.to_builtins(item),
                stimulus_version_id=versions_of[item.stimulus].id if item.stimulus else None,
                content_hash=content_hash(item),
                created_by=author.id,
                created_at=NOW,
                frozen_at=NOW,
            )
        )
    await session.flush()
