"""The plan of a form: drawn, ordered, keyed and compiled from one seed, before anything of it is written. Pure."""

from collections.abc import Mapping, Sequence

from exam_engine.assembly.errors import PaperCodesImpossible
from exam_engine.assembly.model import AssemblyOrder, Candidature, FormPlan, SlotOfForm
from exam_engine.infra.randomness import generator
from item_bank.forms.blueprint import Blueprint, kind_of
from item_bank.forms.draw import DrawnItem, PoolItem, draw
from item_bank.forms.keys import key_for_form
from item_bank.forms.ordering import (
    FormSlot,
    Ordering,
    form_slot,
    master_order,
    option_order,
    paper_ordering,
    require_ordering,
)
from item_bank.forms.paper import PlacedItem, compile_form, encode_form

PAPER_CODE_DIGITS = 4
ATTEMPTS_AT_ANOTHER_ORDER = 20

# What the seed of a form is used for; every use has a stream of chance of its own.
_DRAW, _MASTER_ORDER, _PAPER_CODE = 1, 2, 3


def plan_form(blueprint: Blueprint, bank: Sequence[Candidature], order: AssemblyOrder) -> FormPlan:
    """Draw, order and compile a form: the same bank, blueprint and order give the same plan, byte by byte.

    Raises
    ------
    Shortage, DrawUndecided, PaperCodesImpossible
        Nothing can be planned.
    """
    codes = paper_code_names(blueprint.paper_code_prefix, order.first_serial, order.paper_codes)
    by_code = {candidature.item.code: candidature for candidature in bank}
    drawn = draw(blueprint, _pool(blueprint, by_code, order), generator(order.seed, _DRAW))
    chance = generator(order.seed, _MASTER_ORDER)
    ordered = master_order(blueprint, drawn, chance)
    placed = [
        PlacedItem(
            slot=slot,
            part=blueprint.parts[each.part_index].part,
            item=by_code[each.item.id].item,
            option_order=option_order(by_code[each.item.id].item.interaction, chance),
            stimulus=by_code[each.item.id].stimulus,
        )
        for slot, each in enumerate(ordered, start=1)
    ]
    return FormPlan(
        title=blueprint.title,
        slots=_slots(blueprint, placed, ordered, by_code),
        items=tuple(each.item for each in placed),
        keys=tuple(key_for_form(each.item.key, each.option_order) for each in placed),
        paper_codes=_paper_codes(codes, order, _form_slots(blueprint, placed, ordered)),
        body=encode_form(compile_form(blueprint, placed)),
    )


def paper_code_names(prefix: str, first_serial: int, count: int) -> tuple[str, ...]:
    """Return the names of paper codes: the digits of the subject, then a serial, four digits together.

    Raises
    ------
    PaperCodesImpossible
        There are not so many.
    """
    room = PAPER_CODE_DIGITS - len(prefix)
    if room < 1 or first_serial + count > 10**room:
        raise PaperCodesImpossible(prefix, first_serial, count)
    return tuple(f"{prefix}{serial:0{room}d}" for serial in range(first_serial, first_serial + count))


def _pool(blueprint: Blueprint, by_code: Mapping[str, Candidature], order: AssemblyOrder) -> list[PoolItem]:
    """Describe the bank in order of code, so that the draw does not hang on when an item was written."""
    enemies: dict[str, set[str]] = {}
    for first, second in blueprint.enemies:
        enemies.setdefault(first, set()).add(second)
    return [
        PoolItem(
            id=code,
            kind=kind_of(each.item.interaction),
            topic=each.item.topic,
            level=each.item.level,
            stimulus=each.item.stimulus,
            exposures=each.exposures if order.prefer_unused else 0,
            enemies=frozenset(enemies.get(code, ())),
        )
        for code, each in sorted(by_code.items())
    ]


def _slots(
    blueprint: Blueprint,
    placed: Sequence[PlacedItem],
    ordered: Sequence[DrawnItem],
    by_code: Mapping[str, Candidature],
) -> tuple[SlotOfForm, ...]:
    return tuple(
        SlotOfForm(
            slot=each.slot,
            part=each.part,
            item_version_id=by_code[each.item.code].item_version_id,
            option_order=each.option_order,
            points=blueprint.parts[of.part_index].worth,
            track=blueprint.parts[of.part_index].track,
        )
        for each, of in zip(placed, ordered, strict=True)
    )


def _form_slots(
    blueprint: Blueprint, placed: Sequence[PlacedItem], ordered: Sequence[DrawnItem]
) -> tuple[FormSlot, ...]:
    return tuple(
        form_slot(
            each.item.interaction,
            blueprint.parts[of.part_index],
            slot=each.slot,
            run=of.part_index,
            stimulus=each.item.stimulus,
        )
        for each, of in zip(placed, ordered, strict=True)
    )


def _paper_codes(
    codes: Sequence[str], order: AssemblyOrder, slots: Sequence[FormSlot]
) -> tuple[tuple[str, int, Ordering], ...]:
    made: list[tuple[str, int, Ordering]] = []
    for serial, code in enumerate(codes, start=order.first_serial):
        chance = generator(order.seed, _PAPER_CODE, serial)
        # A form of very few items may not have so many different orderings; then two codes are equal.
        for _ in range(ATTEMPTS_AT_ANOTHER_ORDER):
            seed = int(chance.integers(2**63))
            ordering = paper_ordering(slots, generator(seed))
            if all(ordering != other for _, _, other in made):
                break
        require_ordering(slots, ordering)
        made.append((code, seed, ordering))
    return tuple(made)
