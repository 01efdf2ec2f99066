"""Items for staff: list, read, write, submit, review. Bodies use the columns of the item template."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, Parameter, QueryParameter

from api.acts import Act, staff_act
from exam_engine.authoring import service as authoring
from exam_engine.authoring.errors import ItemNotSound
from exam_engine.authoring.model import Bank, ItemDetails, ItemId, ItemPage, ItemQuery, ItemSort
from exam_engine.identity.permissions import Permission
from item_bank.interchange.export import item_rows
from item_bank.interchange.rows import read_items
from item_bank.model.item import Item, Level
from item_bank.model.review import ItemState

Cell = Annotated[str, msgspec.Meta(max_length=40_000)]
ColumnName = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,30}$")]


class ItemBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item as one row of the template: column → text, LaTeX between dollar signs."""

    cells: Annotated[dict[ColumnName, Cell], msgspec.Meta(max_length=40)]
    bank: Annotated[str, msgspec.Meta(max_length=40)] = ""  # for a new item
    expected: int = 0  # the version the author had before them; for a changed item


class CommentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the author shall mend."""

    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class FindingView(msgspec.Struct, frozen=True):
    """What a check says."""

    severity: str
    code: str
    field: str
    message: str


class VersionView(msgspec.Struct, frozen=True):
    """One version of an item; its cells are the template's."""

    number: int
    state: str
    content_hash: str
    cells: dict[str, str]


class ItemView(msgspec.Struct, frozen=True):
    """An item with its versions, newest first, and what the checks say of the newest."""

    id: UUID
    bank: str
    code: str
    versions: list[VersionView]
    findings: list[FindingView]

    @classmethod
    def of(cls, details: ItemDetails) -> "ItemView":
        """Show an item."""
        versions = [
            VersionView(v.number, v.review.state.value, v.content_hash, cells_of(v.item, details.bank))
            for v in details.versions
        ]
        findings = [FindingView(f.severity.value, f.code, f.place.field, str(f.message)) for f in details.findings]
        return cls(details.id, details.bank.code, details.newest.item.code, versions, findings)


class BankView(msgspec.Struct, frozen=True):
    """A bank and how many items stand in each state."""

    code: str
    name: str
    language: str
    items: dict[str, int]


