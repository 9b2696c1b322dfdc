import itertools
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from pyarrow import fs

from workbench.data.month_file import encode_month
from workbench.data.series import Series
from workbench.data.spans import Span
from workbench.data.store import CandleStore, default_store_folder
from workbench.data.store_files import StoreFiles
from workbench.errors import ConfigError, DataError, MissingDataError, StoreError
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.synthetic import synthetic_bars
from workbench.model.timeframe import Timeframe

HOUR_NS = 3_600_000_000_000
START = 1_735_689_600_000_000_000  # 2025-01-01
SERIES = Series("testex", "BTC/USDT", Timeframe("1h"))
NAME = ("testex", "BTC/USDT", "1h")
OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def hours() -> Bars:
    """Two thousand hours, from January into March."""
    return synthetic_bars("BTC/USDT", "1h", 2_000, start="2025-01-01")


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "candles")


def span(first: int, last: int) -> Span:
    return Span(START + first * HOUR_NS, START + last * HOUR_NS)


def files(store: CandleStore) -> list[str]:
    root = Path(store.root)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_bars_come_back_as_they_went_in(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours)
    assert store.read(*NAME) == hours
    assert [name for name in files(store) if not name.endswith(".lock")] == [
        f"testex/BTC~USDT/1h/2025-0{month}.parquet" for month in (1, 2, 3)
    ]


@pytest.mark.parametrize("cuts", [[700], [1, 2, 3], [744], [743, 745], list(range(0, 2_000, 130))])
def test_pieces_in_any_order_make_the_same_series(store: CandleStore, hours: Bars, cuts: list[int]) -> None:
    whole = CandleStore(f"{store.root}-whole")
    whole.append("testex", hours)
    edges = sorted({0, *cuts, 2_000})
    pieces = [hours[first:last] for first, last in itertools.pairwise(edges)]
    for piece in pieces[1::2] + pieces[::2]:
        store.append("testex", piece)
    assert store.read(*NAME) == hours
    assert store.info(*NAME).covered == (span(0, 2_000),)
    assert store.info(*NAME).content_hash == whole.info(*NAME).content_hash


def test_only_bars_wholly_in_the_range_are_read(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours)
    # The bar of 02:00 is still open at 02:30.
    assert store.read(*NAME, start="2025-01-02", end="2025-01-03T02:30Z") == hours[24:50]
    assert store.read(*NAME, start="2025-01-31T22:00Z", end="2025-02-01T02:00Z") == hours[742:746]


def test_instrument_is_kept(store: CandleStore, hours: Bars) -> None:
    rules = Instrument("BTC/USDT", lot=0.001, tick=0.1, min_notional=5.0, taker_fee=0.001)
    bars = Bars(hours.symbols, hours.timeframe, (rules,), hours.time_ns, hours.values)
    store.append("testex", bars)
    assert store.read(*NAME).instruments == (rules,)


def test_symbols_and_timeframes_are_kept_apart(store: CandleStore) -> None:
    for symbol in ("BTC/USDT", "BTC/USDT:USDT"):
        store.append("testex", synthetic_bars(symbol, "1m", 10, start="2025-01-01"))
    store.append("other", synthetic_bars("BTC/USDT", "1h", 10, start="2025-01-01"))
    assert [str(series) for series in store.series()] == [
        "other BTC/USDT 1h",
        "testex BTC/USDT 1m",
        "testex BTC/USDT:USDT 1m",
    ]


def test_what_there_is_of_a_symbol_is_told_by_the_folders(store: CandleStore) -> None:
    for timeframe in ("1h", "5m", "1d"):
        store.append("testex", synthetic_bars("BTC/USDT", timeframe, 10, start="2025-01-01"))
    assert [str(length) for length in store.timeframes("testex", "BTC/USDT")] == ["5m", "1h", "1d"]
    assert store.timeframes("testex", "BTC/USDT:USDT") == ()
    assert (store.has_exchange("testex"), store.has_exchange("test")) == (True, False)


def test_time_without_candles_can_be_covered_and_is_a_hole(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[10:20], covered=span(0, 1_000))
    assert store.coverage(*NAME) == (span(0, 1_000),)
    assert store.holes(*NAME) == (span(0, 10), span(20, 1_000))
    assert store.read(*NAME) == hours[10:20]
    with store.writer(SERIES) as writer:
        assert writer.missing(span(0, 1_200)) == (span(1_000, 1_200),)


def test_two_pieces_with_a_time_between_stay_two_spans(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:10])
    store.append("testex", hours[30:40])
    assert store.coverage(*NAME) == (span(0, 10), span(30, 40))
    assert store.holes(*NAME) == ()
    with store.writer(SERIES) as writer:
        assert writer.missing(span(5, 50)) == (span(10, 30), span(40, 50))


def test_overlap_is_refused_before_anything_is_written(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[740:750])
    with pytest.raises(StoreError, match=r"from 2025-01-31T20:00Z to 2025-02-01T00:00Z are stored already; pass rep"):
        store.append("testex", hours[:800])
    assert store.coverage(*NAME) == (span(740, 750),)


