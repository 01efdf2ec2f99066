"""Pages of blueprints and forms: the matrix with live counts, assembling, paper codes, key, sealing."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Template

from api.acts import Act, staff_act
from api.pages.items import KINDS, LEVELS
from api.pages.staff_page import done, refusal, staff_page
from api.staff.forms import assemble_form, readable_blueprints, readable_forms, require_form
from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import BlueprintId, FormId
from exam_engine.authoring import service as authoring
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_
from item_bank.errors import ItemBankError

STATES = {"draft": N_("Draft"), "sealed": N_("Sealed")}
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class FormPages(Controller):
    """`/staff/blueprints`, `/staff/forms`."""

    path = "/staff"
    include_in_schema = False

    @get("/blueprints")
    async def blueprints(self, request: Request[Any, Any, Any]) -> Template:
        """List blueprints."""
        async with staff_act(request, Permission.READ_FORMS) as act:
            rows = [
                (blueprint, await authoring.load_bank(act.session, blueprint.bank_id))
                for blueprint in await readable_blueprints(act)
            ]
            return staff_page(request, act.person, "staff/forms/blueprints.html", rows=rows)

    @get("/blueprints/{code:str}")
    async def blueprint(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Template:
        """Show a blueprint as a matrix, each cell with how many items the bank has for it."""
        return await _blueprint_page(request, code)

    @post("/blueprints/{code:str}/assemble", status_code=200)
    async def assemble(self, request: Request[Any, Any, Any], code: FromPath[str], data: Form) -> Response[Any]:
        """Assemble a form; a shortage names every cell."""
        paper_codes = int(data["paper_codes"]) if data.get("paper_codes", "").isdecimal() else 0
        seed = int(data["seed"]) if data.get("seed", "").isdecimal() else None
        try:
            async with staff_act(request, Permission.WRITE_FORMS) as act:
                form = await assemble_form(act, code, data.get("code", "").strip(), max(1, paper_codes), seed)
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            return await _blueprint_page(request, code, typed=data, problem=problem, status_code=status)
        return done(request, f"/staff/forms/{form.id}", N_("Form {code} was assembled."), code=form.code)

    @get("/forms")
    async def forms(self, request: Request[Any, Any, Any]) -> Template:
        """List forms."""
        async with staff_act(request, Permission.READ_FORMS) as act:
            return staff_page(
                request, act.person, "staff/forms/list.html", rows=await readable_forms(act), states=STATES
            )

    @get("/forms/{form_id:uuid}")
    async def form(
        self, request: Request[Any, Any, Any], form_id: FromPath[UUID], tab: FromQuery[str] = "papers"
    ) -> Template:
        """Show a form: paper codes, items, key."""
        return await _form_page(request, FormId(form_id), tab=tab)

    @post("/forms/{form_id:uuid}/seal", status_code=200)
    async def seal(self, request: Request[Any, Any, Any], form_id: FromPath[UUID]) -> Response[Any]:
        """Seal a form somebody else assembled."""
        try:
            async with staff_act(request, Permission.SEAL_FORMS) as act:
                form = await assembly.seal(act.session, FormId(form_id), actor=act.person, now=act.now)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _form_page(request, FormId(form_id), problem=problem, status_code=status)
        return done(request, f"/staff/forms/{form_id}", N_("Form {code} is sealed."), code=form.code)


async def _blueprint_page(
    request: Request[Any, Any, Any],
    code: str,
    *,
    typed: dict[str, str] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.READ_FORMS) as act:
        blueprint = await assembly.load_blueprint_coded(act.session, code)
        bank = await authoring.load_bank(act.session, blueprint.bank_id)
        await act.require(Permission.READ_FORMS, bank.unit_id)
        versions = await authoring.active_versions(act.session, bank.id)
        topics = {topic.code: topic.name for topic in await authoring.load_topics(act.session, bank.id)}
        return staff_page(
            request,
            act.person,
            "staff/forms/blueprint.html",
            status_code=status_code,
            blueprint=blueprint,
            bank=bank,
            topics=topics,
            parts=[
                (part, [(cell, _available(versions, part.kind.value, cell)) for cell in part.cells])
                for part in blueprint.spec.parts
            ],
            typed=typed or {"paper_codes": "2"},
            may_write=act.person.may_somewhere(Permission.WRITE_FORMS),
            kinds=KINDS,
            levels=LEVELS,
            problem=problem,
        )


async def _form_page(
    request: Request[Any, Any, Any],
    form_id: FormId,
    *,
    tab: str = "papers",
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.READ_FORMS) as act:
        form = await require_form(act, form_id, Permission.READ_FORMS)
        may_read_key = act.person.may_somewhere(Permission.READ_KEYS)
        return staff_page(
            request,
            act.person,
            "staff/forms/form.html",
            status_code=status_code,
            form=form,
            tab=tab if tab != "key" or may_read_key else "papers",
            codes=await assembly.load_paper_codes(act.session, form.id),
            slots=await assembly.load_slots(act.session, form.id),
            items=await _items(act, form_id),
            parameters=await _parameters(act, form_id),
            key=await assembly.key_for_print(act.session, form.id) if may_read_key and tab == "key" else None,
            history=await assembly.load_key_history(act.session, form.id) if may_read_key else (),
            topics=await _topic_names(act, form.blueprint_id),
            may_read_key=may_read_key,
            may_seal=act.person.may_somewhere(Permission.SEAL_FORMS),
            states=STATES,
            kinds=KINDS,
            levels=LEVELS,
            problem=problem,
        )


async def _topic_names(act: Act, blueprint_id: BlueprintId) -> dict[str, str]:
    blueprint = await assembly.load_blueprint(act.session, blueprint_id)
    return {topic.code: topic.name for topic in await authoring.load_topics(act.session, blueprint.bank_id)}


async def _parameters(act: Act, form_id: FormId) -> dict[int, str]:
    """Slope and difficulty of the items with accepted parameters, for those who may see statistics."""
    if not act.person.may_somewhere(Permission.READ_STATISTICS):
        return {}
    found = await assembly.load_parameters(act.session, form_id)
    shown = {slot: version.parameters for slot, version in found.items() if version.parameters is not None}
    return {
        slot: " · ".join([f"{parameters.a:.2f}", *(f"{b:.2f}" for b in parameters.b if b is not None)])
        for slot, parameters in shown.items()
    }


async def _items(act: Act, form_id: FormId) -> dict[int, Any]:
    if not act.person.may_somewhere(Permission.READ_ITEMS):
        return {}
    return dict(await assembly.load_items(act.session, form_id))


def _available(versions: Any, kind: str, cell: Any) -> int:
    return sum(
        1
        for version in versions
        if version.item.interaction.__struct_config__.tag == kind
        and cell.topic in (None, version.item.topic)
        and cell.level in (None, version.item.level)
    )
