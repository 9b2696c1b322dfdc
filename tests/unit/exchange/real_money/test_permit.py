"""What the permit lets through, order by order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real_money import BTC, CAPS, HOUR, NOON, SECOND, Vault, buy, sell
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.real_money import RealTradingPermit, disarm


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.arm()
    return vault


@pytest.fixture
def permit(vault: Vault) -> RealTradingPermit:
    return RealTradingPermit(vault.gate(), vault.consent())


def refusal(permit: RealTradingPermit, *words: object, last: float | None = 100.0) -> str | None:
    return permit.refusal(*words, last)  # type: ignore[arg-type] # a ticket


def test_order_up_to_the_cap_passes(permit: RealTradingPermit) -> None:
    # 1.05 * 100 = 105 = 100 * (1 + 0.05): a market order may be beyond by what the price may move
    assert refusal(permit, buy(1.0)) is None
    assert refusal(permit, buy(1.05)) is None
    assert refusal(permit, buy(1.051)) == "max_order_notional is 100, was 105.1"


def test_limit_order_is_bound_to_its_own_price(permit: RealTradingPermit) -> None:
    # bought at 99 at most: 1.01 * 99 = 99.99
    assert refusal(permit, buy(1.01, kind="limit", price=99.0)) is None
    assert refusal(permit, buy(1.02, kind="limit", price=99.0)) == "max_order_notional is 100, was 100.98"
    # a short entry by limit is sold at 99 or at what the market pays, 100: 1.051 * 100 = 105.1 of 105
    short = buy(1.051, side="sell", kind="limit", price=99.0)
    assert refusal(permit, short) == "max_order_notional is 100, was 105.1"


def test_price_far_from_the_market_is_refused(permit: RealTradingPermit) -> None:
    assert refusal(permit, buy(0.5, kind="limit", price=95.0)) is None
    assert refusal(permit, buy(0.5, kind="limit", price=94.9)) == (
        "price_collar is 0.05, 94.9 is 0.051 from the last price 100"
    )
    assert "price_collar" in str(refusal(permit, buy(0.5, kind="stop", price=106.0)))
    # The price of the decision may be old: the market is at 80 now, and 95 is 18.75 percent above.
    assert "is 0.1875 from the last price 80" in str(refusal(permit, buy(0.5, kind="limit", price=95.0), last=80.0))


@pytest.mark.parametrize("last", [None, 0.0, -1.0, float("nan")])
def test_no_entry_without_a_price(permit: RealTradingPermit, last: float | None) -> None:
    assert "no entry is sent without one" in str(refusal(permit, buy(0.5), last=last))


@pytest.mark.parametrize("last", [float("inf")])
def test_no_entry_at_an_infinite_price(permit: RealTradingPermit, last: float) -> None:
    assert refusal(permit, buy(0.5), last=last) is not None


def test_no_other_symbol(permit: RealTradingPermit) -> None:
    for ticket in (buy(0.5, symbol="ETH/USDT"), sell(0.5, symbol="ETH/USDT")):
        assert refusal(permit, ticket) == "ETH/USDT is none of the session's symbols, BTC/USDT"


def test_sixth_order_of_a_minute_is_refused(vault: Vault, permit: RealTradingPermit) -> None:
    for number in range(5):
        assert refusal(permit, buy(0.1, f"wb-{number}")) is None
        vault.now_ns += 10 * SECOND
    assert refusal(permit, buy(0.1)) == "max_orders_per_minute is 5, and so many were sent within the last minute"
    vault.now_ns = NOON + 60 * SECOND  # the first is a minute old now
    assert refusal(permit, buy(0.1)) is None
    assert refusal(permit, buy(0.1)) is not None


def test_day_has_a_limit_that_survives_a_restart(vault: Vault) -> None:
    # ten orders of 100 are the 1000 of a day
    for number in range(10):
        permit = RealTradingPermit(vault.gate(), vault.consent())
        assert refusal(permit, buy(1.0, f"wb-{number}")) is None
    permit = RealTradingPermit(vault.gate(), vault.consent())
    assert refusal(permit, buy(0.01)) == "max_daily_notional is 1000, with this order the day had 1001"
    vault.now_ns = NOON + 12 * HOUR  # the next day begins, and the arming of eight hours has ended
    vault.arm()
    assert refusal(permit, buy(1.0)) is None


def test_what_was_refused_is_not_counted(vault: Vault, permit: RealTradingPermit) -> None:
    for number in range(20):
        ticket = buy(1.0, f"wb-{number}")
        assert refusal(permit, ticket) is None
        permit.take_back(ticket)
        permit.take_back(ticket)
    assert json.loads((vault.folder / "turnover" / "main.json").read_text())["notional"] == 0.0
    # nothing was bought, so nothing above the size of a position may be sold: 4 * 100 > 300
    assert "is more than the session has bought, 0" in str(refusal(permit, sell(4.0)))


@pytest.mark.parametrize("ruin", ["text", "nan", "negative", "readable"])
def test_unreadable_count_of_the_day_stops_entries(vault: Vault, permit: RealTradingPermit, ruin: str) -> None:
    assert refusal(permit, buy(0.1)) is None
    path = vault.folder / "turnover" / "main.json"
    day = json.loads(path.read_text())["day"]
    if ruin == "readable":
        path.chmod(0o644)
    else:
        number = {"text": '"0"', "nan": "NaN", "negative": "-5.0"}[ruin]
        path.write_text(f'{{"day": {day}, "notional": {number}}}')
    assert "is not believed" in str(refusal(permit, buy(0.1)))


def test_disarming_holds_from_the_next_order_on(vault: Vault, permit: RealTradingPermit) -> None:
    assert refusal(permit, buy(0.5)) is None
    assert disarm(vault.folder, "main")
    assert "is not armed" in str(refusal(permit, buy(0.5)))
    assert refusal(permit, sell(0.5)) is None


def test_expiry_ends_entries_and_not_exits(vault: Vault, permit: RealTradingPermit) -> None:
    assert refusal(permit, buy(0.5)) is None
    vault.now_ns = NOON + 8 * HOUR
    assert "has expired" in str(refusal(permit, buy(0.5)))
    assert refusal(permit, sell(0.5)) is None


def test_narrower_arming_holds_at_once(vault: Vault, permit: RealTradingPermit) -> None:
    vault.arm(replace(CAPS, max_order_notional=50.0))
    assert "max_order_notional must be at most 50, was 100" in str(refusal(permit, buy(0.1)))


def test_wider_arming_does_not_widen_the_session(vault: Vault, permit: RealTradingPermit) -> None:
    vault.arm(replace(CAPS, max_order_notional=1e6, max_position_notional=1e6, max_daily_notional=1e6))
    assert refusal(permit, buy(1.1)) == "max_order_notional is 100, was 110"


def test_exit_of_what_was_bought_passes_at_any_price(permit: RealTradingPermit) -> None:
    assert refusal(permit, buy(1.0, "wb-1")) is None
    assert refusal(permit, buy(1.0, "wb-2")) is None
    # the price has doubled: 2 * 200 = 400 is more than a position of 300, but it was bought
    assert refusal(permit, sell(2.0), last=200.0) is None
    assert refusal(permit, sell(2.0), last=None) is None
    assert "more than a position of 300" in str(refusal(permit, sell(2.1), last=200.0))


def test_exit_from_before_a_restart(permit: RealTradingPermit) -> None:
    assert refusal(permit, sell(3.0)) is None  # 3 * 100 = 300, the size of a position
    assert refusal(permit, sell(3.1)) is not None
    permit.adopt(BTC, 3.1)
    assert refusal(permit, sell(3.1)) is None
    for quantity in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="quantity must be in"):
            permit.adopt(BTC, quantity)


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "buy"},  # calls itself an exit and buys
        {"is_exit": False},
    ],
)
def test_entry_in_the_clothes_of_an_exit_is_judged_as_an_entry(
    vault: Vault, permit: RealTradingPermit, changes: dict[str, object]
) -> None:
    disarm(vault.folder, "main")
    assert "is not armed" in str(refusal(permit, sell(0.1, **changes)))


def test_exit_of_a_perpetual_is_the_exchanges_to_bound(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    symbol = "BTC/USDT:USDT"
    vault.arm(symbols=(symbol,))
    permit = RealTradingPermit(vault.gate(), vault.consent(symbols=(symbol,)))
    disarm(vault.folder, "main")
    for side in ("buy", "sell"):
        assert refusal(permit, sell(50.0, symbol=symbol, side=side)) is None
        assert "is not armed" in str(refusal(permit, sell(0.1, symbol=symbol, side=side, reduce_only=False)))


def test_permit_that_only_closes_needs_no_arming_and_never_lets_an_entry_through(vault: Vault) -> None:
    vault.armed_file.unlink(missing_ok=True)
    permit = RealTradingPermit(vault.gate({}), vault.consent(), closed_reason="the arming has expired")
    assert permit.refusal(sell(0.5), 100.0) is None  # 50 of the 200 that may be held
    assert "more than a position of 200 may be" in str(permit.refusal(sell(2.1), 100.0))  # 210
    permit.adopt(BTC, 2.1)
    assert permit.refusal(sell(2.1), 100.0) is None
    vault.arm()
    assert permit.refusal(buy(0.1), 100.0) == "only exits are sent: the arming has expired"
    assert permit.refusal(sell(0.1, reduce_only=False, is_exit=False), 100.0) is not None


def test_permit_that_only_closes_needs_the_sentence_and_the_key(vault: Vault) -> None:
    consent = vault.consent()
    with pytest.raises(RealTradingDisabledError, match="pass confirm="):
        RealTradingPermit(vault.gate(), replace(consent, sentence="yes"), closed_reason="expired")
