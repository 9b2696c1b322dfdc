"""The HTTP session of a client: answers are read up to a size, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl

__all__ = ["open_limited_session"]

_CHUNK_BYTES: Final = 65_536


def open_limited_session(max_body_bytes: int, ssl_context: ssl.SSLContext | None = None) -> Any:  # noqa: ANN401 - aiohttp is imported when it is needed
    """Return a session whose answers break off above `max_body_bytes`, whatever was compressed to get there.

    Without an `ssl_context`, certificates are checked as usual.
    """
    import aiohttp  # noqa: PLC0415 - only a client that connects may cost the time that this takes

    class LimitedResponse(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            # aiohttp's own `read` takes whatever comes, and keeps it under this name for `text` and `json`.
            if self._body is None:
                self._body = await self._read_limited()
            return self._body

        async def _read_limited(self) -> bytes:
            parts: list[bytes] = []
            size = 0
            async for part in self.content.iter_chunked(_CHUNK_BYTES):
                size += len(part)
                if size > max_body_bytes:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"the answer is longer than {max_body_bytes} bytes")
                parts.append(part)
            return b"".join(parts)

    connector = aiohttp.TCPConnector(ssl=True if ssl_context is None else ssl_context)
    session = aiohttp.ClientSession(connector=connector, response_class=LimitedResponse)
    # aiohttp sends what is no POST a second time when a kept line breaks, and offers no other way to forbid it.
    session._retry_connection = False  # noqa: SLF001 - as above
    return session
