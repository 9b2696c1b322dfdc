"""Websocket frames made once and sent to many: those of a server carry no mask, so every client gets the same."""

from __future__ import annotations

from typing import Final

__all__ = ["text_frame"]

_FINAL_TEXT: Final = 0x81
_SHORT: Final = 126
_MEDIUM: Final = 65_536


def text_frame(text: str) -> bytes:
    r"""Return a whole, uncompressed text message as the bytes of one frame.

    References
    ----------
    RFC 6455, section 5.2.

    Examples
    --------
    >>> text_frame("hi")
    b'\x81\x02hi'
    """
    payload = text.encode()
    size = len(payload)
    if size < _SHORT:
        return bytes((_FINAL_TEXT, size)) + payload
    if size < _MEDIUM:
        return bytes((_FINAL_TEXT, _SHORT)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL_TEXT, _SHORT + 1)) + size.to_bytes(8, "big") + payload
