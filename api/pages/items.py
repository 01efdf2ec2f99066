"""Pages of the bank: list with search, one item as the candidate will see it, writing, submitting, reviewing."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, Parameter
from litestar.response import Template

from api.acts import Act, staff_act
from api.pages.staff_page import done, refusal, staff_page
from api.pages.words import COMPARES
from api.staff.items import cells_of, create_from_cells, update_from_cells
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import ItemId, ItemQuery, ItemSort
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_
from item_bank.errors import ItemBankError
from item_bank.model.item import Level
from item_bank.model.review import ItemState

KINDS = {
    "single_choice": N_("Single choice"),
    "multiple_choice": N_("Multiple choice"),
    "true_false_cluster": N_("True/false cluster"),
    "short_numeric": N_("Short answer"),
    "essay": N_("Essay"),
}
LEVELS = {Level.KNOW: N_("Know"), Level.UNDERSTAND: N_("Understand"), Level.APPLY: N_("Apply")}
STATES = {
    ItemState.DRAFT: N_("Draft"),
    ItemState.SUBMITTED: N_("Submitted"),
    ItemState.REVIEWED: N_("Reviewed"),
    ItemState.PILOT: N_("Pilot"),
    ItemState.ACTIVE: N_("Active"),
    ItemState.RETIRED: N_("Retired"),
}
BADGES = {ItemState.SUBMITTED: "badge--warn", ItemState.ACTIVE: "badge--good", ItemState.RETIRED: "badge--dot"}

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class ItemPages(Controller):
    """`/staff/items`."""

    path = "/staff/items"
    include_in_schema = False

    @get("/")
    async def items(
        self,
        request: Request[Any, Any, Any],
        bank: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        level: FromQuery[str] = "",
        topic: FromQuery[str] = "",
        q: FromQuery[Annotated[str, Parameter(max_length=200)]] = "",
        sort: FromQuery[str] = "code",
        page: FromQuery[Annotated[int, Parameter(ge=1, le=100_000)]] = 1,
    ) -> Template:
        """List items with search, filters, order and pages."""
        async with staff_act(request, Permission.READ_ITEMS) as act:
            banks = await authoring.list_banks(act.session, actor=act.person)
            chosen = next((summary.bank for summary in banks if summary.bank.code == bank), None)
            query = ItemQuery(
                bank_id=chosen.id if chosen else None,
                state=_member(ItemState, request.query_params.get("state", "")),
                kind=kind if kind in KINDS else "",
                level=_member(Level, level),
                topic=topic,
                text=q,
                sort=_member(ItemSort, sort.lstrip("-")) or ItemSort.CODE,
                descending=sort.startswith("-"),
                page=page,
            )
            found = await authoring.list_items(act.session, query, actor=act.person)
            topics = await authoring.load_topics(act.session, chosen.id) if chosen else ()
            return staff_page(
                request,
                act.person,
                "staff/items/list.html",
                found=found,
                banks=banks,
                topics=topics,
                may_write=act.person.may_somewhere(Permission.WRITE_ITEMS),
                **_words(),
            )

    @get("/new")
    async def new(self, request: Request[Any, Any, Any], bank: FromQuery[str] = "") -> Template:
        """Show an empty form for a new item."""
        async with staff_act(request, Permission.WRITE_ITEMS) as act:
            return await _form_page(request, act, cells={"kind": "single_choice"}, bank_code=bank)

    @post("/new", status_code=200)
    async def create(self, request: Request[Any, Any, Any], data: Form) -> Response[Any]:
        """Write a new draft; a refused form keeps what was typed."""
        bank_code, cells = data.get("bank", ""), _cells(data)
        try:
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                details = await create_from_cells(act, bank_code, cells)
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                return await _form_page(
                    request, act, cells=cells, bank_code=bank_code, problem=problem, status_code=status
                )
        return done(request, f"/staff/items/{details.id}", N_("Item {code} was saved as a draft."), code=cells["code"])

    @get("/{item_id:uuid}")
    async def item(self, request: Request[Any, Any, Any], item_id: FromPath[UUID]) -> Template:
        """Show an item exactly as the candidate will see it, with key, checks and history beside it."""
        return await _item_page(request, ItemId(item_id))

    @get("/{item_id:uuid}/edit")
    async def edit(self, request: Request[Any, Any, Any], item_id: FromPath[UUID]) -> Template:
        """Show the form of an item."""
        async with staff_act(request, Permission.WRITE_ITEMS) as act:
            details = await authoring.load_item(act.session, ItemId(item_id), actor=act.person)
            cells = cells_of(details.newest.item, details.bank)
            return await _form_page(request, act, cells=cells, bank_code=details.bank.code, details=details)

    @post("/{item_id:uuid}/edit", status_code=200)
    async def update(self, request: Request[Any, Any, Any], item_id: FromPath[UUID], data: Form) -> Response[Any]:
        """Save a draft or begin a new version; a refused form keeps what was typed."""
        cells = _cells(data)
        expected = int(data["expected"]) if data.get("expected", "").isdecimal() else 0
        try:
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                await update_from_cells(act, ItemId(item_id), cells, expected)
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                details = await authoring.load_item(act.session, ItemId(item_id), actor=act.person)
                return await _form_page(
                    request,
                    act,
                    cells=cells,
                    bank_code=details.bank.code,
                    details=details,
                    problem=problem,
                    status_code=status,
                )
        return done(request, f"/staff/items/{item_id}", N_("The item was saved."))

    @post("/{item_id:uuid}/{step:str}", status_code=200)
    async def step(
        self, request: Request[Any, Any, Any], item_id: FromPath[UUID], step: FromPath[str], data: Form
    ) -> Response[Any]:
        """Take an item one step through its life."""
        try:
            async with staff_act(request) as act:
                said = await _take_step(act, ItemId(item_id), step, data.get("comment", ""))
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            return await _item_page(request, ItemId(item_id), status_code=status, problem=problem)
        return done(request, f"/staff/items/{item_id}", said)


async def _take_step(act: Act, item_id: ItemId, step: str, comment: str) -> str:
    match step:
        case "submit":
            await authoring.submit_items(act.session, [item_id], actor=act.person, now=act.now)
            return N_("The item was handed in for review.")
        case "approve":
            await authoring.approve_items(act.session, [item_id], actor=act.person, now=act.now)
            return N_("The item is active: new forms may take it.")
        case "return":
            await authoring.return_item(act.session, item_id, comment, actor=act.person, now=act.now)
            return N_("The item went back to its author.")
        case _:
            await authoring.retire_item(act.session, item_id, actor=act.person, now=act.now)
            return N_("The item was retired.")


async def _item_page(
    request: Request[Any, Any, Any], item_id: ItemId, *, status_code: int = 200, problem: dict[str, Any] | None = None
) -> Template:
    async with staff_act(request, Permission.READ_ITEMS) as act:
        details = await authoring.load_item(act.session, item_id, actor=act.person)
        shown = await authoring.preview(act.session, item_id, actor=act.person)
        data = msgspec.to_builtins(shown.item)
        if shown.stimulus is not None:
            data["stimulus_content"] = {"title": shown.stimulus.title, "content": shown.stimulus.content}
        return staff_page(
            request,
            act.person,
            "staff/items/item.html",
            status_code=status_code,
            details=details,
            cells=cells_of(details.newest.item, details.bank),
            topics={t.code: t.name for t in await authoring.load_topics(act.session, details.bank.id)},
            preview_json=msgspec.json.encode(data).decode().replace("</", "<\\/"),
            may_write=act.person.may_somewhere(Permission.WRITE_ITEMS),
            may_review=act.person.may_somewhere(Permission.REVIEW_ITEMS),
            problem=problem,
            **_words(),
        )


async def _form_page(
    request: Request[Any, Any, Any],
    act: Act,
    *,
    cells: dict[str, str],
    bank_code: str,
    details: Any = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    banks = await authoring.list_banks(act.session, actor=act.person)
    chosen = next((s.bank for s in banks if s.bank.code == bank_code), banks[0].bank if banks else None)
    topics = await authoring.load_topics(act.session, chosen.id) if chosen else ()
    return staff_page(
        request,
        act.person,
        "staff/items/form.html",
        status_code=status_code,
        cells=cells,
        banks=banks,
        chosen=chosen,
        topics=topics,
        details=details,
        problem=problem,
        compares=COMPARES,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"kinds": KINDS, "levels": LEVELS, "states": STATES, "badges": BADGES}


def _cells(data: dict[str, str]) -> dict[str, str]:
    return {
        name: text for name, text in data.items() if name not in ("bank", "expected", "_csrf_token") and text.strip()
    }


def _member(kind: Any, text: str) -> Any:
    return kind(text) if text in {member.value for member in kind} else None
