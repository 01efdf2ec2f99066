"""Blueprints, forms, paper codes and keys for staff."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from api.acts import Act, staff_act
from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import AssemblyOrder, Form, FormId, FormSummary, StoredBlueprint
from exam_engine.authoring import service as authoring
from exam_engine.identity.permissions import Permission
from exam_engine.infra.randomness import fresh_seed
from item_bank.forms.blueprint import Blueprint
from scoring.keys.values import Key

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class BlueprintBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A blueprint for a bank."""

    bank: str
    code: Code
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    spec: Blueprint


class BlueprintView(msgspec.Struct, frozen=True):
    """A blueprint under its code."""

    id: UUID
    code: str
    name: str
    spec: Blueprint

    @classmethod
    def of(cls, blueprint: StoredBlueprint) -> "BlueprintView":
        """Show a blueprint."""
        return cls(blueprint.id, blueprint.code, blueprint.name, blueprint.spec)


class AssembleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to assemble; without a seed a fresh one is taken and stored."""

    blueprint: str
    code: Code
    paper_codes: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 2
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class FormView(msgspec.Struct, frozen=True):
    """A form, keyless."""

    id: UUID
    code: str
    title: str
    state: str
    seed: int
    key_version: int
    paper_codes: tuple[str, ...]

    @classmethod
    def of(cls, form: Form, paper_codes: tuple[str, ...]) -> "FormView":
        """Show a form."""
        return cls(form.id, form.code, form.title, form.state.value, form.seed, form.key_version, paper_codes)


class KeySlotView(msgspec.Struct, frozen=True):
    """The key of one slot in master letters; only for who may read keys."""

    slot: int
    part: int
    points: int
    item: str
    kind: str
    options: tuple[str, ...]
    key: Key


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A changed key of one slot, and why."""

    slot: Annotated[int, msgspec.Meta(ge=1)]
    key: Key
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class FormController(Controller):
    """`/api/blueprints`, `/api/forms/…`."""

    path = "/api"
    tags = ("forms",)

    @post("/blueprints", summary="Save a blueprint")
    async def save_blueprint(self, request: Request[Any, Any, Any], data: JSONBody[BlueprintBody]) -> BlueprintView:
        """Save a blueprint; one that forms were made of does not change."""
        async with staff_act(request, Permission.WRITE_FORMS) as act:
            bank = await authoring.bank_by_code(act.session, data.bank)
            return BlueprintView.of(
                await assembly.save_blueprint(
                    act.session,
                    bank_id=bank.id,
                    code=data.code,
                    name=data.name,
                    spec=data.spec,
                    actor=act.person,
                    now=act.now,
                )
            )

    @get("/blueprints", summary="Blueprints")
    async def blueprints(self, request: Request[Any, Any, Any]) -> list[BlueprintView]:
        """Answer the blueprints of the banks the person may read."""
        async with staff_act(request, Permission.READ_FORMS) as act:
            return [BlueprintView.of(blueprint) for blueprint in await readable_blueprints(act)]

    @get("/staff/forms", summary="Forms")
    async def forms(self, request: Request[Any, Any, Any]) -> list[FormView]:
        """Answer the forms of the person's units."""
        async with staff_act(request, Permission.READ_FORMS) as act:
            return [FormView.of(summary.form, summary.paper_codes) for summary in await readable_forms(act)]

    @post("/staff/forms", summary="Assemble a form")
    async def assemble(self, request: Request[Any, Any, Any], data: JSONBody[AssembleBody]) -> FormView:
        """Draw items for every cell, order the paper codes, compile; a shortage names every short cell."""
        async with staff_act(request, Permission.WRITE_FORMS) as act:
            form = await assemble_form(act, data.blueprint, data.code, data.paper_codes, data.seed)
            codes = await assembly.load_paper_codes(act.session, form.id)
            return FormView.of(form, tuple(code.code for code in codes))

    @post("/staff/forms/{form_id:uuid}/seal", summary="Seal a form", status_code=200)
    async def seal(self, request: Request[Any, Any, Any], form_id: FromPath[UUID]) -> FormView:
        """Seal a form somebody else assembled; from then on it does not change."""
        async with staff_act(request, Permission.SEAL_FORMS) as act:
            form = await assembly.seal(act.session, FormId(form_id), actor=act.person, now=act.now)
            codes = await assembly.load_paper_codes(act.session, form.id)
            return FormView.of(form, tuple(code.code for code in codes))

    @get("/staff/forms/{form_id:uuid}/key", summary="The key of a form in master letters")
    async def key(
        self, request: Request[Any, Any, Any], form_id: FromPath[UUID], version: FromQuery[int | None] = None
    ) -> list[KeySlotView]:
        """Answer the key by slot; only to who may read keys."""
        async with staff_act(request, Permission.READ_KEYS) as act:
            form = await require_form(act, FormId(form_id), Permission.READ_KEYS)
            key = await assembly.load_form_key(act.session, form.id, version)
            items = await assembly.load_items(act.session, form.id)
            facts = await assembly.form_facts(act.session, form.id)
            return [
                KeySlotView(
                    slot=slot.slot,
                    part=slot.part,
                    points=slot.points,
                    item=items[slot.slot].code,
                    kind=str(items[slot.slot].interaction.__struct_config__.tag),
                    options=tuple(sorted(facts.shapes[slot.slot].ids)),
                    key=slot.key,
                )
                for slot in key.slots
            ]

    @post("/staff/forms/{form_id:uuid}/key", summary="Change the key of one slot", status_code=200)
    async def change_key(
        self, request: Request[Any, Any, Any], form_id: FromPath[UUID], data: JSONBody[KeyBody]
    ) -> dict[str, int]:
        """Begin a new key version; the old one and all its scores stay."""
        async with staff_act(request, Permission.CHANGE_KEYS) as act:
            version = await assembly.change_key(
                act.session, FormId(form_id), data.slot, data.key, data.reason, actor=act.person, now=act.now
            )
            return {"key_version": version}

    @get("/staff/forms/{form_id:uuid}/papers/{code:str}", summary="A paper to print", media_type="application/pdf")
    async def paper(
        self, request: Request[Any, Any, Any], form_id: FromPath[UUID], code: FromPath[str]
    ) -> Response[bytes]:
        """Answer one paper code as PDF, keyless."""
        from exam_engine.assembly import documents

        async with staff_act(request, Permission.READ_FORMS) as act:
            form = await require_form(act, FormId(form_id), Permission.READ_FORMS)
            paper = await assembly.paper_for_print(act.session, form.id, code)
            pictures = await documents.load_pictures(act.session, paper)
        body = documents.paper_document(paper, exam_name=form.code, load_picture=pictures)
        return _pdf(body, f"{form.code}-{code}.pdf")

    @get("/staff/forms/{form_id:uuid}/key.pdf", summary="The key to print", media_type="application/pdf")
    async def key_document(self, request: Request[Any, Any, Any], form_id: FromPath[UUID]) -> Response[bytes]:
        """Answer the key matrix of all paper codes as PDF."""
        from exam_engine.assembly import documents

        async with staff_act(request, Permission.READ_KEYS) as act:
            form = await require_form(act, FormId(form_id), Permission.READ_KEYS)
            key = await assembly.key_for_print(act.session, form.id)
        return _pdf(documents.key_document(key, exam_name=form.code), f"{form.code}-key.pdf")