def test_replace_puts_the_new_candles_in_place_of_the_old(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:100])
    values = hours.values[:, :, 20:30].copy()
    values[4] = 7.0
    store.append(
        "testex", Bars(hours.symbols, hours.timeframe, hours.instruments, hours.time_ns[20:30], values), replace=True
    )
    volume = store.read(*NAME).volume
    assert volume[20:30].tolist() == [7.0] * 10
    assert np.array_equal(np.delete(volume, range(20, 30)), np.delete(hours.volume[:100], range(20, 30)))


def test_bars_off_the_grid_or_outside_of_their_span_are_refused(store: CandleStore, hours: Bars) -> None:
    shifted = Bars(hours.symbols, hours.timeframe, hours.instruments, hours.time_ns + 1_000_000_000, hours.values)
    with pytest.raises(DataError, match="2000 bars do not open on the grid of 1h, the first at 2025-01-01T00:00:01Z"):
        store.append("testex", shifted)
    with pytest.raises(DataError, match="bars must open in the span that they cover"):
        store.append("testex", hours[:10], covered=span(0, 9))
    with pytest.raises(DataError, match="at least one bar"):
        store.append("testex", hours[:0])


def test_several_symbols_are_refused(store: CandleStore, hours: Bars) -> None:
    both = Bars.join([hours[:5], synthetic_bars("ETH/USDT", "1h", 5, start="2025-01-01")])
    with pytest.raises(DataError, match="bars must be of BTC/USDT 1h alone"):
        store.append("testex", both)


def test_what_is_not_stored_is_named_with_what_is(store: CandleStore, hours: Bars) -> None:
    with pytest.raises(MissingDataError, match="has no testex BTC/USDT 1h; it has nothing yet"):
        store.read(*NAME)
    store.append("testex", hours[:10])
    with pytest.raises(MissingDataError, match="has no testex ETH/USDT 1h; it has testex BTC/USDT 1h"):
        store.info("testex", "ETH/USDT", "1h")
    with pytest.raises(
        MissingDataError, match="in this range; the store covers 2025-01-01T00:00Z to 2025-01-01T10:00Z"
    ):
        store.read(*NAME, start="2026-01-01")
    with pytest.raises(ConfigError, match="exchange must be"):
        store.read("../x", "BTC/USDT", "1h")


@pytest.mark.parametrize("step", ["_sync", "_replace"])
def test_failed_write_leaves_the_file_before(
    store: CandleStore, hours: Bars, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store.append("testex", hours[:100])
    before = files(store)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(StoreFiles, step, refuse)
        with pytest.raises(StoreError, match=r"2025-01\.parquet cannot be written: .*No space left.*unharmed"):
            store.append("testex", hours[100:200])
    assert store.read(*NAME) == hours[:100]
    assert files(store) == before
    store.append("testex", hours[100:200])
    assert store.read(*NAME) == hours[:200]


def test_killed_writer_leaves_the_file_before_and_the_next_one_tidies_up(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:100])
    code = (
        "import os, signal, sys\n"
        "from workbench.data.store import CandleStore\n"
        "from workbench.data.store_files import StoreFiles\n"
        "from workbench.model.synthetic import synthetic_bars\n"
        "StoreFiles._replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "bars = synthetic_bars('BTC/USDT', '1h', 2_000, start='2025-01-01')\n"
        "CandleStore(sys.argv[1]).append('testex', bars[100:200])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, store.root], check=False, timeout=200)
    assert done.returncode == -signal.SIGKILL
    assert any(name.endswith(".tmp") for name in files(store))
    assert store.read(*NAME) == hours[:100]
    store.append("testex", hours[100:200])  # the dead writer's lock is gone with it
    assert store.read(*NAME) == hours[:200]
    assert not any(name.endswith(".tmp") for name in files(store))


def test_second_writer_is_refused_and_readers_are_not(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:100])
    with store.writer(SERIES) as writer:
        with pytest.raises(StoreError, match="is being written by another download"):
            store.append("testex", hours[100:200])
        writer.append(hours[100:150])
        assert CandleStore(store.root).read(*NAME) == hours[:150]
        store.append("other", hours[:10])
    store.append("testex", hours[150:200])
    assert store.read(*NAME) == hours[:200]


