from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.unit.live.markets import BTC, ETH, session_config, walk
from workbench.errors import ConfigError, SessionError, SessionNotFoundError
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock
from workbench.live import BarsSource, PracticeSource
from workbench.live.exchange_source import ExchangeSource
from workbench.live.session_text import SESSION_FILE, current_versions, read_session, write_session
from workbench.live.source_text import BARS_FILE
from workbench.model import Bars, Costs, RiskConfig, Timeframe
from workbench.strategy import Rules, donchian_breakout, sma_cross, strategy

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:40001"
GAPS = Bars.join([walk(5), Bars.from_arrays(ETH, "1m", walk(5).time_ns[1:3], *([2.0, 3.0],) * 4, [0.0, 1.0])])


@pytest.fixture(autouse=True)
def own_runtime_folder(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@strategy
def dipping(m, level=0.1 + 0.2, mode=True):
    return Rules(enter_long=m.close < level, exit_long=mode)


CONFIGS = {
    "practice": session_config(source=PracticeSource(seed=3, start_ns=1_750_000_000_000_000_000)),
    "numbers": session_config(cash=0.1 + 0.2, speed=math.inf, stale_after_s=1e-300, warmup_bars=0, timeframe="60m"),
    "risk": session_config(risk=RiskConfig(stop_loss=0.1 + 0.2, max_orders_per_minute=3), costs=Costs(slippage=0.0)),
    "rules": session_config(strategy=dipping(level=1e-17, mode=False)),
    "class": session_config(strategy=donchian_breakout(lookback=7)),
    "bars": session_config(source=BarsSource(walk(50), as_ticks=True)),
    "a slice of bars": session_config(source=BarsSource(walk(50)[7:19])),
    "bars with gaps": session_config(source=BarsSource(GAPS), symbols=(BTC, ETH)),
    "exchange": session_config(source=ExchangeSource("binance", kind="linear_perpetual", feed="candles")),
    "practice exchange": session_config(source=ExchangeSource("practice", address=URL), execution="exchange"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_session_comes_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    write_session(tmp_path, config, session_id="some-id")
    saved = read_session(tmp_path)
    assert config.differences(saved.config) == ()
    assert saved.config.differences(config) == ()
    assert (saved.session_id, saved.versions) == ("some-id", current_versions())
    assert len(saved.sha256) == 64


def test_what_was_read_can_be_written_again_as_the_same(tmp_path: Path) -> None:
    for number, config in enumerate(CONFIGS.values()):
        folders = [tmp_path / f"{number}-{which}" for which in ("one", "other")]
        for folder in folders:
            folder.mkdir()
        write_session(folders[0], config, session_id="some-id")
        saved = read_session(folders[0])
        write_session(folders[1], saved.config, session_id=saved.session_id)
        one, other = ((folder / SESSION_FILE).read_bytes() for folder in folders)
        assert one == other
        assert read_session(folders[1]).sha256 == saved.sha256


def test_the_bars_of_a_replay_come_back_in_every_byte(tmp_path: Path) -> None:
    write_session(tmp_path, CONFIGS["bars with gaps"], session_id="some-id")
    source = read_session(tmp_path).config.source
    assert isinstance(source, BarsSource)
    assert source.bars.values.tobytes() == GAPS.values.tobytes()
    assert source.bars.time_ns.tobytes() == GAPS.time_ns.tobytes()
    assert source.bars.valid.tobytes() == GAPS.valid.tobytes()
    assert source.bars.instruments == GAPS.instruments


def test_only_its_user_may_read_it_and_nothing_else_is_left_there(tmp_path: Path) -> None:
    write_session(tmp_path, CONFIGS["bars"], session_id="some-id")
    assert sorted(path.name for path in tmp_path.iterdir()) == [BARS_FILE, SESSION_FILE]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_practice_exchange_is_named_by_its_url_without_its_keys(tmp_path: Path) -> None:
    with PracticeExchange([BTC], config=PracticeConfig(is_registered=True)) as exchange:
        source = ExchangeSource("practice", address=exchange.address, clock=exchange.clock)
        write_session(tmp_path, session_config(source=source), session_id="some-id")
        text = (tmp_path / SESSION_FILE).read_text()
        assert exchange.address.key not in text
        assert exchange.address.secret not in text
        read = read_session(tmp_path).config.source
        assert isinstance(read, ExchangeSource)
        assert (read.address, read.clock) == (exchange.url, None)
        assert read.instruments((BTC,)) == source.instruments((BTC,))
    with pytest.raises(ConfigError, match=f"no practice exchange is running at {exchange.url}: start one with"):
        read.open((BTC,), Timeframe("1m"), 0)


def test_the_practice_exchange_that_started_last_is_pinned(tmp_path: Path) -> None:
    with PracticeExchange([BTC], config=PracticeConfig(is_registered=True)) as exchange:
        write_session(tmp_path, session_config(source=ExchangeSource("practice")), session_id="some-id")
        read = read_session(tmp_path).config.source
        assert isinstance(read, ExchangeSource)
        assert read.address == exchange.url


def test_a_practice_exchange_that_no_other_process_can_find_is_refused(tmp_path: Path) -> None:
    with PracticeExchange([BTC]) as exchange:
        source = ExchangeSource("practice", address=exchange.address)
        with pytest.raises(ConfigError, match="is known to this process alone: start it with PracticeConfig"):
            write_session(tmp_path, session_config(source=source), session_id="some-id")
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_moved_by_hand_is_refused(tmp_path: Path) -> None:
    source = ExchangeSource("practice", address=URL, clock=SteppedClock())
    with pytest.raises(ConfigError, match=r"moved by hand in this process, .* run the session with inline=True"):
        write_session(tmp_path, session_config(source=source), session_id="some-id")
    assert list(tmp_path.iterdir()) == []


class OtherSource(PracticeSource):
    pass


def test_another_kind_of_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="source must be a PracticeSource, BarsSource or ExchangeSource"):
        write_session(tmp_path, session_config(source=OtherSource()), session_id="some-id")
    assert list(tmp_path.iterdir()) == []


def test_a_strategy_that_cannot_travel_leaves_nothing_behind(tmp_path: Path) -> None:
    weights = np.ones(3)

    @strategy
    def weighted(m):
        return Rules(enter_long=m.close > float(weights.sum()))

    with pytest.raises(ConfigError, match=r"weights, which weighted refers to, is a numpy.ndarray"):
        write_session(tmp_path, session_config(strategy=weighted()), session_id="some-id")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_session(tmp_path: Path, monkeypatch) -> None:
    write_session(tmp_path, CONFIGS["practice"], session_id="some-id")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SessionError, match=r"cannot be written to .*: .*No space left on device") as caught:
        write_session(tmp_path, CONFIGS["class"], session_id="other-id")
    assert caught.value.session_id == "other-id"
    assert [path.name for path in tmp_path.iterdir()] == [SESSION_FILE]
    assert read_session(tmp_path).session_id == "some-id"


def test_a_folder_without_a_session_says_so(tmp_path: Path) -> None:
    with pytest.raises(SessionNotFoundError, match=r"there is no session in .*: it has no session\.json"):
        read_session(tmp_path)


def edited(folder: Path, change: Any) -> None:
    """Change the content of the file that was written there."""
    path = folder / SESSION_FILE
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def set_config(name: str, value: object) -> Any:
    return lambda content: content["config"].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content["strategy"].update(source="import os"),
            "the source of sma_cross was changed",
        ),
        (lambda content: content["strategy"]["parameters"].update(fast=99), "was changed after it was written"),
        (set_config("cash", 1e9), "was changed after it was written .* a running session keeps its definition"),
        (lambda content: content.update(session_id="another"), "was changed after it was written"),
        (lambda content: content.pop("sha256"), "was changed after it was written"),
        (lambda content: content.pop("strategy"), "is damaged: its strategy is incomplete"),
        (lambda content: content.update(strategy=[]), "is damaged: its strategy is incomplete"),
        (lambda content: content.update(format=2), "is of a newer workbench: format 2, and this one reads up to 1"),
        (lambda content: content.pop("format"), "is damaged: it is no session"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    write_session(tmp_path, session_config(strategy=sma_cross()), session_id="some-id")
    edited(tmp_path, change)
    with pytest.raises(SessionError, match=message):
        read_session(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_session_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / SESSION_FILE).write_bytes(content)
    with pytest.raises(SessionError, match=r"is damaged: .* restore the file from a copy, or start a new session"):
        read_session(tmp_path)


@pytest.mark.parametrize("length", [10, 400, 1500])
def test_a_file_that_ends_early_is_refused(length: int, tmp_path: Path) -> None:
    write_session(tmp_path, CONFIGS["practice"], session_id="some-id")
    path = tmp_path / SESSION_FILE
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SessionError, match="is damaged"):
        read_session(tmp_path)


