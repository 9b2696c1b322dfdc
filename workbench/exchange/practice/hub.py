"""Who listens to what: websocket clients of market streams and of the account's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.frames import text_frame

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Iterable

    from workbench.exchange.practice.outbox import MarketMessage, Outbox, UserMessage
    from workbench.exchange.practice.section import Section

__all__ = ["Listener", "StreamHub"]

#: Bytes that may wait for a client that reads too slowly; then it is cut off, as by Binance.
_MOST_WAITING: Final = 16_000_000


class Listener:
    """One websocket client.

    Parameters
    ----------
    transport : asyncio.Transport
        Its connection; written to directly, with frames that were made once for all.
    is_combined : bool
        Whether messages are wrapped with the name of their stream.
    """

    def __init__(self, transport: Transport, *, is_combined: bool = False) -> None:
        self.streams: frozenset[str] = frozenset()
        self.is_combined = is_combined
        self._transport = transport

    def write(self, frames: bytes) -> None:
        """Send frames; a client that has stopped reading is cut off."""
        if self._transport.is_closing():
            return
        self._transport.write(frames)
        if self._transport.get_write_buffer_size() > _MOST_WAITING:
            self.cut_off()

    def cut_off(self) -> None:
        """End the connection without a goodbye."""
        self._transport.abort()


class StreamHub:
    """The listeners of one half of the exchange.

    Parameters
    ----------
    section : Section
        Whose markets they listen to.
    name : str
        Its name, ``"spot"`` or ``"perpetual"``.
    outbox : Outbox
        Is told how many listen to the account's events.
    """

    def __init__(self, section: Section, name: str, outbox: Outbox) -> None:
        self._section = section
        self._name = name
        self._outbox = outbox
        self._listeners: dict[Listener, None] = {}
        self._users: dict[Listener, str] = {}

    def subscribe(self, listener: Listener, streams: Iterable[str]) -> None:
        """Let a client hear streams.

        Raises
        ------
        RefusalError
            A market or stream does not exist; those named before it are heard.
        """
        for stream in streams:
            if stream in listener.streams:
                continue
            symbol = stream.partition("@")[0].upper()
            self._section.watch(self._section.listing(symbol).symbol, stream)
            listener.streams |= {stream}
            self._listeners[listener] = None

    def unsubscribe(self, listener: Listener, streams: Iterable[str]) -> None:
        """Let a client hear streams no longer."""
        for stream in streams:
            if stream in listener.streams:
                self._section.unwatch(stream.partition("@")[0].upper(), stream)
                listener.streams -= {stream}

    def add_user(self, listener: Listener, wrapper: str) -> None:
        """Let a client hear the account's events, each put into a wrapper in place of ``%s``."""
        if listener not in self._users:
            self._outbox.count_listener(self._name, 1)
        self._users[listener] = wrapper

    def remove(self, listener: Listener) -> None:
        """Forget a client."""
        self.unsubscribe(listener, list(listener.streams))
        self._listeners.pop(listener, None)
        self.remove_user(listener)

    def remove_user(self, listener: Listener) -> None:
        """Let a client hear the account's events no longer."""
        if self._users.pop(listener, None) is not None:
            self._outbox.count_listener(self._name, -1)

    def send_market(self, messages: list[MarketMessage]) -> None:
        """Send each client what it listens to; clients with the same wishes get the same bytes."""
        if not messages or not self._listeners:
            return
        framed: list[tuple[str, bytes]] = [(message.stream, text_frame(message.text)) for message in messages]
        joined: dict[tuple[frozenset[str], bool], bytes] = {}
        for listener in self._listeners:
            wishes = (listener.streams, listener.is_combined)
            frames = joined.get(wishes)
            if frames is None:
                if listener.is_combined:
                    frames = b"".join(_wrapped(message) for message in messages if message.stream in wishes[0])
                else:
                    frames = b"".join(frame for stream, frame in framed if stream in wishes[0])
                joined[wishes] = frames
            if frames:
                listener.write(frames)

    def send_user(self, messages: list[UserMessage]) -> None:
        """Send the account's events to whoever listens to them."""
        for listener, wrapper in self._users.items():
            listener.write(b"".join(text_frame(wrapper.replace("%s", message.text, 1)) for message in messages))


def _wrapped(message: MarketMessage) -> bytes:
    return text_frame(f'{{"stream":"{message.stream}","data":{message.text}}}')
