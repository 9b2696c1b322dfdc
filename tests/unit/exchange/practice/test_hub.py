"""Who hears what, in which bytes, and who is cut off."""

import pytest

from workbench.exchange.practice import PracticeExchange
from workbench.exchange.practice.frames import text_frame
from workbench.exchange.practice.hub import Listener, StreamHub
from workbench.exchange.practice.outbox import MarketMessage, UserMessage
from workbench.exchange.practice.refusals import RefusalError


class Wire:
    """A transport that keeps what it is given."""

    def __init__(self, waiting: int = 0) -> None:
        self.written: list[bytes] = []
        self.waiting = waiting
        self.is_cut = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.is_cut

    def abort(self) -> None:
        self.is_cut = True


@pytest.fixture
def hub(exchange: PracticeExchange) -> StreamHub:
    venue = exchange._venue  # noqa: SLF001 - the hub is under test, not the way to it
    return StreamHub(venue.spot, "spot", venue.outbox)


def test_clients_with_the_same_wishes_get_the_very_same_bytes(hub: StreamHub) -> None:
    wires = [Wire(), Wire(), Wire()]
    for wire, streams in zip(wires, (["btcusdt@trade"], ["btcusdt@trade"], ["btcusdt@bookTicker"]), strict=True):
        hub.subscribe(Listener(wire), streams)
    hub.send_market([MarketMessage("btcusdt@trade", "1"), MarketMessage("btcusdt@bookTicker", "2")])
    assert wires[0].written == [text_frame("1")]
    assert wires[0].written[0] is wires[1].written[0]
    assert wires[2].written == [text_frame("2")]


def test_messages_keep_their_order_across_streams(hub: StreamHub) -> None:
    wire = Wire()
    hub.subscribe(Listener(wire), ["btcusdt@trade", "btcusdt@kline_1m"])
    names = ["btcusdt@trade", "btcusdt@kline_1m", "btcusdt@trade"]
    hub.send_market([MarketMessage(name, str(number)) for number, name in enumerate(names)])
    assert wire.written == [text_frame("0") + text_frame("1") + text_frame("2")]


def test_client_that_does_not_read_is_cut_off(hub: StreamHub) -> None:
    slow, quick = Wire(waiting=16_000_001), Wire(waiting=16_000_000)
    for wire in (slow, quick):
        hub.subscribe(Listener(wire), ["btcusdt@trade"])
    for _ in range(2):
        hub.send_market([MarketMessage("btcusdt@trade", "1")])
    assert (slow.is_cut, len(slow.written)) == (True, 1)
    assert (quick.is_cut, len(quick.written)) == (False, 2)


def test_subscribing_twice_counts_once(hub: StreamHub, exchange: PracticeExchange) -> None:
    listener = Listener(Wire())
    for _ in range(2):
        hub.subscribe(listener, ["btcusdt@trade"])
    hub.unsubscribe(listener, ["btcusdt@trade", "btcusdt@never"])
    assert not exchange._venue.spot.feeds["BTCUSDT"].is_watched  # noqa: SLF001 - what the hub has done


def test_streams_before_a_wrong_one_are_heard(hub: StreamHub) -> None:
    listener = Listener(Wire())
    with pytest.raises(RefusalError):
        hub.subscribe(listener, ["btcusdt@trade", "nosuch@trade"])
    assert listener.streams == {"btcusdt@trade"}


def test_events_of_the_account_are_wrapped_for_each_interface(hub: StreamHub) -> None:
    plain, wrapped = Wire(), Wire()
    hub.add_user(Listener(plain), "%s")
    hub.add_user(Listener(wrapped), '{"event":%s}')
    hub.send_user([UserMessage("TRADE", '{"note":"%s"}')])
    assert plain.written == [text_frame('{"note":"%s"}')]
    assert wrapped.written == [text_frame('{"event":{"note":"%s"}}')]


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_frame_has_the_shortest_head_that_holds_its_length(size: int, head: int) -> None:
    frame = text_frame("x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81  # one whole text message
