"""The item template's columns, and the words authors use for columns, kinds and yes: one table each.

Titles and words are compared folded (lower case, no diacritics), so `Đáp án`, `dap an` and `DAP_AN` are one.
"""

from collections.abc import Mapping

from item_bank.model.plain_text import folded

OPTION_LETTERS = "ABCDEFGH"
OPTION_COLUMNS = tuple(f"option_{letter.lower()}" for letter in OPTION_LETTERS)

ITEM_COLUMNS = (
    "code", "kind", "topic", "level", "stimulus", "stem", *OPTION_COLUMNS, "pinned", "key", "compare",
    "max_characters", "max_words", "figure", "alt_text", "explanation",
)  # fmt: skip
EXTRA_COLUMNS = ("maximum", "shuffle", "steps", "language")
"""Written only where an item needs them; the template does not show them."""

STIMULUS_COLUMNS = ("code", "title", "content", "figure", "alt_text")
STIMULUS_EXTRA_COLUMNS = ("language",)
TOPIC_COLUMNS = ("code", "name", "position")

KIND_WORDS: Mapping[str, str] = {
    "single choice": "single_choice",
    "trac nghiem": "single_choice",
    "mot dap an": "single_choice",
    "mot lua chon": "single_choice",
    "nhieu lua chon": "single_choice",
    "tn": "single_choice",
    "mc": "single_choice",
    "multiple choice": "multiple_choice",
    "nhieu dap an": "multiple_choice",
    "chon nhieu": "multiple_choice",
    "true false cluster": "true_false_cluster",
    "dung sai": "true_false_cluster",
    "ds": "true_false_cluster",
    "tf": "true_false_cluster",
    "short numeric": "short_numeric",
    "tra loi ngan": "short_numeric",
    "tln": "short_numeric",
    "sa": "short_numeric",
    "essay": "essay",
    "tu luan": "essay",
    "tl": "essay",
}

YES_WORDS = frozenset({"yes", "y", "true", "1", "x", "co"})
NO_WORDS = frozenset({"", "no", "n", "false", "0", "khong"})

COMPARE_WORDS: Mapping[str, str] = {
    "": "numeric",
    "numeric": "numeric",
    "so": "numeric",
    "gia tri": "numeric",
    "literal": "literal",
    "ky tu": "literal",
    "nguyen van": "literal",
}

ITEM_ALIASES: Mapping[str, str] = {
    "ma": "code",
    "ma_cau": "code",
    "ma_cau_hoi": "code",
    "loai": "kind",
    "loai_cau": "kind",
    "dang": "kind",
    "dang_cau": "kind",
    "dang_thuc": "kind",
    "chu_de": "topic",
    "ma_chu_de": "topic",
    "noi_dung_kien_thuc": "topic",
    "muc_do": "level",
    "cap_do": "level",
    "ngu_lieu": "stimulus",
    "ma_ngu_lieu": "stimulus",
    "doan_van": "stimulus",
    "de_bai": "stem",
    "cau_hoi": "stem",
    "cau_dan": "stem",
    "noi_dung": "stem",
    "co_dinh": "pinned",
    "giu_cho": "pinned",
    "dap_an": "key",
    "dap_an_dung": "key",
    "khoa": "key",
    "so_sanh": "compare",
    "cach_so_sanh": "compare",
    "so_ky_tu": "max_characters",
    "so_ky_tu_toi_da": "max_characters",
    "so_tu": "max_words",
    "so_tu_toi_da": "max_words",
    "hinh": "figure",
    "hinh_ve": "figure",
    "hinh_anh": "figure",
    "mo_ta_hinh": "alt_text",
    "mo_ta": "alt_text",
    "loi_giai": "explanation",
    "giai_thich": "explanation",
    "huong_dan_giai": "explanation",
    "so_lua_chon": "maximum",
    "dao_y": "shuffle",
    "thang_diem": "steps",
    "ngon_ngu": "language",
    **{f"{word}_{letter.lower()}": f"option_{letter.lower()}" for word in ("phuong_an", "lua_chon", "dap_an", "y")
       for letter in OPTION_LETTERS},
    **{letter.lower(): f"option_{letter.lower()}" for letter in OPTION_LETTERS},
}  # fmt: skip

STIMULUS_ALIASES: Mapping[str, str] = {
    "ma": "code",
    "ma_ngu_lieu": "code",
    "tieu_de": "title",
    "ten": "title",
    "noi_dung": "content",
    "van_ban": "content",
    "hinh": "figure",
    "hinh_ve": "figure",
    "hinh_anh": "figure",
    "mo_ta_hinh": "alt_text",
    "mo_ta": "alt_text",
    "ngon_ngu": "language",
}

TOPIC_ALIASES: Mapping[str, str] = {
    "ma": "code",
    "ma_chu_de": "code",
    "ten": "name",
    "ten_chu_de": "name",
    "chu_de": "name",
    "thu_tu": "position",
    "stt": "position",
}


def find_kind(word: str) -> str | None:
    """Read a kind of item as authors write it: `single_choice`, `Trắc nghiệm`, `Đúng/Sai`."""
    return KIND_WORDS.get(word_of(word))


def word_of(cell: str) -> str:
    """Fold a cell that holds one of our words."""
    return " ".join("".join(c if c.isalnum() else " " for c in folded(cell)).split())