def test_a_file_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    write_session(tmp_path, CONFIGS["practice"], session_id="some-id")
    (tmp_path / SESSION_FILE).chmod(0o620)
    with pytest.raises(SessionError, match="must be a plain file that its user alone may write"):
        read_session(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    write_session(tmp_path, CONFIGS["practice"], session_id="some-id")
    (tmp_path / SESSION_FILE).rename(tmp_path / "elsewhere.json")
    (tmp_path / SESSION_FILE).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(SessionError, match="is damaged"):
        read_session(tmp_path)


def test_bars_that_are_others_or_damaged_are_refused(tmp_path: Path) -> None:
    write_session(tmp_path, session_config(source=BarsSource(walk(50))), session_id="some-id")
    path = tmp_path / BARS_FILE
    good = path.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    write_session(other, session_config(source=BarsSource(walk(49))), session_id="other-id")
    path.write_bytes((other / BARS_FILE).read_bytes())
    with pytest.raises(SessionError, match="holds other bars than the session was started with"):
        read_session(tmp_path)
    for content in (b"", good[:100], good[:-30], b"no file of arrays"):
        path.write_bytes(content)
        with pytest.raises(SessionError, match=r"cannot be read: .* start a new session with the bars"):
            read_session(tmp_path)
    path.unlink()
    with pytest.raises(SessionError, match=r"cannot be read: .* start a new session with the bars"):
        read_session(tmp_path)


def test_objects_in_the_bars_are_never_loaded(tmp_path: Path) -> None:
    write_session(tmp_path, session_config(source=BarsSource(walk(5))), session_id="some-id")
    with (tmp_path / BARS_FILE).open("wb") as file:
        np.savez(file, time_ns=np.array([object()]), values=np.zeros(1))
    with pytest.raises(SessionError, match="cannot be read: Object arrays cannot be loaded"):
        read_session(tmp_path)


def test_the_hash_is_that_of_all_that_defines_the_session(tmp_path: Path) -> None:
    hashes = set()
    config = CONFIGS["practice"]
    for one in (config, replace(config, cash=5.0), replace(config, strategy=dipping())):
        write_session(tmp_path, one, session_id="some-id")
        hashes.add(read_session(tmp_path).sha256)
    assert len(hashes) == 3