class ItemController(Controller):
    """`/api/items`, `/api/banks`."""

    path = "/api"
    tags = ("items",)

    @get("/banks", summary="Banks I may read")
    async def banks(self, request: Request[Any, Any, Any]) -> list[BankView]:
        """Answer the banks of the person's units with how many items stand in each state."""
        async with staff_act(request, Permission.READ_ITEMS) as act:
            found = await authoring.list_banks(act.session, actor=act.person)
            return [
                BankView(s.bank.code, s.bank.name, s.bank.language, {k.value: n for k, n in s.items.items()})
                for s in found
            ]

    @get("/items", summary="List and search items")
    async def items(
        self,
        request: Request[Any, Any, Any],
        bank: FromQuery[Annotated[str, Parameter(max_length=40)]] = "",
        item_state: Annotated[ItemState | None, QueryParameter(name="state")] = None,
        kind: FromQuery[Annotated[str, Parameter(max_length=40)]] = "",
        level: FromQuery[Level | None] = None,
        topic: FromQuery[Annotated[str, Parameter(max_length=100)]] = "",
        q: FromQuery[Annotated[str, Parameter(max_length=200)]] = "",
        sort: FromQuery[ItemSort] = ItemSort.CODE,
        page: FromQuery[Annotated[int, Parameter(ge=1, le=100_000)]] = 1,
    ) -> ItemPage:
        """Search without diacritics finds every spelling; with diacritics it matches exactly."""
        async with staff_act(request, Permission.READ_ITEMS) as act:
            bank_id = (await authoring.bank_by_code(act.session, bank)).id if bank else None
            query = ItemQuery(
                bank_id=bank_id, state=item_state, kind=kind, level=level, topic=topic, text=q, sort=sort, page=page
            )
            return await authoring.list_items(act.session, query, actor=act.person)

    @get("/items/{item_id:uuid}", summary="One item with its versions")
    async def item(self, request: Request[Any, Any, Any], item_id: FromPath[UUID]) -> ItemView:
        """Answer an item, its keys among the cells: items as a whole are the bank's secret."""
        async with staff_act(request, Permission.READ_ITEMS) as act:
            return ItemView.of(await authoring.load_item(act.session, ItemId(item_id), actor=act.person))

    @post("/items", summary="Write a new item")
    async def create(self, request: Request[Any, Any, Any], data: JSONBody[ItemBody]) -> ItemView:
        """Write a draft; a draft may still have findings, but must be readable."""
        async with staff_act(request, Permission.WRITE_ITEMS) as act:
            return ItemView.of(await create_from_cells(act, data.bank, data.cells))

    @put("/items/{item_id:uuid}", summary="Change an item")
    async def update(
        self, request: Request[Any, Any, Any], item_id: FromPath[UUID], data: JSONBody[ItemBody]
    ) -> ItemView:
        """Change one's own draft, or begin a new version of a frozen one."""
        async with staff_act(request, Permission.WRITE_ITEMS) as act:
            return ItemView.of(await update_from_cells(act, ItemId(item_id), data.cells, data.expected))

    @post("/items/{item_id:uuid}/submit", summary="Hand an item in for review", status_code=200)
    async def submit(self, request: Request[Any, Any, Any], item_id: FromPath[UUID]) -> ItemView:
        """Freeze the newest version and hand it in; refused while a check finds an error."""
        async with staff_act(request, Permission.WRITE_ITEMS) as act:
            await authoring.submit_items(act.session, [ItemId(item_id)], actor=act.person, now=act.now)
            return ItemView.of(await authoring.load_item(act.session, ItemId(item_id), actor=act.person))

    @post("/items/{item_id:uuid}/approve", summary="Approve an item", status_code=200)
    async def approve(self, request: Request[Any, Any, Any], item_id: FromPath[UUID]) -> ItemView:
        """Make a submitted version active; never by who wrote or submitted it."""
        async with staff_act(request, Permission.REVIEW_ITEMS) as act:
            await authoring.approve_items(act.session, [ItemId(item_id)], actor=act.person, now=act.now)
            return ItemView.of(await authoring.load_item(act.session, ItemId(item_id), actor=act.person))

    @post("/items/{item_id:uuid}/return", summary="Return an item to its author", status_code=200)
    async def return_item(
        self, request: Request[Any, Any, Any], item_id: FromPath[UUID], data: JSONBody[CommentBody]
    ) -> ItemView:
        """Send a submitted version back with a comment."""
        async with staff_act(request, Permission.REVIEW_ITEMS) as act:
            return ItemView.of(
                await authoring.return_item(act.session, ItemId(item_id), data.comment, actor=act.person, now=act.now)
            )


def cells_of(item: Item, bank: Bank) -> dict[str, str]:
    """Write an item as one row of the template."""
    return dict(item_rows([item], language=bank.language)[0])


async def create_from_cells(act: Act, bank_code: str, cells: dict[str, str]) -> ItemDetails:
    """Read a row and write it as a new draft; the JSON route and the page share this."""
    bank = await authoring.bank_by_code(act.session, bank_code)
    return await authoring.create_item(act.session, bank.id, _read(cells, bank), actor=act.person, now=act.now)


async def update_from_cells(act: Act, item_id: ItemId, cells: dict[str, str], expected: int) -> ItemDetails:
    """Read a row and write it into an item."""
    details = await authoring.load_item(act.session, item_id, actor=act.person)
    # A figure that is stored already is named by its file name in the row.
    item = _read({**cells, "code": details.newest.item.code}, details.bank)
    return await authoring.update_item(act.session, item_id, item, expected=expected, actor=act.person, now=act.now)


def _read(cells: dict[str, str], bank: Bank) -> Item:
    figure = cells.get("figure", "")
    figures = {figure: f"/media/{figure}"} if figure else None
    read = read_items([(1, cells)], figures=figures, language=bank.language)
    if not read.items:
        raise ItemNotSound(cells.get("code", ""), read.findings)
    return read.items[0]
