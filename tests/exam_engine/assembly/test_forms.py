"""Forms: assembled from active items, the same from the same seed, sealed by a second person, altered by nobody."""

import gzip
import json
from collections import Counter
from uuid import uuid4

import brotli
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service
from exam_engine.assembly.errors import (
    AssemblyError,
    BlueprintInUse,
    BlueprintUnknown,
    CompiledFormUnknown,
    FormCodeTaken,
    FormNotSealed,
    FormSealed,
    FormUnknown,
    FourEyesNeeded,
    OrderInvalid,
    PaperCodesImpossible,
    PaperCodeUnknown,
)
from exam_engine.assembly.model import AssemblyOrder, BlueprintId, FormId, FormState
from exam_engine.audit import AuditQuery
from exam_engine.audit import service as audit
from exam_engine.identity import service as identity
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Role
from item_bank.forms.blueprint import Cell
from item_bank.forms.errors import BlueprintInvalid, KeyMisfit, Shortage
from scoring.keys.values import VoidKey
from tests.exam_engine.assembly.banks import assembled, hall, sealed, spec
from tests.exam_engine.identity.people import NOW

SECRETS = ("secret explanation", "accepted", "correct", "criteria", "rule", "Content")


async def test_a_form_has_the_slots_points_and_codes_of_its_blueprint(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    slots = await service.load_slots(session, form.id)
    assert [slot.slot for slot in slots] == list(range(1, 14))
    assert Counter((slot.part, slot.points) for slot in slots) == {(1, 25): 8, (2, 100): 2, (3, 50): 2, (4, 200): 1}
    assert [code.code for code in await service.load_paper_codes(session, form.id)] == ["0101", "0102"]
    assert (form.state, form.key_version, form.title) == (FormState.DRAFT, 1, "Toán")


async def test_no_byte_of_the_keyless_form_says_anything_of_a_key(session: AsyncSession) -> None:
    on = await hall(session)
    compiled = await service.load_compiled_of_form(session, (await assembled(session, on)).id)
    body = compiled.body.decode()
    assert not [secret for secret in SECRETS if secret in body]
    assert not [code for code in ("MC-", "RD-", "TF-", "SA-", "ES-") if f'"{code}' in body]
    assert json.loads(body)["stimuli"][0]["id"] == "S1"


async def test_the_compressed_forms_unpack_to_the_same_bytes_under_the_same_hash(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    compiled = await service.load_compiled_of_form(session, form.id)
    assert brotli.decompress(compiled.brotli) == gzip.decompress(compiled.gzip) == compiled.body
    assert (await service.load_compiled(session, compiled.hash)).body == compiled.body
    with pytest.raises(CompiledFormUnknown):
        await service.load_compiled(session, "0" * 64)


async def test_the_same_seed_gives_the_same_paper_byte_by_byte_and_another_seed_another(session: AsyncSession) -> None:
    on = await hall(session)
    orders = [
        AssemblyOrder(blueprint_id=on.blueprint.id, code="x", seed=seed, paper_codes=3, prefer_unused=False)
        for seed in (7, 7, 8)
    ]
    first, again, other = [await service.plan(session, order) for order in orders]
    assert first == again
    assert first.hash != other.hash
    assert len({ordering for _, _, ordering in first.paper_codes}) == 3


async def test_the_seed_alone_decides_when_exposure_is_left_aside(session: AsyncSession) -> None:
    on = await hall(session)
    one = await assembled(session, on, prefer_unused=False)
    two = await assembled(session, on, prefer_unused=False)
    bodies = [(await service.load_compiled_of_form(session, form.id)).hash for form in (one, two)]
    assert bodies[0] == bodies[1]


async def test_a_second_form_prefers_what_the_first_left_unused(session: AsyncSession) -> None:
    on = await hall(session)
    one, two = await assembled(session, on), await assembled(session, on)
    first = {slot.item_version_id for slot in await service.load_slots(session, one.id) if slot.part == 1}
    second = {slot.item_version_id for slot in await service.load_slots(session, two.id) if slot.part == 1}
    # Six lone items of twelve and one testlet of two: the second form needs none of the first.
    assert not first & second


async def test_a_shortage_writes_nothing_and_names_the_cell(session: AsyncSession) -> None:
    on = await hall(session)
    parts = spec().parts
    greedy = msgspec.structs.replace(parts[0], cells=(Cell(9, "t0"), Cell(1, "t9")), testlets=None)
    blueprint = await service.save_blueprint(
        session,
        bank_id=on.bank.id,
        code=f"bp-{uuid4().hex[:8]}",
        name="Greedy",
        spec=msgspec.structs.replace(spec(), parts=(greedy, *parts[1:])),
        actor=on.developer,
        now=NOW,
    )
    order = AssemblyOrder(blueprint_id=blueprint.id, code=f"form-{uuid4().hex[:8]}", seed=1)
    with pytest.raises(Shortage) as refused:
        await service.assemble(session, order, actor=on.developer, now=NOW)
    assert [(s.topic, s.wanted, s.available) for s in refused.value.shortfalls] == [("t0", 9, 6), ("t9", 1, 0)]
    with pytest.raises(FormUnknown):
        await service.load_form_coded(session, order.code)


async def test_a_form_is_sealed_by_somebody_other_than_its_assembler(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    with pytest.raises(FormNotSealed):
        await service.require_sealed(session, form.id)
    with pytest.raises(PermissionDenied):
        await service.seal(session, form.id, actor=on.developer, now=NOW)
    done = await service.seal(session, form.id, actor=on.board, now=NOW)
    assert (done.state, done.sealed_by, done.sealed_at) == (FormState.SEALED, on.board.id, NOW)
    assert await service.require_sealed(session, form.id) == done
    with pytest.raises(FormSealed):
        await service.seal(session, form.id, actor=on.board, now=NOW)
    (entry,) = await audit.load_entries(session, AuditQuery(subject=f"form:{form.code}", action="form.seal"))
    assert entry.facts["seal_hash"] == done.seal_hash
    assert entry.facts["assembled_by"] == str(on.developer.id)


async def test_even_somebody_with_both_roles_does_not_seal_their_own_form(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    unit = await identity.load_unit(session, on.bank.unit_id)
    await identity.grant_role(
        session, on.developer, Role.BOARD, unit, valid_from=NOW.date(), actor="system:test", now=NOW
    )
    with pytest.raises(FourEyesNeeded):
        await service.seal(session, form.id, actor=on.developer, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("update form_item set option_order = reverse(option_order) where form_id = :id", id="an order"),
        pytest.param("update paper_code set code = '9999' where form_id = :id and code = '0101'", id="a paper code"),
        pytest.param("update compiled_form set hash = 'x' where form_id = :id", id="the keyless form"),
        pytest.param("update form_item set points = 1000 where form_id = :id and slot = 1", id="points"),
    ],
)
async def test_a_seal_shows_what_was_altered_in_the_database(session: AsyncSession, statement: str) -> None:
    on = await hall(session)
    form = await sealed(session, on)
    assert await service.seal_holds(session, form.id)
    await session.execute(text(statement), {"id": form.id})
    session.expire_all()
    assert not await service.seal_holds(session, form.id)


async def test_a_form_code_stands_once(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    with pytest.raises(FormCodeTaken):
        await assembled(session, on, code=form.code)


async def test_unknown_forms_and_blueprints_are_refused(session: AsyncSession) -> None:
    on = await hall(session)
    with pytest.raises(FormUnknown):
        await service.load_form(session, FormId(uuid4()))
    with pytest.raises(FormUnknown):
        await service.seal(session, FormId(uuid4()), actor=on.board, now=NOW)
    with pytest.raises(BlueprintUnknown):
        await assembled(session, on, blueprint_id=BlueprintId(uuid4()))
    with pytest.raises(BlueprintUnknown):
        await service.load_blueprint_coded(session, "nothing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("code", "", id="no code"),
        pytest.param("code", "a\x00b", id="a code that cannot be kept"),
        pytest.param("seed", 2**63, id="a seed too large"),
        pytest.param("seed", -1, id="a seed below 0"),
        pytest.param("paper_codes", 0, id="no paper code"),
        pytest.param("first_serial", -1, id="a serial below 0"),
    ],
)
async def test_an_order_that_is_not_possible_is_refused_by_its_field(
    session: AsyncSession, field: str, value: object
) -> None:
    on = await hall(session)
    with pytest.raises(OrderInvalid) as refused:
        await assembled(session, on, **{field: value})
    assert refused.value.field == field


async def test_a_nul_character_is_refused_wherever_it_comes(session: AsyncSession) -> None:
    on = await hall(session)
    values = {"bank_id": on.bank.id, "actor": on.developer, "now": NOW}
    with pytest.raises(OrderInvalid):
        await service.save_blueprint(session, code="b", name="a\x00", spec=spec(), **values)  # type: ignore[arg-type]
    broken = msgspec.structs.replace(spec(), title="T\x00")
    with pytest.raises(BlueprintInvalid):
        await service.save_blueprint(session, code="b", name="a", spec=broken, **values)  # type: ignore[arg-type]
    for loader in (service.load_form_coded, service.load_blueprint_coded, service.load_compiled):
        with pytest.raises(AssemblyError):
            await loader(session, "a\x00")
    form = await sealed(session, on)
    for key, reason in ((VoidKey("a\x00"), "why"), (VoidKey("a"), "why\x00")):
        with pytest.raises(KeyMisfit):
            await service.change_key(session, form.id, 1, key, reason, actor=on.board, now=NOW)


async def test_paper_codes_have_four_digits_and_no_more_than_fit(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on, paper_codes=3, first_serial=48)
    assert [code.code for code in await service.load_paper_codes(session, form.id)] == ["0148", "0149", "0150"]
    with pytest.raises(PaperCodesImpossible):
        await assembled(session, on, paper_codes=2, first_serial=99)


async def test_a_blueprint_changes_until_a_form_was_made_by_it(session: AsyncSession) -> None:
    on = await hall(session)
    longer = msgspec.structs.replace(spec(), minutes=120)
    values = {"bank_id": on.bank.id, "code": on.blueprint.code, "name": "Blueprint", "actor": on.developer, "now": NOW}
    same = await service.save_blueprint(session, spec=spec(), **values)  # type: ignore[arg-type]
    assert same == on.blueprint
    changed = await service.save_blueprint(session, spec=longer, **values)  # type: ignore[arg-type]
    assert (changed.id, changed.spec.minutes) == (on.blueprint.id, 120)
    await assembled(session, on)
    with pytest.raises(BlueprintInUse):
        await service.save_blueprint(session, spec=spec(), **values)  # type: ignore[arg-type]
    broken = msgspec.structs.replace(spec(), language="fr")
    with pytest.raises(BlueprintInvalid):
        await service.save_blueprint(session, spec=broken, **values)  # type: ignore[arg-type]


async def test_without_the_role_nobody_assembles(session: AsyncSession) -> None:
    on = await hall(session)
    order = AssemblyOrder(blueprint_id=on.blueprint.id, code=f"form-{uuid4().hex[:8]}", seed=1)
    with pytest.raises(PermissionDenied):
        await service.assemble(session, order, actor=on.board, now=NOW)


async def test_delivery_learns_which_responses_are_possible_and_nothing_else(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    facts = await service.form_facts(session, form.id)
    assert list(facts.shapes) == list(range(1, 14))
    assert Counter(shape.kind for shape in facts.shapes.values()) == {
        "single_choice": 8,
        "true_false_cluster": 2,
        "short_numeric": 2,
        "essay": 1,
    }
    assert facts.shapes[1].ids == frozenset("ABCD")


async def test_the_list_shows_forms_of_the_units_asked_for_newest_first(session: AsyncSession) -> None:
    on, elsewhere = await hall(session), await hall(session)
    form = await sealed(session, on)
    await assembled(session, elsewhere)
    (line,) = await service.load_forms(session, unit_ids=[on.bank.unit_id])
    assert (line.form.id, line.slots, line.paper_codes) == (form.id, 13, ("0101", "0102"))
    assert line.blueprint_code == on.blueprint.code
    assert (line.created_by_name, line.sealed_by_name) == (on.developer.display_name, on.board.display_name)
    assert not await service.load_forms(session, bank_id=on.bank.id, state=FormState.DRAFT)


async def test_a_paper_is_printed_as_its_code_shows_it(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    paper = await service.paper_for_print(session, form.id, "0102")
    assert [len(part.items) for part in paper.parts] == [8, 2, 2, 1]
    assert all(item.item.options[3].content.startswith("<p>D of") for item in paper.parts[0].items)  # type: ignore[union-attr]
    with pytest.raises(PaperCodeUnknown):
        await service.paper_for_print(session, form.id, "0999")
