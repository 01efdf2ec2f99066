"""Keys of forms: in master letters, versioned, changed only by a second person with a reason."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service
from exam_engine.assembly.errors import FormNotSealed, KeyUnchanged, KeyVersionUnknown, ReasonMissing, SlotUnknown
from exam_engine.assembly.model import Form, FormId
from exam_engine.audit import AuditQuery
from exam_engine.audit import service as audit
from exam_engine.identity.errors import PermissionDenied
from item_bank.forms.errors import KeyMisfit
from scoring.errors import KeyInvalid
from scoring.keys.values import ClusterKey, Key, OneOptionKey, OptionSetKey, VoidKey
from scoring.totals import score_attempt
from tests.exam_engine.assembly.banks import Hall, assembled, hall, sealed
from tests.exam_engine.identity.people import NOW


async def change(session: AsyncSession, on: Hall, form: Form, slot: int, key: Key, reason: str = "a misprint") -> int:
    return await service.change_key(session, form.id, slot, key, reason, actor=on.board, now=NOW)


async def test_the_key_of_a_form_names_the_authors_right_options_in_master_letters(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    items = await service.load_items(session, form.id)
    form_key = await service.load_form_key(session, form.id)
    assert form_key.maximum == 700
    for slot, stored in zip(await service.load_slots(session, form.id), form_key.slots, strict=True):
        assert (stored.slot, stored.part, stored.points) == (slot.slot, slot.part, slot.points)
        author = items[slot.slot].key
        if isinstance(author, OneOptionKey):
            assert isinstance(stored.key, OneOptionKey)
            assert slot.option_order is not None
            assert slot.option_order["ABCD".index(stored.key.accepted[0])] == author.accepted[0]
        else:
            assert stored.key == author


async def test_the_right_answers_of_the_printed_key_give_full_credit(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    form_key = await service.load_form_key(session, form.id)
    right = {
        slot.slot: slot.key.accepted[0] if isinstance(slot.key, OneOptionKey) else slot.key.statements
        for slot in form_key.slots
        if isinstance(slot.key, OneOptionKey | ClusterKey)
    }
    assert score_attempt(form_key, right).total == 8 * 25 + 2 * 100
    printed = await service.key_for_print(session, form.id)
    assert printed.codes == ("0101", "0102")
    for column, code in enumerate(await service.load_paper_codes(session, form.id)):
        shown = [row.keys[column] for row in printed.parts[0].rows]
        first = next(entry for entry in code.ordering if entry.slot <= 8)
        assert first.options["ABCD".index(shown[0])] == right[first.slot]
    assert all(row.keys[0].endswith(",5") for row in printed.parts[2].rows)
    (rubric,) = printed.rubrics
    assert (rubric.part, rubric.numbers, len(rubric.criteria)) == (4, (1, 1), 2)


async def test_a_changed_key_is_a_new_version_and_the_old_one_stays(session: AsyncSession) -> None:
    on = await hall(session)
    form = await sealed(session, on)
    before = await service.load_form_key(session, form.id)
    old = before.slots[0].key
    assert isinstance(old, OneOptionKey)
    other = "A" if old.accepted != ("A",) else "B"
    both = OneOptionKey(tuple(sorted((*old.accepted, other))))
    assert await change(session, on, form, 1, both) == 2
    assert await change(session, on, form, 2, VoidKey("no right option"), "  withdrawn ") == 3
    assert (await service.load_form(session, form.id)).key_version == 3
    assert await service.load_form_key(session, form.id, 1) == before
    assert (await service.load_form_key(session, form.id, 2)).slots[0].key == both
    newest = await service.load_form_key(session, form.id)
    assert [slot.key for slot in newest.slots[:2]] == [both, VoidKey("no right option")]
    assert newest.slots[2:] == before.slots[2:]
    history = await service.load_key_history(session, form.id)
    assert [(key.slot, key.version, key.reason) for key in history] == [(1, 2, "a misprint"), (2, 3, "withdrawn")]
    with pytest.raises(KeyVersionUnknown):
        await service.load_form_key(session, form.id, 4)


async def test_a_key_change_leaves_the_seal_whole_and_its_record_without_the_key(session: AsyncSession) -> None:
    on = await hall(session)
    form = await sealed(session, on)
    await change(session, on, form, 3, VoidKey("no right option"))
    assert await service.seal_holds(session, form.id)
    (entry,) = await audit.load_entries(session, AuditQuery(subject=f"form:{form.code}", action="form.change_key"))
    assert (entry.facts["slot"], entry.facts["key_version"]) == (3, 2)
    assert entry.facts["changed_by"] != entry.facts["assembled_by"]
    assert "key" not in entry.facts


async def test_what_may_not_be_changed_is_refused_and_changes_nothing(session: AsyncSession) -> None:
    on = await hall(session)
    draft = await assembled(session, on)
    with pytest.raises(FormNotSealed):
        await change(session, on, draft, 1, VoidKey("x"))
    form = await sealed(session, on)
    before = await service.load_form_key(session, form.id)
    with pytest.raises(PermissionDenied):
        await service.change_key(session, form.id, 1, VoidKey("x"), "why", actor=on.developer, now=NOW)
    with pytest.raises(ReasonMissing):
        await change(session, on, form, 1, VoidKey("x"), " ")
    with pytest.raises(SlotUnknown):
        await change(session, on, form, 99, VoidKey("x"))
    with pytest.raises(KeyInvalid):
        await change(session, on, form, 1, OneOptionKey(()))
    with pytest.raises(KeyMisfit):
        await change(session, on, form, 1, OneOptionKey(("E",)))
    with pytest.raises(KeyMisfit):
        await change(session, on, form, 1, OptionSetKey(("A",)))
    with pytest.raises(KeyUnchanged):
        await change(session, on, form, 1, before.slots[0].key)
    with pytest.raises(Exception, match="there is no form"):
        await service.change_key(session, FormId(uuid4()), 1, VoidKey("x"), "why", actor=on.board, now=NOW)
    assert await service.load_form_key(session, form.id) == before
    assert (await service.load_form(session, form.id)).key_version == 1


async def test_the_database_refuses_to_overwrite_a_key(session: AsyncSession) -> None:
    on = await hall(session)
    form = await assembled(session, on)
    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(text("update form_key set reason = 'x' where form_id = :id"), {"id": form.id})
