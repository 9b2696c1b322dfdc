"""F68: a file made to do harm is refused before it fills the memory, hangs, or runs anything."""

import gzip
import os
import socket
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest

from workbench.data import FileFormat, load_bars
from workbench.data.arrow_sizes import unpacked_size
from workbench.errors import DataError, MissingDataError
from workbench.model.synthetic import synthetic_bars

START_S = 1_735_689_600
COLUMNS = ("open", "high", "low", "close", "volume")


def load(path: Path, limit: int = 1_073_741_824) -> object:
    return load_bars(path, "BTC/USDT", "1h", file_format=FileFormat(max_size_bytes=limit))


def table(rows: int, **more: object) -> pa.Table:
    times = pa.array(np.full(rows, START_S))
    return pa.table({"time": times, **dict.fromkeys(COLUMNS, pa.array(np.ones(rows))), **more})


@pytest.mark.parametrize("name", ["candles.csv", "candles.parquet", "candles.json", "candles.feather"])
def test_link_is_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("time,open,high,low,close,volume\n")
    (tmp_path / name).symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match=r"is a symbolic link to .*secret: name the file itself"):
        load(tmp_path / name)


def test_pipe_socket_and_device_are_refused_and_none_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="a device, a pipe or a socket, not a regular file"):
        load(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.csv"))
        with pytest.raises(DataError, match=r"socket\.csv cannot be opened"):
            load(tmp_path / "socket.csv")
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(DataError, match="a device, a pipe or a socket, not a regular file"):
            load(Path(device))


def test_file_that_vanishes_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="there is no file"):
        load(tmp_path / "gone.csv")


def test_packed_file_under_another_name_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("candles.csv", b"0" * 10_000_000)
    (tmp_path / "bomb.zip").rename(tmp_path / "bomb.csv")
    with pytest.raises(DataError, match=r"bomb\.csv is a zip archive: unpack it first, nothing is unpacked here"):
        load(tmp_path / "bomb.csv")
    (tmp_path / "gzip.csv").write_bytes(gzip.compress(b"0" * 10_000_000))
    with pytest.raises(DataError, match=r"gzip\.csv is packed with gzip"):
        load(tmp_path / "gzip.csv")


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_feather_that_unpacks_to_more_than_the_limit_is_refused_unread(tmp_path: Path, compression: str) -> None:
    rows = 2_000_000
    pf.write_feather(table(rows), tmp_path / "bomb.feather", compression=compression)
    packed = (tmp_path / "bomb.feather").stat().st_size
    assert packed < 1_000_000  # 96 MB in the memory
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"it would have [\d.]+ MB or more unpacked; the limit is 1\.0 MB"):
        load(tmp_path / "bomb.feather", 1_000_000)
    assert pa.total_allocated_bytes() - before < 2_000_000


@pytest.mark.parametrize("compression", ["zstd", "lz4", "uncompressed"])
def test_size_of_a_feather_file_is_that_of_its_table(tmp_path: Path, compression: str) -> None:
    small = table(10_000, word=pa.array(["abc"] * 10_000).dictionary_encode())
    pf.write_feather(small, tmp_path / "small.feather", compression=compression, chunksize=3_000)
    with (tmp_path / "small.feather").open("rb") as file:
        file.seek(8)
        measured = unpacked_size(pa.ipc.MessageReader.open_stream(file), 10**9)
    # Six columns of 8 bytes and one of 4; each buffer is padded to 64 bytes and each batch has the dictionary.
    assert 10_000 * (6 * 8 + 4) <= measured <= 10_000 * (6 * 8 + 4) + 10_000


def test_feather_whose_batch_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    pf.write_feather(table(5_000), tmp_path / "lie.feather", compression="zstd")
    data = (tmp_path / "lie.feather").read_bytes()
    true_size = struct.pack("<q", 5_000 * 8)
    assert data.count(true_size) >= 6
    (tmp_path / "lie.feather").write_bytes(data.replace(true_size, struct.pack("<q", 2**60)))
    with pytest.raises(DataError, match=r"it would have [\d.]+ TB or more unpacked"):
        load(tmp_path / "lie.feather")
    (tmp_path / "lie.feather").write_bytes(data.replace(true_size, struct.pack("<q", 8)))
    with pytest.raises(DataError, match=r"lie\.feather cannot be read as feather"):
        load(tmp_path / "lie.feather")


def test_parquet_that_unpacks_to_more_than_the_limit_is_refused_unread(tmp_path: Path) -> None:
    pq.write_table(table(2_000_000), tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000  # equal values cost next to nothing
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"it would have 96\.0 MB or more unpacked; the limit is 1\.0 MB"):
        load(tmp_path / "bomb.parquet", 1_000_000)
    assert pa.total_allocated_bytes() - before < 2_000_000


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_long_word_repeated_is_not_written_out(tmp_path: Path, suffix: str) -> None:
    # Two thousand rows of one word of a megabyte: 2 GB as text, one megabyte in the file.
    words = pa.DictionaryArray.from_arrays(np.zeros(2_000, np.int32), pa.array(["x" * 1_000_000]))
    bomb = table(2_000).set_column(0, "time", words)
    path = tmp_path / f"words.{suffix}"
    if suffix == "parquet":
        pq.write_table(bomb, path, store_schema=False)
        reason = "column 'time' has text of 1,000,000 letters, the limit is 64"
    else:
        pf.write_feather(bomb, path)
        reason = "column 'time' holds dictionary"
    assert path.stat().st_size < 2_000_000
    tracemalloc.start()
    with pytest.raises(DataError, match=reason):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"\x80\x04c__main__"] * 3),
        pa.array([[1.0]] * 3),
        pa.array([{"a": 1.0}] * 3),
        pa.array([True] * 3),
    ],
    ids=["bytes", "list", "struct", "bool"],
)
@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_column_of_objects_is_refused_by_name_and_type(tmp_path: Path, column: pa.Array, suffix: str) -> None:
    odd = table(3).set_column(1, "open", column)
    path = tmp_path / f"objects.{suffix}"
    pq.write_table(odd, path) if suffix == "parquet" else pf.write_feather(odd, path)
    with pytest.raises(DataError, match=r"column 'open' holds .*, which is neither number, time nor text"):
        load(path)


def test_pandas_notes_in_a_file_are_not_believed(tmp_path: Path) -> None:
    bars = synthetic_bars("BTC/USDT", "1h", 10, start="2025-01-01")
    frame = bars.to_frame().reset_index()
    odd = pa.Table.from_pandas(frame)
    odd = odd.replace_schema_metadata({b"pandas": b'{"index_columns": ["open"], "columns": [{"name": "__import__"}]}'})
    pq.write_table(odd, tmp_path / "notes.parquet")
    assert load(tmp_path / "notes.parquet") == bars
    assert isinstance(frame, pd.DataFrame)


def test_brackets_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(DataError, match=r"deep\.json cannot be read as json"):
        load(tmp_path / "deep.json")


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "feather"])
def test_noise_is_refused(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(7)
    good = table(50)
    path = tmp_path / f"noise.{suffix}"
    for seed in range(30):
        data = rng.bytes(500)
        if suffix in {"parquet", "feather"} and seed % 2:
            pq.write_table(good, path) if suffix == "parquet" else pf.write_feather(good, path)
            whole = bytearray(path.read_bytes())
            place = int(rng.integers(8, len(whole)))
            whole[place : place + 16] = rng.bytes(16)[: len(whole) - place]
            data = bytes(whole)
        path.write_bytes(data)
        with pytest.raises((DataError, MissingDataError)):
            load(path)
