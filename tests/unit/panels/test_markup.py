from html.parser import HTMLParser

import pytest

from workbench.panels import markup
from workbench.panels.markup import Cell, Column, Light, LightState, Table, Tile

CANARY = "<img src=x onerror=alert(1)>\"'&"
PIECES = {
    "heading": markup.heading(CANARY, CANARY, [Cell(CANARY)], CANARY),
    "status_line": markup.status_line([Cell(CANARY, "down")]),
    "tiles": markup.tiles([Tile(CANARY, Cell(CANARY), CANARY)]),
    "reason": markup.reason(CANARY, "down"),
    "lights": markup.lights([Light(CANARY, "tripped", CANARY)]),
    "table": markup.table(Table([Column(CANARY, is_text=True)], [[Cell(CANARY, "down", CANARY)]], CANARY)),
    "empty table": markup.table(Table([Column("a")], [], CANARY)),
    "note": markup.note(CANARY, "down", CANARY),
}


class Reader(HTMLParser):
    """Collects what a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_complaint_is_read_out_and_a_remark_is_not() -> None:
    assert 'role="alert"' in markup.note("must be above 0", "down")
    assert "role=" not in markup.note("2 to 500") + markup.note("", "down")


@pytest.mark.parametrize("piece", PIECES)
def test_text_from_outside_stays_text(piece: str) -> None:
    page = Reader(PIECES[piece])
    assert "img" not in page.tags
    assert set(page.attributes) <= {"class", "title", "colspan", "role"}
    assert CANARY in page.text


def test_table_stands_in_a_box_of_fixed_height_whatever_its_rows() -> None:
    sheet = markup.style_sheet()
    assert ".wb-scroll { height: 230px; overflow: auto;" in sheet
    for rows in ([], [[Cell("a")]] * 50):
        assert markup.table(Table([Column("h")], rows, "none")).startswith('<div class="wb-scroll">')


def test_row_of_another_length_than_its_head_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        markup.table(Table([Column("h")], [[Cell("a"), Cell("b")]], "none"))


def test_each_state_of_a_breaker_has_its_own_sign() -> None:
    states: tuple[LightState, ...] = ("off", "armed", "tripped", "unknown")
    signs = {markup.lights([Light("a", state, "")]).partition("<i>")[2][0] for state in states}
    assert len(signs) == len(states)


def test_note_keeps_its_height_without_text() -> None:
    assert "&nbsp;" in markup.note("")


def test_style_sheet_has_the_colours_of_both_themes() -> None:
    sheet = markup.style_sheet()
    assert 'body[data-jp-theme-light="false"]' in sheet
    assert sheet.count("--wb-up:") == 3  # light, dark where the page says so, dark where only the system does
    assert "@media (prefers-color-scheme: dark)" in sheet
    assert "font-variant-numeric: tabular-nums" in sheet
