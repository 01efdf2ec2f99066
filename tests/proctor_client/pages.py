"""Staff pages as the API would send them, around the scripts under test."""

import json
from typing import Any

from tests.proctor_client.peer import DIST, ExamPeer

NAMES = [
    "Nguyễn Trần Khánh Vân",
    "Lê Hoàng Minh",
    "Phạm Thị Ngọc Ánh",
    "Đặng Quốc Việt",
    "Võ Thị Yến Nhi",
    "Bùi Gia Huy",
    "Hồ Thanh Tâm",
    "Đỗ Đức Anh",
    "Ngô Bảo Châu Giang",
    "Dương Thùy Linh",
    "Lý Hải Đăng",
    "Trịnh Mai Phương",
]
SITTING = "11111111-0000-4000-8000-000000000001"
ROOM = "22222222-0000-4000-8000-000000000001"
BOARD = f"/api/sittings/{SITTING}/rooms/{ROOM}/board"


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((DIST / ".vite" / "manifest.json").read_text())
    return manifest


def staff_page(
    title: str, body: str, *, entries: tuple[str, ...] = (), theme: str = "", language: str = "vi"
) -> tuple[str, bytes]:
    """Return a page on the design system with the site's script and further entries."""
    manifest = _manifest()
    head = ""
    for entry in ("src/console/site.ts", *entries):
        head += "".join(f'<link rel="stylesheet" href="/static/{css}">' for css in manifest[entry].get("css", []))
        head += f'<script type="module" src="/static/{manifest[entry]["file"]}"></script>'
    chosen = f' data-theme="{theme}"' if theme else ""
    html = f"""<!doctype html><html lang="{language}"{chosen}><head><meta charset="utf-8"><meta name="viewport"
    content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,">{head}</head><body class="shell">
<a class="skip-link" href="#main">Tới nội dung</a>
<header class="shell__bar"><a class="shell__brand" href="/staff"><span class="brand-mark"
aria-hidden="true">E</span> Khảo thí</a>
<div class="shell__tools"><theme-switch></theme-switch><span class="small soft">Nguyễn Thị Hoa</span></div></header>
<nav class="shell__nav" aria-label="Chính"><ul class="nav"><li class="nav__title">Kỳ thi</li><li>
<a class="nav__link" href="#" aria-current="page">Phòng thi</a></li>
<li><a class="nav__link" href="#">Thí sinh</a></li></ul></nav>
<main class="shell__main" id="main"><div class="page-head"><h1>{title}</h1></div>{body}</main></body></html>"""
    return "text/html; charset=utf-8", html.encode()


def board_view(peer: ExamPeer) -> dict[str, Any]:
    """Return a room of twelve: one silent, one late, two done, the others at work."""
    now = peer.now_ms()
    seats = []
    for index, name in enumerate(NAMES):
        seat = {
            "attempt_id": f"33333333-0000-4000-8000-{index:012}",
            "candidate_number": f"310001{index + 10}",
            "name": name,
            "seat": index + 1,
            "state": "running",
            "close_reason": None,
            "answered": 3 + index,
            "total": 22,
            "last_seen_ms": now - 4_000,
            "last_saved_ms": now - 21_000 - index * 17_000,
            "deadline_ms": now + 2_400_000,
            "extra_seconds": 300 if index == 6 else 0,
            "lease": 1,
        }
        if index == 3:
            seat.update(last_seen_ms=now - 95_000, last_saved_ms=now - 130_000)
        if index == 8:
            seat.update(state="ready", last_seen_ms=None, last_saved_ms=None, answered=0, deadline_ms=None)
        if index in (1, 10):
            seat.update(
                state="submitted" if index == 1 else "closed", close_reason=None if index == 1 else "time", answered=22
            )
        seats.append(seat)
    return {
        "sitting": {
            "id": SITTING,
            "code": "TOAN-1",
            "name": "Toán",
            "state": "open",
            "starts_at_ms": now - 1_800_000,
            "ends_at_ms": now + 3_600_000,
        },
        "room": {"id": ROOM, "code": "P03"},
        "server_time_ms": now,
        "seats": seats,
    }


def board_page(**more: Any) -> tuple[str, bytes]:
    return staff_page(
        "Phòng P03",
        f'<room-board sitting="{SITTING}" room="{ROOM}"></room-board>',
        entries=("src/watch/board.ts",),
        **more,
    )


def preview_page(item: dict[str, Any], stimulus: dict[str, str] | None = None, **more: Any) -> tuple[str, bytes]:
    data = json.dumps({**item, **({"stimulus_content": stimulus} if stimulus else {})}).replace("</", "<\\/")
    held = f'<script type="application/json">{data}</script>'
    body = f'<div class="card"><item-preview lang="vi">{held}</item-preview></div>'
    return staff_page("T12-MC-001", body, entries=("src/authoring/preview.ts",), **more)


LIST = """
<form class="filter-bar" method="get" data-submit-on-change><div class="field field--search">
<label class="field__label" for="find">Lọc nhanh</label>
<input class="input" type="text" id="find" data-filter="#people"></div><div class="field">
<label class="field__label" for="state">Trạng thái</label>
<select class="select" id="state" name="state"><option value="">Tất cả</option><option value="draft">Nháp</option>
</select></div><button class="button">Lọc</button>
<p class="filter-bar__count">3 người</p></form>
<div class="table-frame"><table class="table table--cards" id="people" data-sortable><thead><tr><th scope="col">
<button class="sort" type="button">Họ tên</button></th>
<th scope="col" class="is-number"><button class="sort" type="button">Điểm</button></th>
<th scope="col">Trạng thái</th></tr></thead><tbody>
<tr><th scope="row">Đặng Quốc Việt</th><td class="is-number" data-label="Điểm" data-sort="7.25">7,25</td><td>
<span class="badge badge--good">Đã duyệt</span></td></tr>
<tr><th scope="row">Ánh Tuyết</th><td class="is-number" data-label="Điểm" data-sort="10">10,00</td><td>
<span class="badge badge--warn">Chờ duyệt</span></td></tr>
<tr><th scope="row">Lê Hoàng Minh</th><td class="is-number" data-label="Điểm" data-sort="8.5">8,50</td><td>
<span class="badge">Nháp</span></td></tr></tbody></table></div>
<form method="post" action="/api/seal" class="row"><input type="hidden" name="form" value="F1">
<button class="button button--danger" name="act" value="seal" data-confirm-title="Niêm phong đề?"
 data-confirm="Sau khi niêm phong, đề không sửa được nữa." data-confirm-action="Niêm phong">Niêm phong đề</button>
<button class="button" type="button" hx-post="/api/seal" hx-target="#part" data-confirm="Gửi ngay?">Gửi</button>
<button class="button" type="button" hx-get="/api/refused" hx-target="#part">Bị từ chối</button></form>
<div id="part"></div><p data-toast="good">Đã lưu câu hỏi.</p>"""


def list_page(**more: Any) -> tuple[str, bytes]:
    return staff_page("Danh sách", LIST, **more)
