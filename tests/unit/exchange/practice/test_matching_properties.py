"""Whatever is ordered and printed: no coin appears or vanishes, and no order gets more than it asked for."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.exchange.practice.engines import CONTRACT, Desk
from workbench.exchange.practice.refusals import RefusalError

CASH = Decimal(10_000)
CENT = Decimal("0.01")
LOT = Decimal("0.001")

prices = st.integers(5_000, 15_000).map(lambda ticks: str(CENT * ticks))
quantities = st.integers(1, 60_000).map(lambda lots: str(LOT * lots))
sides = st.sampled_from(["BUY", "SELL"])
prints = st.tuples(st.just("see"), prices, st.floats(0.0, 40.0).map(lambda volume: round(volume, 5)))
cancels = st.tuples(st.just("cancel"), st.integers(0, 20))
spot_kinds = st.sampled_from(["MARKET", "LIMIT", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"])
perpetual_kinds = st.sampled_from(["MARKET", "LIMIT", "STOP_MARKET", "STOP", "TAKE_PROFIT_MARKET"])
times_in_force = st.sampled_from(["GTC", "GTC", "IOC", "FOK"])


def orders(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.just("place"), sides, kinds, quantities, prices, prices, times_in_force, st.booleans())


def act(desk: Desk, action: tuple) -> None:
    """Do one thing; a refusal is an answer too."""
    if action[0] == "see":
        desk.see(*action[1:])
        return
    try:
        if action[0] == "cancel":
            known = list(desk.engine.orders.values())
            if known:
                desk.engine.cancel(known[action[1] % len(known)], desk.time_ms)
        else:
            _, side, kind, quantity, price, stop_price, time_in_force, reduces = action
            more = {"stopPrice": stop_price, "timeInForce": time_in_force}
            if desk.listing.is_perpetual:
                more["reduceOnly"] = str(reduces).lower()
            desk.place(side, kind, quantity, price, **more)
    except RefusalError:
        return


def check_orders(desk: Desk) -> None:
    for order in desk.engine.orders.values():
        assert 0 <= order.filled <= order.wanted.quantity
        assert order.filled == sum(fill.quantity for fill in order.fills)
        assert order.filled_quote == sum(fill.quantity * fill.price for fill in order.fills)
        assert order.is_open or order.locked == 0
        assert (order.status == "FILLED") == (order.remaining == 0)
    numbers = [fill.trade_id for fill in desk.engine.fills]
    assert numbers == list(range(1, len(numbers) + 1))
    open_ids = {order.order_id for order in desk.engine.orders.values() if order.is_open}
    assert {order.order_id for order in desk.engine.open_orders()} == open_ids


@given(
    st.lists(st.one_of(prints, orders(spot_kinds), cancels), max_size=40),
    st.sampled_from(["quote", "received", "BNB"]),
)
def test_spot_balances_change_by_trades_and_fees_alone(actions: list[tuple], fee_asset: str) -> None:
    desk = Desk(cash=str(CASH), fee_asset=fee_asset)
    desk.account.set_free("BTC", Decimal(50))
    desk.account.set_free("BNB", Decimal("0.001"))
    for action in actions:
        act(desk, action)
        check_orders(desk)
        expected = defaultdict(Decimal, {"USDT": CASH, "BTC": Decimal(50), "BNB": Decimal("0.001")})
        for fill in desk.engine.fills:
            sign = 1 if fill.side == "BUY" else -1
            expected["BTC"] += sign * fill.quantity
            expected["USDT"] -= sign * fill.quantity * fill.price
            expected[fill.fee_asset] -= fill.fee
        locked: dict[str, Decimal] = defaultdict(Decimal)
        for order in desk.engine.open_orders():
            locked["USDT" if order.is_buy else "BTC"] += order.locked
        for asset in ("USDT", "BTC", "BNB"):
            assert desk.total(asset) == expected[asset]
            assert desk.account.locked[asset] == locked[asset]
            assert desk.account.free[asset] >= 0


@given(st.lists(st.one_of(prints, orders(perpetual_kinds), cancels), max_size=40))
def test_equity_of_perpetuals_changes_by_price_moves_and_fees_alone(actions: list[tuple]) -> None:
    desk = Desk(CONTRACT, cash=str(CASH))
    for action in actions:
        act(desk, action)
        check_orders(desk)
        mark = desk.prices["BTCUSDT"]
        amount, gained, fees = Decimal(0), Decimal(0), Decimal(0)
        for fill in desk.engine.fills:
            signed = fill.quantity if fill.side == "BUY" else -fill.quantity
            amount += signed
            gained += signed * (mark - fill.price)
            fees += fill.fee
        assert desk.account.position(desk.listing).amount == amount
        equity = desk.account.wallets["USDT"] + desk.account.unrealized("USDT")
        # Average entry prices are kept to 12 places.
        assert abs(equity - (CASH + gained - fees)) < Decimal("1e-6")
        assert desk.account.order_margin.get("USDT", 0) == sum(order.locked for order in desk.engine.open_orders())


@given(st.lists(st.one_of(prints, orders(perpetual_kinds)), max_size=30))
def test_order_that_may_only_reduce_never_opens_or_turns_a_position(actions: list[tuple]) -> None:
    desk = Desk(CONTRACT, cash=str(CASH))
    amount = Decimal(0)
    seen = 0
    for action in actions:
        act(desk, action)
        for fill in desk.engine.fills[seen:]:
            before = amount
            amount += fill.quantity if fill.side == "BUY" else -fill.quantity
            if desk.engine.orders[fill.order_id].wanted.reduce_only:
                assert abs(amount) < abs(before)
                assert amount == 0 or (amount > 0) == (before > 0)
        seen = len(desk.engine.fills)


@given(st.lists(st.floats(0.0, 3.0).map(lambda volume: round(volume, 3)), max_size=20), st.integers(2, 5))
def test_prints_never_give_more_than_their_volume(volumes: list[float], count: int) -> None:
    desk = Desk(cash="1000000")
    resting = [desk.place("BUY", "LIMIT", "2", "99") for _ in range(count)]
    for volume in volumes:
        before = sum(order.filled for order in resting)
        desk.see(98, volume)
        assert sum(order.filled for order in resting) - before <= Decimal(str(volume))
