"""How large a Feather file becomes when it is unpacked, told from its packed parts.

pyarrow unpacks a batch as a whole and has no limit, so that a small file can fill the memory. Each packed buffer says
its size in its first eight bytes; where the buffers are is told by the batch's header, a flatbuffer, of which the few
fields needed are read here. The layout is that of Arrow's ``Message.fbs``, which cannot change.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from workbench.errors import DataError

__all__ = ["unpacked_size"]

_DICTIONARY: Final = 2
_BATCH: Final = 3


def unpacked_size(messages: Any, limit_bytes: int) -> int:  # noqa: ANN401 - pyarrow has no types
    """Return the size of all batches when they are unpacked, stopping at the first that is over the limit.

    Parameters
    ----------
    messages : iterable of pyarrow.ipc.Message
        Messages of the file.
    limit_bytes : int
        Where to stop counting.

    Raises
    ------
    DataError
        A header is damaged.
    """
    total = 0
    try:
        for message in messages:
            total += _batch_size(bytes(message.metadata), message.body)
            if total > limit_bytes:
                break
    except (struct.error, IndexError, ValueError) as error:
        raise DataError(f"a batch has a damaged header: {error}") from error
    return total


def _batch_size(header: bytes, body: Any) -> int:  # noqa: ANN401 - pyarrow has no types
    message = _at(header, 0)
    kind_at = _field(header, message, 1)
    kind = header[kind_at] if kind_at else 0
    if kind not in {_DICTIONARY, _BATCH}:
        return 0
    batch = _at(header, _field(header, message, 2))
    if kind == _DICTIONARY:
        batch = _at(header, _field(header, batch, 1))
    buffers_at = _field(header, batch, 2)
    if not buffers_at:
        return 0
    is_packed = _field(header, batch, 3) != 0
    vector = _at(header, buffers_at)
    (count,) = struct.unpack_from("<I", header, vector)
    total = 0
    for offset, length in struct.iter_unpack("<qq", header[vector + 4 : vector + 4 + 16 * count]):
        size = length
        if is_packed and length > 0:
            (declared,) = struct.unpack("<q", bytes(body[offset : offset + 8]))
            size = length if declared < 0 else declared  # -1: this one was not worth packing
        total += size
    return total


def _at(data: bytes, position: int) -> int:
    """Return where the offset at a position leads."""
    (offset,) = struct.unpack_from("<I", data, position)
    return position + int(offset)


def _field(data: bytes, table: int, index: int) -> int:
    """Return where a field of a table is, or 0 when it is left out."""
    (back,) = struct.unpack_from("<i", data, table)
    (size,) = struct.unpack_from("<H", data, table - back)
    place = 4 + 2 * index
    if place + 2 > size:
        return 0
    (offset,) = struct.unpack_from("<H", data, table - back + place)
    return table + offset if offset else 0
