from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.live.fake_core import EMPTY
from workbench import errors
from workbench.errors import DataError, OrderRejectedError, SessionError, WorkbenchError
from workbench.live.health import SessionHealth
from workbench.live.open_orders import OpenOrder
from workbench.live.parity import ParityReport
from workbench.live.process import codec, messages
from workbench.live.process.codec import decode, encode
from workbench.live.process.messages import Answer, Host, Question
from workbench.live.process.operations import READS, checked_arguments
from workbench.live.process.strategy_view import StrategyView
from workbench.live.records import ChartState, ErrorRecord, SessionEvent, StepUpdate
from workbench.live.states import SessionState
from workbench.model import ClosedTrade, Denied, EquityPart, EquityWaterfall, Fill, PositionSnapshot, Timeframe
from workbench.strategy import sma_cross

HOST = Host("s", 1, 2, "b" * 32)
FILL = Fill(0, "BTC/USDT", "buy", 0.1, 0.1 + 0.2, 1e-300, 1_735_689_600_000_000_001, "signal", True)
POSITION = PositionSnapshot("BTC/USDT", -1.5, "short", 1.0, 2, math.nan, 4.0, math.inf, None, -math.inf, -0.0, None)
RECORDS = [
    FILL,
    POSITION,
    dataclasses.replace(EMPTY, positions=(POSITION,), halted=("max_drawdown",)),
    ClosedTrade("A", "long", 1.0, 1, 2.0, 3, 4.0, "stop_loss", 5.0, 6.0, 7.0, 8, -0.1, 0.2),
    OpenOrder("A", "buy", "limit", 1.0, 0.25, None, False, "sent", 3, "wb-1"),
    Denied("A", "max_order_notional", 1.0, 2.0, 3, "buy", 4.0),
    ErrorRecord(1, "strategy", "strategy: ValueError: \ud800 half a pair, 'quotes' and \u2028", "trace\nback"),
    SessionEvent(0, "state", "ACTIVE: trading"),
    SessionHealth("ACTIVE", "trading", None, 90.0, 0.1),
    ParityReport(True, 1, 2, None, "a", "b"),
    (part := EquityPart(name="fees", amount=-0.0, meaning="other fees")),
    EquityWaterfall(currency="USDT", start=0.1 + 0.2, end=math.inf, parts=(part,), matched_orders=3),
    Timeframe("90m"),
    StrategyView("s", {"stop": None, "fast": 3, "$odd": 0.1}, tuple(sma_cross().spec)),
    *sma_cross().spec,
]


def same(one: object, other: object) -> bool:
    """Compare bit for bit where it matters: nan equals nan, and -0.0 is not 0.0."""
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return type(one) is type(other) and one == other


def plain_values() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text() | st.just("$r"), inner, max_size=4)
        ),
        max_leaves=20,
    )


@given(plain_values())
def test_what_is_sent_is_what_comes(value: Any) -> None:
    assert same(decode(*encode(value)), value)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_as_it_was(record: Any) -> None:
    assert same(decode(*encode(record)), record)


def test_every_record_that_can_be_sent_is_tested_here() -> None:
    tested = {type(record).__name__ for record in RECORDS} | {"ChartState", "StepUpdate"}
    assert tested == set(codec._RECORDS)  # noqa: SLF001  the list is the point


@pytest.mark.parametrize("rows", [0, 3])
def test_arrays_travel_exactly_and_come_read_only(rows: int) -> None:
    bars = np.arange(rows * 6, dtype=float).reshape(rows, 6) / 7.0
    if rows:
        bars[0] = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308]
    equity = np.asfortranarray(bars[:, :3])
    marks = ((1, 2.0, -1, "SELL"),)
    for record in (
        ChartState(7, "A", 60, bars, equity, marks, {"stop": 1.0}, (1.5, -0.25)),
        StepUpdate(7, bars, equity, marks, {"stop": 1.0}, EMPTY),
    ):
        found = decode(*encode(record))
        arrays = ("bars", "equity") if isinstance(record, ChartState) else ("bar_rows", "equity_rows")
        for name, array in zip(arrays, (bars, equity), strict=True):
            assert getattr(found, name).tobytes() == np.ascontiguousarray(array).tobytes()
            assert getattr(found, name).shape == array.shape
            assert not getattr(found, name).flags.writeable
        assert (found.sequence, found.marks, found.lines) == (7, marks, {"stop": 1.0})
        assert getattr(found, "now", (1.5, -0.25)) == (1.5, -0.25)


