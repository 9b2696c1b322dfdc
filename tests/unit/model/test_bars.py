import copy
import dataclasses
import datetime as dt
import hashlib
import struct
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest

from workbench.errors import BarError, ConfigError, DataError
from workbench.model import Bar, Bars, Instrument, Timeframe

HOUR_NS = 3_600_000_000_000
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z


def make(rows: int = 5, symbol: str = "BTC/USDT", first: float = 10.0, **changes: Any) -> Bars:
    """Return hourly bars that open at `first`, `first` + 1, ..."""
    opens = first + np.arange(rows)
    columns = {
        "time_ns": START_NS + np.arange(rows) * HOUR_NS,
        "open": opens,
        "high": opens + 2.0,
        "low": opens - 1.0,
        "close": opens + 1.0,
        "volume": np.full(rows, 5.0),
    }
    return Bars.from_arrays(symbol, "1h", **(columns | changes))


def pair() -> Bars:
    """Return BTC at hours 0..3 and ETH at hours 2..5 on one axis."""
    return Bars.join([make(4), make(4, "ETH/USDT", 100.0, time_ns=START_NS + np.arange(2, 6) * HOUR_NS)])


def test_columns_of_one_symbol_are_plain_arrays() -> None:
    bars = make(3)
    assert bars.open.tolist() == [10.0, 11.0, 12.0]
    assert bars.high.tolist() == [12.0, 13.0, 14.0]
    assert bars.low.tolist() == [9.0, 10.0, 11.0]
    assert bars.close.tolist() == [11.0, 12.0, 13.0]
    assert bars.volume.tolist() == [5.0, 5.0, 5.0]
    assert bars.time_ns.tolist() == [START_NS, START_NS + HOUR_NS, START_NS + 2 * HOUR_NS]
    assert (len(bars), bars.n_symbols, bars.symbols) == (3, 1, ("BTC/USDT",))


def test_values_are_five_fields_by_symbols_by_rows() -> None:
    bars = make(3)
    assert bars.values.shape == (5, 1, 3)
    assert bars.values.dtype == np.float64
    assert bars.values.flags.c_contiguous
    assert bars.time_ns.dtype == np.int64
    assert bars.valid.tolist() == [[True, True, True]]


def test_start_and_end_are_the_open_labels_of_the_first_and_last_bar() -> None:
    assert make(3).start == dt.datetime(2025, 1, 1, 0, tzinfo=dt.UTC)
    assert make(3).end == dt.datetime(2025, 1, 1, 2, tzinfo=dt.UTC)


def test_what_comes_in_is_copied() -> None:
    opens = np.array([10.0, 11.0])
    times = np.array([START_NS, START_NS + HOUR_NS])
    bars = make(2, open=opens, time_ns=times)
    opens[0], times[0] = 11.0, 0
    assert bars.open[0] == 10.0
    assert bars.time_ns[0] == START_NS


def test_constructor_copies_as_well() -> None:
    bars = make(2)
    values = bars.values.copy()
    again = Bars(bars.symbols, bars.timeframe, bars.instruments, bars.time_ns.copy(), values)
    values[:] = 0.0
    assert again == bars


@pytest.mark.parametrize("make_bars", [make, lambda: make()[1:3], pair, lambda: pair().one("BTC/USDT")])
def test_nothing_can_be_written(make_bars: Any) -> None:
    bars = make_bars()
    for array in (bars.values, bars.time_ns, bars.valid):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        bars.timeframe = Timeframe("1d")
    with pytest.raises((AttributeError, TypeError)):
        bars.note = "mine"


def test_slice_is_a_view_on_the_same_rows() -> None:
    bars = make(5)
    part = bars[1:3]
    assert part.open.tolist() == [11.0, 12.0]
    assert part.time_ns.tolist() == bars.time_ns[1:3].tolist()
    assert part.instruments == bars.instruments
    assert np.shares_memory(part.values, bars.values)
    assert len(bars[-2:]) == 2
    assert len(bars[3:1]) == 0