async def readable_blueprints(act: Act) -> list[StoredBlueprint]:
    """Return the blueprints of banks in the person's units."""
    units = await act.units(Permission.READ_FORMS)
    found = []
    for blueprint in await assembly.load_blueprints(act.session):
        bank = await authoring.load_bank(act.session, blueprint.bank_id)
        if bank.unit_id in units:
            found.append(blueprint)
    return found


async def readable_forms(act: Act) -> list[FormSummary]:
    """Return the forms of the person's units."""
    units = await act.units(Permission.READ_FORMS)
    return list(await assembly.load_forms(act.session, unit_ids=units))


async def require_form(act: Act, form_id: FormId, permission: Permission) -> Form:
    """Return a form on whose unit the person holds a permission."""
    form = await assembly.load_form(act.session, form_id)
    await act.require(permission, form.unit_id)
    return form


async def assemble_form(act: Act, blueprint: str, code: str, paper_codes: int, seed: int | None) -> Form:
    """Assemble a form of a blueprint; the JSON route and the page share this."""
    stored = await assembly.load_blueprint_coded(act.session, blueprint)
    order = AssemblyOrder(
        blueprint_id=stored.id, code=code, seed=fresh_seed() if seed is None else seed, paper_codes=paper_codes
    )
    return await assembly.assemble(act.session, order, actor=act.person, now=act.now)


def _pdf(body: bytes, file_name: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'inline; filename="{file_name}"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/pdf", headers=headers)
