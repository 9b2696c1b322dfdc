import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.charts import live
from workbench.charts.live import ChartOptions, LiveChart, quote_currency, timeframe_name

PATIENCE_S = 90.0


class RecordedChart(LiveChart):
    """A live chart whose page is a queue."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.sent: Queue[tuple[dict[str, Any], list[bytes]]] = Queue()
        super().__init__(*args, **options)

    def send(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.put((content, list(buffers or ())))

    def say(self, kind: str) -> None:
        """Speak as the page does."""
        self._handle_custom_msg({"kind": kind}, [])

    def next(self, kind: str) -> dict[str, Any]:
        """Return the next message of a kind."""
        while True:
            content, _ = self.sent.get(timeout=PATIENCE_S)
            if content["kind"] == kind:
                return content


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=20)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chart(session: FakeSession, clock: Clock) -> Iterator[RecordedChart]:
    chart = RecordedChart(session, clock=clock)
    yield chart
    chart.close()


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "workbench-chart"]


def wait_for_the_end() -> None:
    for thread in writers():
        thread.join(PATIENCE_S)
    assert writers() == []


def test_chart_without_a_page_has_no_thread_and_no_subscription(chart: RecordedChart, session: FakeSession) -> None:
    session.tick()
    chart.wake()
    assert not chart.is_writing
    assert session.subscribers == []
    assert chart.sent.empty()


def test_heartbeat_starts_one_writer_and_the_page_gets_a_snapshot(chart: RecordedChart, session: FakeSession) -> None:
    chart.say("beat")
    chart.say("beat")
    assert chart.next("snapshot")["sequence"] == 1
    assert len(writers()) == 1
    assert len(session.subscribers) == 1


def test_tick_reaches_the_page_as_a_numbered_delta(chart: RecordedChart, session: FakeSession, clock: Clock) -> None:
    chart.say("beat")
    chart.next("snapshot")
    clock.now += 1
    session.tick()
    assert chart.next("delta")["sequence"] == 2


def test_lost_page_ends_the_writer_and_a_new_heartbeat_starts_it_again(
    chart: RecordedChart, session: FakeSession, clock: Clock
) -> None:
    chart.say("beat")
    chart.next("snapshot")
    clock.now += 11
    wait_for_the_end()
    assert session.subscribers == []
    chart.say("beat")
    assert chart.next("snapshot")["sequence"] == 2


def test_finished_session_ends_the_writer_after_a_last_look(
    chart: RecordedChart, session: FakeSession, clock: Clock
) -> None:
    looks: Queue[str] = Queue()
    chart.carry(lambda: looks.put(session.state))
    chart.say("beat")
    chart.next("snapshot")
    clock.now += 1
    chart.wake()
    while looks.get(timeout=PATIENCE_S) != "PREPARED" or clock.now != chart._carried_at:  # noqa: SLF001  a look just now
        pass
    session.stop()
    assert chart.next("snapshot")["final"] is True
    wait_for_the_end()
    assert list(looks.queue)[-1] == "STOPPED"
    chart.say("beat")
    assert not chart.is_writing


def test_close_ends_the_writer(chart: RecordedChart, session: FakeSession) -> None:
    chart.say("beat")
    chart.next("snapshot")
    chart.close()
    assert writers() == []
    assert session.subscribers == []
    chart.say("beat")
    assert not chart.is_writing


def test_failing_session_is_told_to_the_page_and_tried_again(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "_RECOVERY_S", 0.0)
    chart = RecordedChart(session)
    answers = iter([RuntimeError("no state now")])
    take = session.chart_state

    def fail_once() -> Any:
        for error in answers:
            raise error
        return take()

    session.chart_state = fail_once  # type: ignore[method-assign]
    chart.say("snapshot")
    assert chart.next("fault")["text"] == "RuntimeError: no state now"
    chart.say("snapshot")
    chart.next("snapshot")
    chart.close()
    assert "no state now" in caplog.text


def test_passenger_rides_on_the_writer_thread(chart: RecordedChart) -> None:
    threads: Queue[str] = Queue()
    chart.carry(lambda: threads.put(threading.current_thread().name))
    chart.say("beat")
    assert threads.get(timeout=PATIENCE_S) == "workbench-chart"


def test_repr_is_constant(chart: RecordedChart, session: FakeSession) -> None:
    before = repr(chart)
    session.tick()
    assert repr(chart) == before == "LiveChart('BTC/USDT', '1m')"


def test_chart_says_what_it_shows(session: FakeSession) -> None:
    chart = LiveChart(session, ChartOptions(height=300))
    assert chart.title == {
        "symbol": "BTC/USDT",
        "timeframe": "1m",
        "quote": "USDT",
        "mode": "paper · simulated",
        "is_shown": True,
    }
    assert (chart.height, chart.timeframe_ms) == (300, 60_000.0)
    assert set(chart.palettes) == {"light", "dark"}
    assert chart.palettes["light"]["up"] != chart.palettes["dark"]["up"]
    chart.close()


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(1, "1s"), (60, "1m"), (900, "15m"), (3600, "1h"), (86_400, "1d"), (604_800, "1w"), (90, "90s")],
)
def test_timeframe_is_named_by_its_largest_unit(seconds: int, name: str) -> None:
    assert timeframe_name(seconds * 1_000_000_000) == name


def test_quote_currency_of_a_name_without_one_is_empty() -> None:
    assert quote_currency("SPX") == ""


def test_live_chart_starts_without_what_makes_static_figures_slow() -> None:
    code = (
        "import sys, workbench.charts.live;"
        "print(sorted({'nbformat', 'pandas', 'plotly.io', 'numba'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
