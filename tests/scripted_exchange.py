"""A server on this machine that speaks as much Binance spot as a test needs, and answers whatever it is told to."""

import asyncio
import json
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from workbench.exchange.ccxt_client.client import CcxtClient
from workbench.exchange.ccxt_client.limiter import RateBudget
from workbench.exchange.ccxt_client.settings import ClientSettings
from workbench.exchange.ccxt_client.timing import Timing
from workbench.exchange.credentials import Credentials
from workbench.exchange.tickets import OrderTicket

KEY = "practice-canary-key-7f3a9c51"
SECRET = "canary-secret-2b8e6d04f1a7"  # noqa: S105 - made up, to be searched for
ORDER = "/api/v3/order"
MS = 1_000_000
UNLIMITED = RateBudget(cost_per_s=1e6, burst=1e6)
MARKETS = {"BTCUSDT": ("BTC", "USDT"), "ETHUSDT": ("ETH", "USDT")}


@dataclass
class Answer:
    """One scripted answer: `body` is sent as JSON unless it is text; `drop` breaks the line in place of an answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    executes: bool = False
    wait: asyncio.Event | None = None


class ScriptedExchange:
    """Records every request; executes what it is told to; answers from its script, else as a good exchange would."""

    def __init__(self) -> None:
        self.script: dict[tuple[str, str], deque[Answer]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.seen_keys: list[str | None] = []
        self.executed: list[dict[str, str]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.own_trades: list[dict[str, Any]] = []
        self.klines: list[list[Any]] = []
        self.skew_ms = 0
        self.sockets: dict[str, list[web.WebSocketResponse]] = {"market": [], "user": []}
        self.changed = asyncio.Condition()
        self.base_url = ""
        self.refuses_sockets_with: int | None = None
        self.login_refusals: deque[dict[str, Any]] = deque()

    def will(self, method: str, path: str, *answers: Answer) -> None:
        self.script.setdefault((method, path), deque()).extend(answers)

    def count(self, method: str, path: str) -> int:
        return sum((one, where) == (method, path) for one, where, _ in self.requests)

    def now_ms(self) -> int:
        return time.time_ns() // MS + self.skew_ms

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        params = dict(parse_qsl(text or request.query_string))
        self.requests.append((request.method, request.path, params))
        self.seen_keys.append(request.headers.get("X-MBX-APIKEY"))
        planned = self.script.get((request.method, request.path))
        if planned:
            return await self.scripted(request, params, planned.popleft())
        routes: dict[str, Callable[[str, dict[str, str]], Any]] = {
            "/api/v3/exchangeInfo": lambda *_: exchange_info(),
            "/api/v3/time": lambda *_: {"serverTime": self.now_ms()},
            "/api/v3/trades": lambda _, p: self.trades[-int(p.get("limit", 500)) :],
            "/api/v3/historicalTrades": lambda _, p: self.from_id(self.trades, p),
            "/api/v3/myTrades": lambda _, p: self.from_id(self.own_trades, p),
            "/api/v3/klines": lambda _, p: [row for row in self.klines if row[0] >= int(p.get("startTime", 0))],
            "/api/v3/openOrders": lambda *_: [one for one in self.orders.values() if one["status"] == "NEW"],
            "/api/v3/account": lambda *_: {"balances": [{"asset": "USDT", "free": "100.5", "locked": "1"}]},
            ORDER: self.order,
        }
        if request.path not in routes:
            return web.json_response({"code": -1, "msg": f"no such route {request.path}"}, status=404)
        document = routes[request.path](request.method, params)
        return web.json_response(document, status=400 if isinstance(document, dict) and "code" in document else 200)

    async def scripted(self, request: web.Request, params: dict[str, str], answer: Answer) -> web.StreamResponse:
        if answer.executes:
            self.order(request.method, params)
        if answer.wait is not None:
            await answer.wait.wait()
        if answer.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = answer.body if isinstance(answer.body, str | bytes) else json.dumps(answer.body)
        raw = body if isinstance(body, bytes) else body.encode()
        kind = "text/html" if isinstance(answer.body, str) else "application/json"
        return web.Response(status=answer.status, body=raw, headers=answer.headers, content_type=kind)

    def from_id(self, rows: list[dict[str, Any]], params: dict[str, str]) -> list[dict[str, Any]]:
        first = int(params.get("fromId", 0))
        since = int(params.get("startTime", 0))
        return [row for row in rows if row["id"] >= first and row["time"] >= since][: int(params.get("limit", 500))]

    def order(self, method: str, params: dict[str, str]) -> dict[str, Any]:
        if method == "POST":
            self.executed.append(params)
            name = params["newClientOrderId"]
            self.orders[name] = order_document(name, params, order_id=len(self.executed))
            return self.orders[name]
        found = self.orders.get(params.get("origClientOrderId", ""))
        if found is None:
            code = -2011 if method == "DELETE" else -2013
            return {"code": code, "msg": "Unknown order sent." if method == "DELETE" else "Order does not exist."}
        if method == "DELETE":
            found["status"] = "CANCELED"
        return found

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_sockets_with is not None:
            return web.Response(status=self.refuses_sockets_with)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        kind = "user" if request.path.startswith("/ws-api") else "market"
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                break
            asked = json.loads(message.data)
            self.requests.append(("WS", asked["method"], asked.get("params") if kind == "user" else {}))
            if kind == "user" and self.login_refusals:
                refusal = {"id": asked["id"], "status": 400, "error": self.login_refusals.popleft()}
                await socket.send_json(refusal)
                continue
            outcome = {"status": 200, "result": {"subscriptionId": 0}} if kind == "user" else {"result": None}
            await socket.send_json({"id": asked["id"], **outcome})
            async with self.changed:
                self.sockets[kind].append(socket)
                self.changed.notify_all()
        async with self.changed:
            self.sockets[kind] = [one for one in self.sockets[kind] if one is not socket]
            self.changed.notify_all()
        return socket

    async def subscribed(self, kind: str, count: int = 1) -> None:
        """Wait until there are at least `count` subscriptions of a kind."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(lambda: len(self.sockets[kind]) >= count), 10)

    async def send(self, kind: str, *messages: dict[str, Any]) -> None:
        for message in messages:
            for socket in list(dict.fromkeys(self.sockets[kind])):
                await socket.send_json(message)

    async def hang_up(self, kind: str) -> None:
        sockets, self.sockets[kind] = self.sockets[kind], []
        for socket in dict.fromkeys(sockets):
            await socket.close()

    @asynccontextmanager
    async def running(self, ssl_context: ssl.SSLContext | None = None) -> AsyncIterator["ScriptedExchange"]:
        app = web.Application(client_max_size=10**9)
        app.router.add_get("/stream/ws/{name}", self.socket)
        app.router.add_get("/ws-api/v3", self.socket)
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context)
        await site.start()
        scheme = "http" if ssl_context is None else "https"
        self.base_url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def exchange_info() -> dict[str, Any]:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00010000", "maxQty": "9000", "stepSize": "0.00001000"},
        {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000"},
    ]
    kinds = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"]
    symbols = [
        {
            "symbol": symbol,
            "status": "TRADING",
            "baseAsset": base,
            "baseAssetPrecision": 8,
            "quoteAsset": quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": kinds,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": filters,
            "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]],
        }
        for symbol, (base, quote) in MARKETS.items()
    ]
    return {"timezone": "UTC", "serverTime": 0, "rateLimits": [], "exchangeFilters": [], "symbols": symbols}