def test_scalars_of_numpy_and_states_become_plain() -> None:
    values = (np.float64(0.1), np.int64(2**62), np.bool_(True), SessionState.ACTIVE)
    found = decode(*encode(values))
    assert [type(value) for value in found] == [float, int, bool, str]
    assert found == (0.1, 2**62, True, "ACTIVE")


@pytest.mark.parametrize("value", [object(), {1: 2}, b"bytes", {1, 2}, np.array(["a"]), 1j, len])
def test_what_has_no_form_cannot_be_sent(value: Any) -> None:
    with pytest.raises(DataError, match="cannot be sent"):
        encode({"found": (value,)})


def test_a_record_of_another_version_is_read_as_far_as_it_goes() -> None:
    text, _ = encode(Timeframe("1m"))
    newer = text.replace(b'"name":"1m"', b'"name":"1m","colour":"red"')
    assert decode(newer) == Timeframe("1m")
    with pytest.raises(DataError, match="cannot be read"):
        decode(b'{"$r":"Fill","f":{"symbol":"A"}}')


def test_a_class_that_is_not_listed_is_never_made() -> None:
    with pytest.raises(DataError, match="cannot be read"):
        decode(b'{"$r":"Path","f":{}}')


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_data_error(text: bytes) -> None:
    for read in (decode, Question.decode, lambda found: Answer.decode([found])):
        try:
            read(text)
        except DataError:
            continue


@pytest.mark.parametrize("name", sorted(set(errors.__all__)))
def test_every_error_crosses_over_as_itself(name: str) -> None:
    kind = getattr(errors, name)
    extra: dict[str, Any] = {}
    if issubclass(kind, errors.ExchangeError):
        extra = {"exchange": "practice", "retryable": True}
    elif issubclass(kind, SessionError):
        extra = {"session_id": "abc"}
    sent = kind("limit 5, was 6", **extra)
    found = Answer.decode(Answer("1", HOST, None, sent).encode()).error
    assert type(found) is kind
    assert str(found) == "limit 5, was 6"
    for attribute, value in extra.items():
        assert getattr(found, attribute) == value


def test_an_error_that_is_not_known_here_still_says_what_it_says() -> None:
    class NewError(WorkbenchError):
        pass

    found = Answer.decode(Answer("1", HOST, None, NewError("why")).encode()).error
    assert (type(found), str(found)) == (SessionError, "NewError: why")


def test_an_error_of_an_order_leaves_its_order_behind() -> None:
    rejected = OrderRejectedError("no", exchange="x", retryable=False)
    assert isinstance(Answer.decode(Answer("1", HOST, None, rejected).encode()).error, OrderRejectedError)


def test_an_answer_that_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LARGEST_ANSWER", 1_000)
    found = Answer.decode(Answer("1", HOST, "x" * 2_000).encode())
    assert "ask for fewer" in str(found.error)


def test_a_question_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(DataError, match="at most 65,536 bytes"):
        Question("1" * 32, "configure", {"parameters": {"text": "x" * 70_000}}).encode()


def test_a_question_comes_as_it_was() -> None:
    question = Question("1" * 32, "configure", {"parameters": {"stop": 0.1, "fast": None}}, "b" * 32)
    assert Question.decode(question.encode()) == question


@pytest.mark.parametrize("form", ['[-1,"<f8",[1]]', '[0,"<u8",[1]]', '[0,"<f8",[2]]', '[1,"<f8",[1]]'])
def test_an_array_of_another_kind_place_or_size_is_refused(form: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        decode(f'{{"$a":{form}}}'.encode(), (bytes(8),))


@pytest.mark.parametrize("limit", ["all", -1, 1.5, True, 10**9])
def test_an_argument_of_a_wrong_value_is_refused_before_the_session_is_asked(limit: object) -> None:
    with pytest.raises(DataError, match="limit of fills cannot be"):
        checked_arguments("fills", READS["fills"], {"limit": limit})
