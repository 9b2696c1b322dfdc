import sys
import threading
from pathlib import Path

import ccxt
import pytest

from tests.unit.data.scripted_exchange import MINUTE_MS, START_MS, ScriptedExchange, minute
from workbench.data import candle_stream
from workbench.data.candle_stream import fill_span
from workbench.data.download import download
from workbench.data.download_summary import DownloadSummary
from workbench.data.series import Series
from workbench.data.spans import Span
from workbench.data.store import CandleStore
from workbench.errors import BarError, ConfigError, ExchangeError, ExchangeUnavailableError, RateLimitError, StoreError
from workbench.exchange.history import open_archive
from workbench.model.timeframe import Timeframe
from workbench.model.times import utc_text

NAME = ("testex", "BTC/USDT", "1m")


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "candles")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candle_stream, "_WAITS_S", (0.0, 0.0))


def load(
    store: CandleStore, client: ScriptedExchange, last: float | None = 5_000, *, first: float = 0, symbol: object = None
) -> DownloadSummary:
    return download(
        "testex",
        client.symbols if symbol is None else symbol,  # type: ignore[arg-type] # some tests pass a wrong one
        "1m",
        since=utc_text(minute(first)),
        until=None if last is None else utc_text(minute(last)),
        store=store,
        client=client,
        progress=False,
    )


def volumes(store: CandleStore, symbol: str = "BTC/USDT") -> list[float]:
    return store.read("testex", symbol, "1m").volume.tolist()


def failing_at(first: int, error: Exception, times: int = 1) -> object:
    left = [times]

    def before(_: str, asked: int) -> None:
        if asked == first and left[0] > 0:
            left[0] -= 1
            raise error

    return before


def test_candles_of_the_wanted_time_are_stored(store: CandleStore) -> None:
    client = ScriptedExchange()
    summary = load(store, client, 2_500.5, first=0.5)
    # The first whole minute from 0.5 on is minute 1; minute 2500 is still open at 2500.5.
    assert volumes(store) == [1.0 + index for index in range(1, 2_500)]
    assert store.coverage(*NAME) == (Span(minute(1), minute(2_500)),)
    assert client.questions() == [1, 1_001, 2_001]
    assert (summary.new, summary.symbols[0].before, summary.symbols[0].answers) == (2_499, 0, 3)
    assert store.read(*NAME).instruments[0].tick == 0.01


def test_only_what_is_lacking_is_asked_for(store: CandleStore) -> None:
    client = ScriptedExchange()
    load(store, client, 2_000, first=1_000)
    client.questions()
    summary = load(store, client, 3_500)
    assert client.questions() == [0, 2_000, 3_000]
    assert volumes(store) == [1.0 + index for index in range(3_500)]
    assert (summary.new, summary.symbols[0].before) == (2_500, 1_000)
    again = load(store, client, 3_500)
    assert client.questions() == []
    assert (again.new, again.symbols[0].answers) == (0, 0)


def test_holes_of_the_exchange_are_remembered_and_told(store: CandleStore) -> None:
    client = ScriptedExchange(missing=range(500, 3_200))
    summary = load(store, client)
    assert summary.symbols[0].holes == (Span(minute(500), minute(3_200)),)
    assert "no candle at 2,700 times, the first 2025-01-01T08:20Z to 2025-01-03T05:20Z" in repr(summary)
    client.questions()
    load(store, client)
    assert client.questions() == []
    assert store.holes(*NAME) == summary.symbols[0].holes


def test_time_before_the_listing_is_asked_for_once(store: CandleStore) -> None:
    client = ScriptedExchange(missing=range(4_000))
    load(store, client)
    assert len(client.questions()) == 5
    load(store, client)
    assert client.questions() == []


def test_last_minutes_without_a_candle_are_asked_for_again(store: CandleStore) -> None:
    # The exchange is two minutes late with its candles: it has 0..2997, and 2998 and 2999 have closed.
    client = ScriptedExchange(2_998, now=3_000.5)
    assert load(store, client, None).new == 2_998
    assert store.coverage(*NAME) == (Span(minute(0), minute(2_998)),)
    client.candles, client.now = 10_000, 3_001.5
    client.questions()
    assert load(store, client, None).new == 3
    assert client.questions() == [2_998]
    assert volumes(store) == [1.0 + index for index in range(3_001)]


def test_end_without_candles_is_a_hole_when_a_day_has_passed(store: CandleStore) -> None:
    # Trading ended at minute 1000; now is minute 5000, so all before minute 5000 - 1440 is settled.
    load(store, ScriptedExchange(1_000, now=5_000), None)
    assert store.coverage(*NAME) == (Span(minute(0), minute(3_560)),)


