"""What other rooms read of a form: the keyless bytes, paper codes, facts for checking responses, structs for print."""

from collections.abc import Mapping

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import store
from exam_engine.assembly.errors import CompiledFormUnknown, FormUnknown, PaperCodeUnknown
from exam_engine.assembly.model import CompiledForm, FormFacts, FormId, PaperCode, PaperCodeId, SlotOfForm
from exam_engine.assembly.service.forms import load_form
from exam_engine.assembly.service.keys import load_form_key
from exam_engine.authoring import service as authoring
from exam_engine.authoring.parameters import ParameterVersion
from item_bank.forms.paper import PrintedPaper, decode_form, printed_paper
from item_bank.forms.printed_key import PrintedKey, printed_key
from item_bank.model.item import Item
from item_bank.model.responses import shape_of_slot


async def load_compiled(session: AsyncSession, form_hash: str) -> CompiledForm:
    """Return the keyless form of a hash.

    Raises
    ------
    CompiledFormUnknown
        No form has it.
    """
    compiled = await store.find_compiled(session, hash=form_hash) if form_hash.isalnum() else None
    if compiled is None:
        raise CompiledFormUnknown(form_hash[:64])
    return compiled


async def load_compiled_of_form(session: AsyncSession, form_id: FormId) -> CompiledForm:
    """Return the keyless form of a form.

    Raises
    ------
    FormUnknown
        There is no such form.
    """
    compiled = await store.find_compiled(session, form_id=form_id)
    if compiled is None:
        raise FormUnknown(form_id)
    return compiled


async def load_paper_codes(session: AsyncSession, form_id: FormId) -> tuple[PaperCode, ...]:
    """Return the paper codes of a form, in order of code."""
    return await store.load_paper_codes(session, form_id)


async def load_paper_code(session: AsyncSession, paper_code_id: PaperCodeId) -> PaperCode:
    """Return one paper code.

    Raises
    ------
    PaperCodeUnknown
        There is none of this id.
    """
    found = await store.find_paper_code(session, paper_code_id)
    if found is None:
        raise PaperCodeUnknown("", str(paper_code_id))
    return found


async def load_slots(session: AsyncSession, form_id: FormId) -> tuple[SlotOfForm, ...]:
    """Return the slots of a form in master order: parts, item versions, points."""
    return await store.load_slots(session, form_id)


async def load_parameters(session: AsyncSession, form_id: FormId) -> Mapping[int, ParameterVersion]:
    """Return the newest accepted parameters of a form's items by slot; items without any are left out."""
    slots = await store.load_slots(session, form_id)
    accepted = await authoring.accepted_parameters(session, [slot.item_version_id for slot in slots])
    return {slot.slot: accepted[slot.item_version_id] for slot in slots if slot.item_version_id in accepted}


async def load_items(session: AsyncSession, form_id: FormId) -> Mapping[int, Item]:
    """Return the items of a form by slot, keys and all, in the author's letters: for staff only."""
    slots = await store.load_slots(session, form_id)
    versions = await authoring.frozen_versions(session, [slot.item_version_id for slot in slots])
    return {slot.slot: versions[slot.item_version_id].item for slot in slots}


async def form_facts(session: AsyncSession, form_id: FormId) -> FormFacts:
    """Return what delivery checks responses against: for every slot, which responses are possible."""
    compiled = await load_compiled_of_form(session, form_id)
    form = msgspec.json.decode(compiled.body)
    return FormFacts(
        form_id=form_id,
        hash=compiled.hash,
        title=form["title"],
        minutes=form["minutes"],
        shapes={item["slot"]: shape_of_slot(item) for item in form["items"]},
    )


async def paper_for_print(session: AsyncSession, form_id: FormId, code: str) -> PrintedPaper:
    """Return a form as one paper code shows it, keyless.

    Raises
    ------
    FormUnknown, PaperCodeUnknown
        There is no such paper.
    """
    form = await load_form(session, form_id)
    compiled = await load_compiled_of_form(session, form_id)
    for paper_code in await store.load_paper_codes(session, form_id):
        if paper_code.code == code:
            return printed_paper(decode_form(compiled.body), code, paper_code.ordering)
    raise PaperCodeUnknown(form.code, code)


async def key_for_print(session: AsyncSession, form_id: FormId, version: int | None = None) -> PrintedKey:
    """Return the key of a form under all its paper codes.

    Raises
    ------
    FormUnknown, KeyVersionUnknown
        There is no such key.
    """
    form_key = await load_form_key(session, form_id, version)
    compiled = await load_compiled_of_form(session, form_id)
    codes = await store.load_paper_codes(session, form_id)
    keys = {slot.slot: slot.key for slot in form_key.slots}
    return printed_key(decode_form(compiled.body), keys, [(code.code, code.ordering) for code in codes])
