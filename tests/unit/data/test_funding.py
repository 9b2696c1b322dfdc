from pathlib import Path

import numpy as np
import pytest

from workbench.core.driver import funding_rates
from workbench.data import FileFormat, FundingRates, read_funding
from workbench.errors import BarError, ConfigError, DataError, OutOfOrderError
from workbench.model.bars import Bars
from workbench.model.synthetic import synthetic_bars

START_MS = 1_735_689_600_000
PERPETUAL = "BTC/USDT:USDT"
EIGHT_HOURS_MS = 28_800_000


def write(path: Path, lines: list[str], header: str = "fundingTime,fundingRate") -> Path:
    path.write_text("\n".join([header, *lines]))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Five payments; the third is noted two milliseconds late."""
    late = [0, 0, 2, 0, 0]
    rates = [0.0001, -0.0002, 0.0003, 0.0001, 0.0]
    lines = [f"{START_MS + i * EIGHT_HOURS_MS + late[i]},{rates[i]}" for i in range(5)]
    return write(tmp_path / "rates.csv", lines)


def test_rates_are_what_a_backtest_takes(path: Path) -> None:
    rates = read_funding(path, PERPETUAL)
    times, values = rates[PERPETUAL]
    assert values.tolist() == [0.0001, -0.0002, 0.0003, 0.0001, 0.0]
    assert (times // 1_000_000 - START_MS).tolist() == [0, 28_800_000, 57_600_002, 86_400_000, 115_200_000]
    bars = synthetic_bars(PERPETUAL, "1h", 48, start="2025-01-01")
    due = funding_rates(bars, rates)
    # At 00:00, 08:00 and 24:00 a payment meets the close before, which the first has not; two milliseconds after 16:00
    # it waits for the close of that hour. The last rate is 0.
    assert np.flatnonzero(due[0, 0]).tolist() == [0]
    assert np.flatnonzero(due[1, 0]).tolist() == [7, 16, 23]


def test_milliseconds_of_the_exchange_are_rounded_away_when_asked(path: Path) -> None:
    times, _ = read_funding(path, PERPETUAL, round_to="1h")[PERPETUAL]
    assert (times // 1_000_000 - START_MS).tolist() == [i * EIGHT_HOURS_MS for i in range(5)]


def test_only_times_within_a_second_are_rounded(tmp_path: Path) -> None:
    lines = [f"{START_MS + 999},0.0001", f"{START_MS + 3_600_000 + 1_000},0.0001"]
    times, _ = read_funding(write(tmp_path / "r.csv", lines), PERPETUAL, round_to="1h")[PERPETUAL]
    assert (times // 1_000_000 - START_MS).tolist() == [0, 3_601_000]


def test_rates_tell_what_they_are(path: Path) -> None:
    rates = read_funding(path, PERPETUAL)
    # (1 - 2 + 3 + 1 + 0) / 5 = 0.6 hundredths of a percent
    assert repr(rates) == (
        "BTC/USDT:USDT: 5 funding rates, 2025-01-01T00:00Z to 2025-01-02T08:00Z, usually every 8 h, mean 0.0060 %"
    )
    assert rates.to_frame()["rate"].tolist() == [0.0001, -0.0002, 0.0003, 0.0001, 0.0]


def test_gaps_are_told(path: Path) -> None:
    path.write_text("\n".join(line for row, line in enumerate(path.read_text().splitlines()) if row != 3))
    assert "(1 gaps)" in repr(read_funding(path, PERPETUAL))


def test_symbols_are_joined(path: Path) -> None:
    both = read_funding(path, PERPETUAL) | read_funding(path, "ETH/USDT:USDT")
    assert isinstance(both, FundingRates)
    assert list(both) == [PERPETUAL, "ETH/USDT:USDT"]
    bars = Bars.join([synthetic_bars(symbol, "1h", 48, start="2025-01-01") for symbol in both])
    assert funding_rates(bars, both).shape == (2, 2, 48)


def test_times_without_zone_are_refused_and_read_when_stated(tmp_path: Path) -> None:
    lines = ["BTC,2025-01-01 03:00:00.000,0.0001", "BTC,2025-01-01 11:00:00.001,0.0001"]
    path = write(tmp_path / "rates.csv", lines, "Symbol,Date,Funding Rate")
    with pytest.raises(DataError, match=r"^rates\.csv: row 0: time '2025-01-01 03:00:00\.000' has no zone"):
        read_funding(path, PERPETUAL)
    times, _ = read_funding(path, PERPETUAL, file_format=FileFormat(time_zone="Europe/Istanbul"))[PERPETUAL]
    assert times[0] == START_MS * 1_000_000  # three hours after UTC


@pytest.mark.parametrize(
    ("lines", "error", "reason"),
    [
        (["0,0.0001"], BarError, "row 0: time 0 looks like no unit"),
        (
            [f"{START_MS},0.0001", f"{START_MS},0.0002"],
            OutOfOrderError,
            r"row 1 \(2025.*\) is the same time as the row bef",
        ),
        ([f"{START_MS + 1},0.0001", f"{START_MS},0.0002"], OutOfOrderError, "row 1 .* is earlier than the row before"),
        (
            [f"{START_MS},0.01", f"{START_MS + 1},0.5"],
            BarError,
            r"row 1: rate must be a fraction in \(-0\.1, 0\.1\), was '0\.5'",
        ),
        ([f"{START_MS},x"], BarError, "row 0: rate must be a fraction .*, was 'x'"),
        ([f"{START_MS},"], BarError, "row 0: rate must be a fraction .*, was 'nan'"),
    ],
)
def test_wrong_row_is_named(tmp_path: Path, lines: list[str], error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        read_funding(write(tmp_path / "rates.csv", lines), PERPETUAL)


def test_spot_symbol_and_wrong_columns_are_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="symbol must be a perpetual such as 'BTC/USDT:USDT', was 'BTC/USDT'"):
        read_funding(path, "BTC/USDT")
    with pytest.raises(ConfigError, match="columns may name time, rate, was 'price'"):
        read_funding(path, PERPETUAL, columns={"price": "x"})
    with pytest.raises(DataError, match=r'no column for rate; .*: pass columns=\{"rate": "\.\.\."\}'):
        read_funding(path, PERPETUAL, columns={"rate": "Rate"})
    assert len(read_funding(path, PERPETUAL, columns={"rate": "fundingRate"})[PERPETUAL][0]) == 5
