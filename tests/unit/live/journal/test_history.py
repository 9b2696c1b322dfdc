from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.journal_cases import new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader
from workbench.model import Bars, Instrument
from workbench.model.synthetic import synthetic_bars


def two_symbols() -> Bars:
    """Return bars of a spot and a contract with holes, as a slice that is not contiguous."""
    spot = synthetic_bars("BTC/USDT", "1h", 50, start="2025-01-01")
    other = synthetic_bars("ETH/USDT", "1h", 50, start="2025-01-01")
    contract = Instrument("ETH/USDT:USDT", "linear_perpetual", lot=0.001, tick=0.01, taker_fee=0.0004, max_leverage=7.0)
    values = np.array(other.values)
    values[:, :, 20:25] = np.nan
    return Bars.join([spot, Bars((contract.symbol,), other.timeframe, (contract,), other.time_ns, values)])[7:41]


def test_warm_up_bars_come_back_exactly(tmp_path: Path) -> None:
    bars = two_symbols()
    with new_journal(tmp_path) as journal:
        journal.put_history(bars)
        assert journal.uncommitted == 1
        assert journal.history() == bars
        journal.commit()
        hash_before = journal.hash
    with Journal.open(tmp_path / "journal.db") as again:
        found = again.history()
        assert again.hash == hash_before == JournalReader(again.path).hash
    assert found is not None
    assert found.content_hash == bars.content_hash
    assert found.values.tobytes() == np.ascontiguousarray(bars.values).tobytes()
    assert (found.instruments, found.timeframe.name) == (bars.instruments, bars.timeframe.name)
    assert found.valid.tobytes() == np.ascontiguousarray(bars.valid).tobytes()


def test_a_session_without_warm_up_bars_has_none(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.put_history(None)
        assert journal.history() is None
        assert journal.uncommitted == 0


def test_warm_up_bars_are_part_of_the_hash(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        empty = journal.hash
        journal.put_history(two_symbols())
        journal.commit()
        assert journal.hash != empty


def test_warm_up_bars_are_kept_once_and_before_the_rows(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.put_history(two_symbols())
        with pytest.raises(JournalError, match="kept once, before the first row"):
            journal.put_history(two_symbols())
        journal.commit()
        with pytest.raises(JournalError, match="kept once, before the first row"):
            journal.put_history(two_symbols())
    (tmp_path / "other").mkdir()
    with new_journal(tmp_path / "other") as journal:
        journal.append(rows(1))
        with pytest.raises(JournalError, match="kept once, before the first row"):
            journal.put_history(None)
