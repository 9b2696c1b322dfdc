"""The source of a session as JSON and, for bars at hand, a file beside."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import ConfigError, DataError, SessionError
from workbench.live.private_files import read_private, write_private
from workbench.live.record_text import record_from, record_of
from workbench.live.sources import BarsSource, PracticeSource
from workbench.model import Bars, Instrument, Timeframe

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.exchange.real_money import RealConsent
    from workbench.live.exchange_source import ExchangeSource
    from workbench.live.record_text import Json
    from workbench.live.sources import MarketSource

__all__ = ["BARS_FILE", "read_source", "write_source"]

BARS_FILE: Final = "bars.npz"
_SHORT_HASH: Final = 16
_PRACTICE: Final = "practice"


def write_source(folder: Path, source: MarketSource) -> dict[str, Json]:
    """Return a source as JSON; the bars of a replay go into a file in the `folder`.

    Raises
    ------
    ConfigError
        It is of another kind, or its clock is moved by hand in this process.
    OSError
        The file cannot be written.
    """
    if type(source) is PracticeSource:
        return {"kind": "practice", "fields": record_of(source)}
    if type(source) is BarsSource:
        return {"kind": "bars", "as_ticks": source.as_ticks, "bars": _write_bars(folder, source.bars)}
    from workbench.live.exchange_source import ExchangeSource  # noqa: PLC0415  the client, which a replay never needs

    if type(source) is ExchangeSource:
        fields = record_of(replace(_findable(source), consent=None))
        return {"kind": "exchange", "fields": fields, "consent": _write_consent(source.consent)}
    raise ConfigError(
        f"source must be a PracticeSource, BarsSource or ExchangeSource for a session in a process of its own, was "
        f"{source!r}; run it with inline=True"
    )


def read_source(folder: Path, content: dict[str, Json]) -> MarketSource:
    """Return the source that `write_source` wrote.

    Raises
    ------
    SessionError
        The file of its bars is missing or damaged.
    ConfigError
        The kind is unknown, or a value is refused.
    """
    match content["kind"]:
        case "practice":
            return record_from(PracticeSource, content["fields"])
        case "bars":
            return BarsSource(_read_bars(folder, content["bars"]), as_ticks=content["as_ticks"])
        case "exchange":
            from workbench.live.exchange_source import ExchangeSource  # noqa: PLC0415  as above

            consent = _read_consent(content.get("consent"))
            return replace(record_from(ExchangeSource, content["fields"]), consent=consent)
    raise ConfigError(f"there is no source of kind {content['kind']!r}: it was written by another workbench")


def _findable(source: ExchangeSource) -> ExchangeSource:
    """Return a source that another process can open: its practice exchange by URL, no keys and no clock."""
    from workbench.exchange.practice import RunningClock, find_practice_exchange  # noqa: PLC0415  as above

    if source.clock is not None and not isinstance(source.clock, RunningClock):
        raise ConfigError(
            "the clock of this practice exchange is moved by hand in this process, so that no other process knows the "
            "time; run the session with inline=True"
        )
    address = source.address
    plays_real = source.consent is not None
    if address is None and source.exchange == _PRACTICE:
        # The one that was meant now: after a crash another one may have started last.
        address = find_practice_exchange(plays_real=plays_real)
    elif (
        address is not None
        and not isinstance(address, str)
        and find_practice_exchange(address.url, plays_real=plays_real) is None
    ):
        raise ConfigError(
            f"the practice exchange at {address.url} is known to this process alone: start it with "
            "PracticeConfig(is_registered=True) or with `workbench practice`, or run the session with inline=True"
        )
    # The gate is that of the process which trades.
    return replace(source, address=getattr(address, "url", address), clock=None, gate=None)


def _write_consent(consent: RealConsent | None) -> Json:
    return None if consent is None else {"terms": record_of(consent.terms), "sentence": consent.sentence}


def _read_consent(content: Json) -> RealConsent | None:
    if content is None:
        return None
    from workbench.exchange.real_money import RealConsent, RealTerms  # noqa: PLC0415  as above

    return RealConsent(record_from(RealTerms, content["terms"]), content["sentence"])


def _write_bars(folder: Path, bars: Bars) -> dict[str, Json]:
    buffer = io.BytesIO()
    # Exact bytes, the same on every machine.
    values, times = np.ascontiguousarray(bars.values, dtype="<f8"), np.ascontiguousarray(bars.time_ns, dtype="<i8")
    np.savez(buffer, allow_pickle=False, time_ns=times, values=values)
    write_private(folder / BARS_FILE, buffer.getvalue())
    return {
        "symbols": list(bars.symbols),
        "timeframe": bars.timeframe.name,
        "instruments": [record_of(one) for one in bars.instruments],
        "sha256": bars.content_hash,
    }


def _read_bars(folder: Path, content: dict[str, Any]) -> Bars:
    path = folder / BARS_FILE
    try:
        with np.load(io.BytesIO(read_private(path)), allow_pickle=False) as arrays:
            time_ns, values = arrays["time_ns"], arrays["values"]
        instruments = tuple(record_from(Instrument, one) for one in content["instruments"])
        bars = Bars(tuple(content["symbols"]), Timeframe(content["timeframe"]), instruments, time_ns, values)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, DataError) as error:
        raise SessionError(
            f"{BARS_FILE} in {folder.name} cannot be read: {error}; start a new session with the bars"
        ) from error
    if bars.content_hash != content["sha256"]:
        raise SessionError(
            f"{BARS_FILE} in {folder.name} holds other bars than the session was started with (sha256 "
            f"{bars.content_hash[:_SHORT_HASH]}, not {content['sha256'][:_SHORT_HASH]}); start a new session with the "
            "bars"
        )
    return bars