def test_flipped_bit_is_found_or_changes_nothing(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:500])
    path = Path(store.root, "testex/BTC~USDT/1h/2025-01.parquet")
    whole = path.read_bytes()
    info, found = store.info(*NAME), 0
    places = range(0, len(whole), max(1, len(whole) // 150))
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            assert (store.read(*NAME), store.info(*NAME)) == (hours[:500], info)
        except StoreError as error:
            found += 1
            assert "2025-01.parquet" in str(error)  # noqa: PT017 - a flip may also hit a byte that nobody reads
    assert found > 0.8 * len(places)


def test_page_that_was_damaged_is_found_in_a_part_of_the_month(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:500])
    path = Path(store.root, "testex/BTC~USDT/1h/2025-01.parquet")
    whole = path.read_bytes()
    place = len(whole) // 3
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
    with pytest.raises(StoreError, match=r"2025-01\.parquet is damaged.*delete it and download its month again"):
        store.read(*NAME, start="2025-01-01", end="2025-01-03")


def test_content_that_is_not_the_one_that_was_hashed_is_found(
    store: CandleStore, hours: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("workbench.data.month_file._hash", lambda *_: "0" * 64)
        store.append("testex", hours[:500])
    store.read(*NAME, start="2025-01-01", end="2025-01-03")  # a part cannot be compared with the hash of the whole
    with pytest.raises(StoreError, match="does not have the hash that it names"):
        store.verify(*NAME)


def test_file_that_was_cut_is_found(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:500])
    path = Path(store.root, "testex/BTC~USDT/1h/2025-01.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match=r"2025-01\.parquet is damaged"):
        store.info(*NAME)


def test_parquet_that_is_not_ours_is_refused(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:10])
    hours.to_frame().to_parquet(Path(store.root, "testex/BTC~USDT/1h/2025-02.parquet"))
    with pytest.raises(StoreError, match="does not say what it holds"):
        store.info(*NAME)


def test_file_of_another_series_is_refused(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:10])
    Path(store.root, "testex/BTC~USDT").rename(Path(store.root, "testex/btc~usdt"))
    with pytest.raises(StoreError, match="holds candles of testex BTC/USDT, not of testex btc/usdt 1h"):
        store.read("testex", "btc/usdt", "1h")


@pytest.mark.parametrize(
    ("covered", "times", "reason"),
    [
        ((span(0, 5), span(4, 9)), [0, 1], "covers spans that overlap"),
        ((span(0, 9),), [1, 1], "candles out of order"),
        ((span(0, 9),), [2, 1], "candles out of order"),
        ((span(0, 1), span(2, 3)), [0, 1], "1 candles outside of what it covers"),
    ],
)
def test_file_that_would_lie_is_not_written(covered: tuple[Span, ...], times: list[int], reason: str) -> None:
    labels = START + HOUR_NS * np.array(times)
    with pytest.raises(StoreError, match=reason):
        encode_month(SERIES, Instrument("BTC/USDT"), covered, labels, np.ones((5, 2)))


def test_any_filesystem_of_pyarrow_will_do(tmp_path: Path, hours: Bars) -> None:
    inside = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    store = CandleStore("bucket/candles", filesystem=inside)
    store.append("testex", hours)
    assert store.read(*NAME) == CandleStore(tmp_path / "bucket" / "candles").read(*NAME) == hours
    assert (tmp_path / "bucket/candles/testex/BTC~USDT/1h/.lock").exists()


def test_filesystem_without_locks_and_renames_still_has_one_writer_of_this_process(hours: Bars) -> None:
    memory = fs._MockFileSystem()  # noqa: SLF001 - pyarrow's filesystem in memory stands for an object store
    store = CandleStore("bucket", filesystem=memory)
    store.append("testex", hours[:100])
    with store.writer(SERIES), pytest.raises(StoreError, match="is being written"):
        store.append("testex", hours[100:200])
    store.append("testex", hours[100:200])
    assert store.read(*NAME) == hours[:200]
    assert store.info(*NAME).months == ("2025-01",)


def test_reader_beside_a_writer_always_sees_a_whole_series(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours[:10])
    done, seen, errors = threading.Event(), set(), []

    def read() -> None:
        while not done.is_set():
            try:
                bars = CandleStore(store.root).read(*NAME)
                assert bars == hours[: len(bars)]
                seen.add(len(bars))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shall show it
                errors.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(10, 300, 10):
        store.append("testex", hours[first : first + 10])
    done.set()
    reader.join()
    assert errors == []
    assert len(seen) > 1


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="this system does not list the open files of a process")
def test_files_are_closed_after_use(store: CandleStore, hours: Bars) -> None:
    store.append("testex", hours)
    before = len(list(OPEN_FILES.iterdir()))
    kept = [store.read(*NAME), store.info(*NAME), store.holes(*NAME), store.coverage(*NAME)]
    assert len(list(OPEN_FILES.iterdir())) == before
    assert len(kept) == 4


def test_months_of_seconds_are_read_in_parts(store: CandleStore) -> None:
    seconds = synthetic_bars("BTC/USDT", "1s", 200_000, start="2025-01-01")
    store.append("testex", seconds)
    part = store.read("testex", "BTC/USDT", "1s", start="2025-01-02T00:00Z", end="2025-01-02T01:00Z")
    assert part == seconds[86_400:90_000]


def test_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_DATA_DIR", str(tmp_path))
    assert default_store_folder() == tmp_path / "candles"
    monkeypatch.delenv("WORKBENCH_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_store_folder() == tmp_path / "workbench" / "candles"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_store_folder() == Path.home() / ".local/share/workbench/candles"


def test_read_only_folder_says_so(tmp_path: Path, hours: Bars) -> None:
    (tmp_path / "candles").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be made"):
        CandleStore(tmp_path / "candles").append("testex", hours[:10])