def test_recent_hole_is_remembered_when_a_later_candle_proves_it(store: CandleStore) -> None:
    load(store, ScriptedExchange(missing=range(2_990, 2_995), now=3_000), None)
    assert store.coverage(*NAME) == (Span(minute(0), minute(3_000)),)
    assert store.holes(*NAME) == (Span(minute(2_990), minute(2_995)),)


def test_failure_keeps_what_came_before_and_the_next_call_goes_on(store: CandleStore) -> None:
    client = ScriptedExchange(before=failing_at(3_000, ccxt.BadRequest("what")))  # type: ignore[arg-type] # a callable
    with pytest.raises(ExchangeError, match="what"):
        load(store, client)
    assert volumes(store) == [1.0 + index for index in range(3_000)]
    client.questions()
    load(store, client)
    assert client.questions() == [3_000, 4_000]
    assert len(volumes(store)) == 5_000


def test_interruption_keeps_what_came_before(store: CandleStore) -> None:
    client = ScriptedExchange(before=failing_at(3_000, KeyboardInterrupt()))  # type: ignore[arg-type] # as above
    with pytest.raises(KeyboardInterrupt):
        load(store, client)
    assert len(volumes(store)) == 3_000


def test_interrupt_in_the_waiting_thread_ends_every_symbol_after_its_answer(
    store: CandleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def before(_: str, first: int) -> None:
        if first == 1_000:
            asked.set()
            assert go_on.wait(60)

    def interrupted(_: object) -> None:
        assert asked.wait(60)
        go_on.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(
        sys.modules["workbench.data.download"], "wait", interrupted
    )  # the room has its function by this name
    client = ScriptedExchange(200_000, now=300_000, before=before)
    with pytest.raises(KeyboardInterrupt):
        load(store, client, 200_000)
    assert 2_000 <= len(volumes(store)) < 200_000
    assert store.coverage(*NAME) == (Span(minute(0), minute(len(volumes(store)))),)


def test_passing_failure_is_tried_again(store: CandleStore) -> None:
    client = ScriptedExchange(before=failing_at(1_000, ccxt.RequestTimeout("slow"), times=2))  # type: ignore[arg-type] # as above
    load(store, client, 2_000)
    assert client.questions() == [0, 1_000, 1_000, 1_000]
    assert len(volumes(store)) == 2_000


class CountedWaits(threading.Event):
    """An event that notes how long it was waited for, and returns at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


@pytest.mark.parametrize(("named_s", "waited"), [(None, [2.0, 4.0]), (60.0, [60.0, 60.0]), (500.0, [])])
def test_exchange_is_left_alone_for_as_long_as_it_asks(
    store: CandleStore, monkeypatch: pytest.MonkeyPatch, named_s: float | None, waited: list[float]
) -> None:
    monkeypatch.setattr(candle_stream, "_WAITS_S", (2.0, 4.0))
    error = RateLimitError("too many", exchange="testex", retryable=True)
    error.retry_after_s = named_s
    client = ScriptedExchange(before=failing_at(1_000, error, times=2))  # type: ignore[arg-type] # as above
    series, stop = Series("testex", "BTC/USDT", Timeframe("1m")), CountedWaits()
    archive = open_archive("testex", "BTC/USDT", "1m", client=client)
    with store.writer(series) as writer:
        if waited:
            fill_span(archive, writer, Span(minute(0), minute(2_000)), stop, lambda _: None)
        else:  # banned
            with pytest.raises(RateLimitError):
                fill_span(archive, writer, Span(minute(0), minute(2_000)), stop, lambda _: None)
    assert stop.waits == waited
    assert len(volumes(store)) == (2_000 if waited else 1_000)


def test_lasting_failure_is_raised_after_all_tries(store: CandleStore) -> None:
    client = ScriptedExchange(before=failing_at(1_000, ccxt.NetworkError("no route"), times=9))  # type: ignore[arg-type] # as above
    with pytest.raises(ExchangeUnavailableError, match="no route"):
        load(store, client, 2_000)
    assert client.questions() == [0, 1_000, 1_000, 1_000]
    assert len(volumes(store)) == 1_000


def test_candle_that_cannot_be_is_refused_and_not_stored(store: CandleStore) -> None:
    class Wrong(ScriptedExchange):
        def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[object]]:
            rows = super().fetch_ohlcv(symbol, timeframe, since, limit)
            return [[*row[:2], 8.0, *row[3:]] if row[0] == START_MS + 1_500 * MINUTE_MS else row for row in rows]

    with pytest.raises(BarError, match=r"2025-01-02T01:00Z\): high 8\.0 is below low 9\.0"):
        load(store, Wrong(), 3_000)
    assert len(volumes(store)) == 1_000


def test_several_symbols_are_loaded_and_one_failure_spares_the_others(store: CandleStore) -> None:
    symbols = tuple(f"COIN{number}/USDT" for number in range(6))

    def before(symbol: str, first: int) -> None:
        if symbol == "COIN3/USDT" and first == 1_000:
            raise ccxt.BadSymbol("gone")

    with pytest.raises(ExchangeError, match="gone"):
        load(store, ScriptedExchange(symbols=symbols, before=before), 3_000)
    lengths = [len(volumes(store, symbol)) for symbol in symbols]
    assert lengths == [3_000, 3_000, 3_000, 1_000, 3_000, 3_000]


def test_client_that_is_given_is_asked_one_question_at_a_time(store: CandleStore) -> None:
    inside = threading.Semaphore(1)

    class Alone(ScriptedExchange):
        def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[object]]:
            assert inside.acquire(blocking=False), "two questions at once"
            try:
                return super().fetch_ohlcv(symbol, timeframe, since, limit)
            finally:
                inside.release()

    symbols = tuple(f"COIN{number}/USDT" for number in range(5))
    assert load(store, Alone(symbols=symbols), 3_000).new == 15_000


def test_own_clients_ask_at_once_share_the_markets_and_are_closed(
    store: CandleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, closed, listed = threading.Barrier(2, timeout=60), [], []

    class Own(ScriptedExchange):
        markets: object = None
        currencies: object = None

        def __init__(self) -> None:
            super().__init__(symbols=("BTC/USDT", "ETH/USDT"))

        def load_markets(self) -> object:
            if self.markets is None:
                listed.append(True)
                self.markets = super().load_markets()
            return self.markets

        def set_markets(self, markets: object, _: object) -> None:
            self.markets = markets

        def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[object]]:
            both.wait()  # passes only when both symbols are being asked for
            return super().fetch_ohlcv(symbol, timeframe, since, limit)

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr("workbench.exchange.history.open_candle_client", lambda _: Own())
    until = utc_text(minute(2_000))
    download("testex", ["BTC/USDT", "ETH/USDT"], "1m", since="2025-01-01", until=until, store=store, progress=False)
    assert (len(listed), len(closed)) == (1, 2)
    assert volumes(store) == volumes(store, "ETH/USDT")


def test_unknown_symbol_stops_everything_before_it_begins(store: CandleStore) -> None:
    client = ScriptedExchange()
    with pytest.raises(ConfigError, match="testex does not trade 'BTC/USD'; did you mean 'BTC/USDT'"):
        load(store, client, symbol=["BTC/USDT", "BTC/USD"])
    assert client.asked == []
    assert store.series() == ()
    with pytest.raises(ConfigError, match="symbol is missing"):
        load(store, client, symbol=[])


def test_time_without_a_whole_candle_is_refused(store: CandleStore) -> None:
    with pytest.raises(ConfigError, match="no 1m candle lies between since, 2025-01-02T00:00Z, and 2025-01-01T00:10Z"):
        load(store, ScriptedExchange(), 10, first=1_440)
    with pytest.raises(ConfigError, match="and now"):
        load(store, ScriptedExchange(now=10), None, first=1_440)


def test_second_download_of_the_same_series_is_refused(store: CandleStore) -> None:
    with store.writer(Series("testex", "BTC/USDT", Timeframe("1m"))), pytest.raises(StoreError, match="being written"):
        load(store, ScriptedExchange())


def test_months_are_written_as_they_end(store: CandleStore) -> None:
    # January has 31 * 1440 = 44,640 minutes: the failure comes after it, in February.
    client = ScriptedExchange(60_000, before=failing_at(50_000, ccxt.BadRequest("x")))  # type: ignore[arg-type] # as above
    with pytest.raises(ExchangeError):
        load(store, client, 60_000)
    assert store.info(*NAME).months == ("2025-01", "2025-02")
    assert store.coverage(*NAME) == (Span(minute(0), minute(50_000)),)


def test_summary_is_a_table_that_escapes_names(store: CandleStore) -> None:
    summary = load(store, ScriptedExchange(symbols=("BTC/USDT", "ETH/USDT")), 100)
    assert repr(summary).splitlines() == [
        "testex 1m, 2025-01-01T00:00Z to 2025-01-01T01:40Z, 200 new candles",
        "  BTC/USDT: 100 new, 0 before, 1 answers",
        "  ETH/USDT: 100 new, 0 before, 1 answers",
    ]
    assert summary.to_frame().loc["ETH/USDT", "new"] == 100
    html = summary._repr_html_()
    assert "<td>100</td>" in html
    assert store.root not in html


def test_bar_shows_the_candles_that_are_lacking(store: CandleStore, capsys: pytest.CaptureFixture[str]) -> None:
    client = ScriptedExchange()
    load(store, client, 1_000)
    download(*NAME, since="2025-01-01", until=utc_text(minute(3_000)), store=store, client=client, progress=True)
    assert "testex 1m: 100%" in (shown := capsys.readouterr().err)
    assert "2.00k/2.00k" in shown
