from html.parser import HTMLParser

import pytest

from workbench.panels import markup
from workbench.panels.markup import Cell, Tile

CANARY = "<img src=x onerror=alert(1)>\"'&"
PIECES = {
    "heading": markup.heading(CANARY, CANARY, [Cell(CANARY)], CANARY),
    "status_line": markup.status_line([Cell(CANARY, "down")]),
    "tiles": markup.tiles([Tile(CANARY, Cell(CANARY), CANARY)]),
    "table": markup.table(CANARY, [CANARY], [[Cell(CANARY)]], height=2, empty=CANARY),
    "empty table": markup.table("title", ["a"], [], height=2, empty=CANARY),
    "log": markup.log(CANARY, [(CANARY, Cell(CANARY))], CANARY),
    "empty log": markup.log("title", [], CANARY),
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


@pytest.mark.parametrize("piece", PIECES)
def test_text_from_outside_stays_text(piece: str) -> None:
    page = Reader(PIECES[piece])
    assert "img" not in page.tags
    assert set(page.attributes) <= {"class", "title", "colspan"}
    assert CANARY in page.text


def test_table_keeps_its_height_whatever_its_rows() -> None:
    row = [Cell("a")]
    heights = {
        markup.table("t", ["h"], rows, height=4, empty="none").count("<tr>")
        for rows in ([], [row], [row] * 4, [row] * 9)
    }
    assert heights == {4 + 1}  # and the header


def test_note_keeps_its_height_without_text() -> None:
    assert "&nbsp;" in markup.note("")


def test_style_sheet_has_the_colours_of_both_themes() -> None:
    sheet = markup.style_sheet()
    assert 'body[data-jp-theme-light="false"]' in sheet
    assert sheet.count("--wb-up:") == 2
    assert "font-variant-numeric: tabular-nums" in sheet