@pytest.mark.parametrize("key", [3, slice(0, 4, 2), slice(None, None, -1), "BTC/USDT"])
def test_only_plain_slices_are_taken(key: Any) -> None:
    with pytest.raises(DataError, match="bars take slices of step 1"):
        make()[key]


def test_between_takes_the_start_and_leaves_the_end() -> None:
    bars = make(5)
    assert bars.between("2025-01-01T01:00Z", "2025-01-01T03:00Z").open.tolist() == [11.0, 12.0]
    assert bars.between(start=dt.datetime(2025, 1, 1, 3, tzinfo=dt.UTC)).open.tolist() == [13.0, 14.0]
    assert bars.between(end=START_NS + 1).open.tolist() == [10.0]
    assert len(bars.between("2025-01-01T01:00Z", "2025-01-01T01:00Z")) == 0
    assert len(bars.between("2026-01-01")) == 0
    assert np.shares_memory(bars.between("2025-01-01T01:00Z").values, bars.values)


def test_between_refuses_what_makes_no_sense() -> None:
    with pytest.raises(
        DataError, match="start must not be after end, was 2025-01-02T00:00Z with end 2025-01-01T00:00Z"
    ):
        make().between("2025-01-02", "2025-01-01")
    with pytest.raises(DataError, match="end must have a time zone"):
        make().between(end=dt.datetime(2025, 1, 1))  # noqa: DTZ001


def test_one_bar_comes_out_as_plain_python_numbers() -> None:
    bar = make().bar(-1)
    assert bar == Bar("BTC/USDT", START_NS + 4 * HOUR_NS, 14.0, 16.0, 13.0, 15.0, 5.0)
    assert type(bar.close) is float
    assert type(bar.time_ns) is int


def test_bar_that_is_not_there_is_an_error() -> None:
    with pytest.raises(DataError, match=r"bar position must be in \[-5, 5\), was 5"):
        make().bar(5)
    with pytest.raises(DataError, match=r"ETH/USDT has no bar at position 0 \(2025-01-01T00:00Z\)"):
        pair().bar(0, "ETH/USDT")
    with pytest.raises(DataError, match=r"say which, as in bars.one\('BTC/USDT'\).bar\(0\)"):
        pair().bar(0)


def test_join_puts_symbols_on_the_union_of_their_times() -> None:
    both = pair()
    assert both.symbols == ("BTC/USDT", "ETH/USDT")
    assert both.time_ns.tolist() == [START_NS + hour * HOUR_NS for hour in range(6)]
    assert both.valid.tolist() == [[True] * 4 + [False] * 2, [False] * 2 + [True] * 4]
    assert np.isnan(both.values[:, 0, 4:]).all()
    assert both.values[0, 1].tolist()[2:] == [100.0, 101.0, 102.0, 103.0]
    assert both.values.flags.c_contiguous


def test_one_gives_a_symbol_back_without_its_missing_rows() -> None:
    both = pair()
    assert both.one("BTC/USDT") == make(4)
    assert both.one("ETH/USDT").time_ns[0] == START_NS + 2 * HOUR_NS
    assert both.one("ETH/USDT").valid.all()
    assert both.one("ETH/USDT").values.flags.c_contiguous
    assert both.bar(2, "ETH/USDT").open == 100.0


def test_one_copies_nothing_when_no_row_is_missing() -> None:
    bars = make()
    assert bars.one("BTC/USDT") is bars
    both = Bars.join([make(), make(symbol="ETH/USDT")])
    assert np.shares_memory(both.one("ETH/USDT").values, both.values)
    assert both.one("ETH/USDT") == make(symbol="ETH/USDT")


def test_join_keeps_instruments_and_takes_joint_bars() -> None:
    sol = make(6, "SOL/USDT", instruments=Instrument("SOL/USDT", lot=0.1))
    three = Bars.join([pair(), sol])
    assert three.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert three.instruments[2].lot == 0.1
    assert three.one("ETH/USDT") == pair().one("ETH/USDT")