def order_document(name: str, params: dict[str, str], *, order_id: int) -> dict[str, Any]:
    return {
        "symbol": params["symbol"],
        "orderId": order_id,
        "clientOrderId": name,
        "transactTime": 1_735_689_600_000,
        "price": params.get("price", "0"),
        "origQty": params["quantity"],
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": params["type"],
        "side": params["side"],
        "fills": [],
    }


def trade_message(number: int, price: float = 100.0, *, time_ms: int = 1_735_689_600_000) -> dict[str, Any]:
    when = time_ms + number
    numbers = {"E": when, "T": when, "t": number, "p": str(price), "q": "0.5"}
    return {"e": "trade", "s": "BTCUSDT", "m": False, "M": True, **numbers}


def trade_row(number: int, price: float = 100.0, *, time_ms: int = 1_735_689_600_000) -> dict[str, Any]:
    numbers = {"id": number, "price": str(price), "qty": "0.5", "quoteQty": "50", "time": time_ms + number}
    return {"isBuyerMaker": False, "isBestMatch": True, **numbers}


def limit_order(name: str = "wb-1", quantity: float = 0.5, price: float = 100.0, **changes: Any) -> OrderTicket:
    return OrderTicket(
        client_order_id=name, symbol="BTC/USDT", side="buy", quantity=quantity, kind="limit", price=price, **changes
    )


@asynccontextmanager
async def connected(
    exchange: ScriptedExchange | None = None,
    *,
    timing: Timing | None = None,
    ssl_context: ssl.SSLContext | None = None,
    **settings: Any,
) -> AsyncIterator[tuple[ScriptedExchange, CcxtClient]]:
    """Run a scripted exchange with a client of it."""
    async with (exchange or ScriptedExchange()).running(ssl_context) as server:
        chosen = {
            "exchange": "practice",
            "credentials": Credentials(KEY, SECRET),
            "timeout_s": 5.0,
            "budget": UNLIMITED,
        } | settings
        client = CcxtClient(ClientSettings(base_url=server.base_url, **chosen), timing=timing)
        try:
            yield server, client
        finally:
            await client.close()


def run(test: Callable[[ScriptedExchange, CcxtClient], Awaitable[None]], **settings: Any) -> None:
    """Run a test with a scripted exchange and a client of it."""

    async def whole() -> None:
        async with connected(**settings) as (exchange, client):
            await asyncio.wait_for(test(exchange, client), 30)

    asyncio.run(whole())
