"""Reports and sessions as the cards that a notebook shows."""

from html.parser import HTMLParser

import pytest

from tests.unit.live.markets import session_config, walk
from workbench.live import LiveSession
from workbench.live.cards import SessionList, account_card, parity_card, session_card, story_card, waterfall_card
from workbench.live.parity import ParityReport
from workbench.model import EquityPart, EquityWaterfall
from workbench.strategy import sma_cross

CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def session() -> LiveSession:
    """Return a session that ran to its end."""
    session = LiveSession(session_config(walk(200), strategy=sma_cross(fast=3, slow=8), speed=float("inf")))
    session.start()
    assert session.wait(120)
    return session


class Words(HTMLParser):
    """Collects the texts of a page, without its styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the parser's signature
        self._is_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._is_style and data.strip():
            self.texts.append(data)


def words(html: str) -> list[str]:
    parser = Words()
    parser.feed(html)
    assert "<script" not in html
    return parser.texts


def test_parity_says_identical_or_where_both_part() -> None:
    same = ParityReport(True, 2_000, 117, None, "a" * 64, "a" * 64)
    assert {"identical", "2,000", "117", "aaaaaaaa"} <= set(words(parity_card(same)))
    other = ParityReport(False, 40, 3, f"bar 7: {CANARY}", "a" * 64, "b" * 64)
    assert {"NOT identical", f"First difference: bar 7: {CANARY}", "bbbbbbbb"} <= set(words(other._repr_html_()))


def test_waterfall_shows_both_ends_and_every_part() -> None:
    parts = (EquityPart(name="fees", amount=-1.254, meaning="The exchange's fees."),)
    waterfall = EquityWaterfall(currency="USDT", start=10_000.0, end=9_998.746, parts=parts, matched_orders=12)
    found = words(waterfall_card(waterfall))
    for text in (
        "10,000.00",
        "9,998.75",
        "-1.25",
        "fees",
        "The exchange's fees.",
        "Amount (USDT)",
        "orders: 12 matched, 0 missed, 0 extra",
    ):
        assert text in found


def test_session_shows_its_state_and_its_account(session: LiveSession) -> None:
    account = session.snapshot()
    found = words(session_card(session))
    for text in (f"Session {session.name}", "STOPPED", f"{account.equity:,.2f}", f"{account.fill_count:,}"):
        assert text in found
    assert session._repr_html_() == session_card(session)


def test_account_shows_what_a_person_asks_first(session: LiveSession) -> None:
    account = session.snapshot()
    found = words(account_card(account))
    net = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    for text in (f"{account.cash:,.2f}", f"{net:+,.2f}", f"{100 * account.drawdown:.2f} %"):
        assert text in found
    assert [one.symbol in found for one in account.positions] == [True] * len(account.positions)


def test_list_of_sessions_is_a_tuple_and_a_table(session: LiveSession) -> None:
    sessions = SessionList((session,))
    assert sessions == (session,)
    assert {"1 session", session.name, "STOPPED"} <= set(words(sessions._repr_html_()))
    assert "wb.paper(...) starts one" in words(SessionList(())._repr_html_())


def test_story_is_told_part_by_part(session: LiveSession) -> None:
    story = session.why(0)
    found = words(story._repr_html_())
    for name, line in story.lines():
        assert line in found
        assert not name or name in found
    assert repr(story).splitlines()[1].startswith("decided  ")
    assert CANARY in words(story_card(CANARY, [("risk", CANARY)]))