def test_joins_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DataError, match="join needs at least one Bars"):
        Bars.join([])
    with pytest.raises(DataError, match="join takes Bars, was given int, DataFrame"):
        Bars.join([make(), 1, make().to_frame()])  # type: ignore[list-item]  # the fault under test
    with pytest.raises(DataError, match="each symbol once; twice: BTC/USDT"):
        Bars.join([make(), make()])
    daily = Bars.from_arrays("ETH/USDT", "1d", [START_NS], [1.0], [1.0], [1.0], [1.0], [0.0])
    with pytest.raises(DataError, match="one timeframe, was 1h and 1d"):
        Bars.join([make(), daily])
    with pytest.raises(BarError, match="opens 1800 s after the row before, less than the timeframe 1h"):
        Bars.join([make(), make(5, "ETH/USDT", time_ns=START_NS + np.arange(5) * HOUR_NS + HOUR_NS // 2)])


def test_columns_of_several_symbols_need_a_choice() -> None:
    with pytest.raises(DataError, match=r"these bars hold 2 symbols; say which, as in bars.one\('BTC/USDT'\).close"):
        _ = pair().close
    with pytest.raises(DataError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'DOGE/USDT'"):
        pair().one("DOGE/USDT")


def test_same_content_is_equal_and_hashes_the_same() -> None:
    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != "bars"
    assert len(make().content_hash) == 64


@pytest.mark.parametrize(
    "other",
    [
        make(4),
        make(first=10.5),
        make(symbol="ETH/USDT"),
        make(volume=np.full(5, 6.0)),
        make(time_ns=START_NS + np.arange(1, 6) * HOUR_NS),
        Bars(
            ("BTC/USDT",), Timeframe("30m"), (Instrument("BTC/USDT"),), START_NS + np.arange(5) * HOUR_NS, make().values
        ),
    ],
)
def test_other_content_has_another_hash(other: Bars) -> None:
    assert other.content_hash != make().content_hash
    assert other != make()


def test_hash_of_a_slice_is_that_of_its_rows() -> None:
    assert make(5)[1:4] == make(3, first=11.0, time_ns=START_NS + np.arange(1, 4) * HOUR_NS)


def test_hash_does_not_depend_on_the_sign_of_zero_or_the_kind_of_nan() -> None:
    quiet, signed = np.full(5, 0.0), np.full(5, -0.0)
    assert make(volume=quiet) == make(volume=signed)
    other_nan = np.array([0x7FF8_0000_0000_0001], dtype=np.uint64).view(np.float64)[0]
    holes = []
    for nan in (np.nan, other_nan):
        values = make().values.copy()
        values[:, 0, 2] = nan
        holes.append(Bars(("BTC/USDT",), Timeframe("1h"), make().instruments, make().time_ns, values))
    assert holes[0].content_hash == holes[1].content_hash


def test_hash_is_the_sha256_of_symbols_timeframe_times_and_values() -> None:
    times = struct.pack("<2q", START_NS, START_NS + HOUR_NS)
    values = struct.pack("<10d", 10, 11, 12, 13, 9, 10, 11, 12, 5, 5)  # open, high, low, close, volume
    assert make(2).content_hash == hashlib.sha256(b"BTC/USDT\n3600000000000 ns\n" + times + values).hexdigest()


@pytest.mark.parametrize(
    ("bars", "text"),
    [
        (make(), "Bars('BTC/USDT', '1h', 5 bars, 2025-01-01T00:00Z .. 2025-01-01T04:00Z)"),
        (make()[:0], "Bars('BTC/USDT', '1h', 0 bars)"),
        (pair(), "Bars(['BTC/USDT', 'ETH/USDT'], '1h', 6 bars, 2025-01-01T00:00Z .. 2025-01-01T05:00Z)"),
        (
            Bars.join([make(1, f"{base}/USDT") for base in "ABCD"]),
            "Bars(4 symbols, '1h', 1 bars, 2025-01-01T00:00Z .. 2025-01-01T00:00Z)",
        ),
    ],
)
def test_repr_is_one_line(bars: Bars, text: str) -> None:
    assert repr(bars) == text


def test_empty_bars_have_no_ends() -> None:
    empty = make(0)
    assert len(empty) == 0
    assert empty.close.tolist() == []
    with pytest.raises(DataError, match="these bars are empty"):
        _ = empty.start


def sent(bars: Bars) -> Bars:
    """Return what another process gets when it is sent an object."""
    received: Bars = ForkingPickler.loads(ForkingPickler.dumps(bars))
    return received


@pytest.mark.parametrize("transport", [copy.copy, copy.deepcopy, sent])
@pytest.mark.parametrize("bars", [make(), pair(), make()[1:3]])
def test_copies_are_equal_and_locked(transport: Any, bars: Bars) -> None:
    copied = transport(bars)
    assert type(copied) is Bars
    assert copied == bars
    assert copied.instruments == bars.instruments
    assert not copied.values.flags.writeable
    assert not copied.time_ns.flags.writeable
    assert not copied.valid.flags.writeable


def test_several_symbols_come_in_as_two_dimensional_arrays() -> None:
    rows = np.array([[10.0, 11.0], [20.0, 21.0]])
    bars = Bars.from_arrays(["BTC/USDT", "ETH/USDT"], "1h", make(2).time_ns, rows, rows, rows, rows, rows * 0)
    assert bars.one("ETH/USDT").open.tolist() == [20.0, 21.0]
    assert bars.values[4].tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"open": np.ones(4)}, r"open must have the shape \(5,\) of symbols and times, was \(4,\)"),
        ({"volume": np.ones((2, 5))}, r"volume must have the shape \(5,\) of symbols and times, was \(2, 5\)"),
        ({"close": 11.0}, r"close must have the shape \(5,\) of symbols and times, was \(\)"),
        ({"high": ["a"] * 5}, "high must hold numbers: could not convert string to float"),
        ({"time_ns": [[START_NS]]}, "time_ns must have one dimension, had 2"),
        ({"time_ns": np.arange(5) * 1e9 + START_NS}, r"time_ns must hold integers \(nanoseconds UTC\), was float64"),
        ({"time_ns": np.arange("2025-01-01", 5, dtype="M8[h]")}, "datetime64 has no time zone, so say which it is in"),
        ({"time_ns": (START_NS + np.arange(5) * HOUR_NS) // 10**9}, "row 0: .* it looks like seconds"),
        (
            {"low": np.full(5, 12.5)},
            r"BTC/USDT row 0 \(2025-01-01T00:00Z\): high 12.0 is below low 12.5 \(3 rows are bad\)",
        ),
        ({"instruments": Instrument("ETH/USDT")}, r"instruments must be those of the symbols .* was \('ETH/USDT',\)"),
    ],
)
def test_bad_input_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        make(**changes)


def test_symbols_are_each_there_once() -> None:
    rows = np.ones((2, 1))
    with pytest.raises(DataError, match="symbols must be at least one, each once"):
        Bars.from_arrays(["BTC/USDT", "BTC/USDT"], "1h", [START_NS], rows, rows, rows, rows, rows)
    with pytest.raises(DataError, match="symbols must be at least one, each once"):
        Bars.from_arrays([], "1h", [START_NS], *[np.ones((0, 1))] * 5)


def test_symbol_and_timeframe_are_checked_as_everywhere() -> None:
    with pytest.raises(ConfigError, match="symbol must look like"):
        make(symbol="BTCUSDT")
    with pytest.raises(ConfigError, match="timeframe must be"):
        Bars.from_arrays("BTC/USDT", "1 hour", [START_NS], [1.0], [1.0], [1.0], [1.0], [0.0])


def test_constructor_checks_the_shape_of_its_values() -> None:
    with pytest.raises(
        DataError, match=r"values must have the shape \(5, 1, 5\) \(fields, symbols, times\), was \(5, 5\)"
    ):
        Bars(("BTC/USDT",), Timeframe("1h"), make().instruments, make().time_ns, make().values[:, 0])


def test_perpetual_symbol_becomes_a_perpetual() -> None:
    assert make(symbol="BTC/USDT:USDT").instruments[0].kind == "linear_perpetual"
