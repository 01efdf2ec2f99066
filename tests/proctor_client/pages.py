"""Staff pages as the API would send them, around the scripts under test."""

import json
from typing import Any

from tests.proctor_client.peer import DIST


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
