"""No sequence of orders, whatever it is, gets more through to real money than was armed."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tests.real_money import CAPS, RISK, SECOND, Vault, buy
from workbench.exchange.real_money import RealTradingPermit

# Times are spread over two minutes and two days, prices over the collar and beyond.
ORDERS = st.tuples(
    st.floats(0.001, 3.0),
    st.sampled_from(["market", "limit", "stop"]),
    st.sampled_from(["buy", "sell"]),
    st.floats(90.0, 110.0),
    st.floats(95.0, 105.0),
    st.sampled_from([0, 1, 7, 30, 61, 7_200]),
    st.booleans(),
)


@given(st.lists(ORDERS, min_size=1, max_size=40))
def test_no_sequence_of_accepted_orders_exceeds_the_caps(orders: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as name:
        vault = Vault(Path(name))
        vault.arm()
        permit = RealTradingPermit(vault.gate(), vault.consent())
        sent: deque[tuple[int, float]] = deque()
        for number, (quantity, kind, side, price, last, wait_s, is_refused) in enumerate(orders):
            vault.now_ns += int(wait_s) * SECOND  # type: ignore[call-overload] # a number, as all of these
            level = None if kind == "market" else price
            ticket = buy(quantity, f"wb-{number}", kind=kind, side=side, price=level)  # type: ignore[arg-type] # as above
            if permit.refusal(ticket, last) is not None:  # type: ignore[arg-type] # as above
                continue
            if is_refused:
                permit.take_back(ticket)
                continue
            reference = ticket.price or float(last)  # type: ignore[arg-type] # as above
            sent.append((vault.now_ns, ticket.quantity * reference))
            assert abs(reference / last - 1.0) <= CAPS.price_collar * 1.000001  # type: ignore[operator] # as above
        for moment, notional in sent:
            assert notional <= RISK.max_order_notional * (1 + CAPS.price_collar) * 1.000001  # type: ignore[operator] # set
            within = [one for one, _ in sent if 0 <= one - moment < 60 * SECOND]
            assert len(within) <= CAPS.max_orders_per_minute
            day = moment // (86_400 * SECOND)
            total = sum(amount for one, amount in sent if one // (86_400 * SECOND) == day)
            assert total <= CAPS.max_daily_notional * 1.000001
