"""A matching engine on its own: no server, no clock."""

from decimal import Decimal

from workbench.exchange.practice.book import Book
from workbench.exchange.practice.listing import Fees, Listing
from workbench.exchange.practice.matching import MatchingEngine
from workbench.exchange.practice.order_entry import PERPETUAL_KINDS, SPOT_KINDS, read_order
from workbench.exchange.practice.orders import Execution, PracticeOrder
from workbench.exchange.practice.perpetual_account import PerpetualAccount
from workbench.exchange.practice.spot_account import SpotAccount
from workbench.model.instrument import Instrument

COIN = Instrument("BTC/USDT", lot=0.001, tick=0.01, min_notional=5.0)
CONTRACT = Instrument("BTC/USDT:USDT", "linear_perpetual", lot=0.001, tick=0.01, min_notional=5.0, max_leverage=10.0)
FEE = Decimal("0.001")


class Desk:
    """An engine with one market, a clock of whole milliseconds, and the executions it told of."""

    def __init__(self, instrument: Instrument = COIN, *, cash: str = "10000", fee_asset: str = "quote") -> None:
        self.listing = Listing(instrument, Fees(FEE, FEE, fee_asset))
        self.prices: dict[str, Decimal] = {"BNBUSDT": Decimal(500)}
        balances = {"USDT": Decimal(cash)}
        kind = PerpetualAccount if self.listing.is_perpetual else SpotAccount
        self.account = kind(balances, self.prices)
        self.told: list[Execution] = []
        self.engine = MatchingEngine(self.account, {"BTCUSDT": self.listing}, self.prices, self.told.append)
        self.time_ms = 0
        self.see(100)

    def see(self, price: float, volume: float = 1_000) -> None:
        """Let the market print."""
        self.time_ms += 1
        self.engine.on_print("BTCUSDT", self.time_ms, Decimal(str(price)), Decimal(str(volume)))

    def place(self, side: str, kind: str, quantity: str | None, price: str | None = None, **more: str) -> PracticeOrder:
        """Place an order given in the words of a request."""
        self.time_ms += 1
        params = {"symbol": "BTCUSDT", "side": side, "type": kind} | more
        if quantity is not None:
            params["quantity"] = quantity
        if price is not None:
            params |= {"price": price, "timeInForce": more.get("timeInForce", "GTC")}
        kinds = PERPETUAL_KINDS if self.listing.is_perpetual else SPOT_KINDS
        book = Book(self.listing, self.prices["BTCUSDT"])
        wanted = read_order(params, self.listing, book, kinds, f"order-{self.time_ms}")
        return self.engine.place(wanted, self.time_ms)

    def total(self, asset: str) -> Decimal:
        """Return what the spot account has of a coin."""
        return self.account.total(asset)

    def kinds(self) -> list[str]:
        """Name what was told so far."""
        return [execution.kind for execution in self.told]


def d(text: str | int) -> Decimal:
    return Decimal(text)
