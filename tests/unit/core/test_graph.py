import threading

import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core import evaluation
from workbench.core.evaluation import EvaluationCache, evaluation_order
from workbench.core.graph import Graph
from workbench.core.indicators import Indicator
from workbench.core.market_view import MarketView
from workbench.core.nodes import Constant, Price
from workbench.core.operators import Binary
from workbench.errors import ConfigError, DataError

BARS = random_ohlcv(300)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the text of each indicator that is really computed."""
    computed: list[str] = []
    evaluate = Indicator.evaluate

    def counting(self, inputs):
        computed.append(self.describe())
        return evaluate(self, inputs)

    monkeypatch.setattr(Indicator, "evaluate", counting)
    return computed


def test_the_same_expression_is_the_same_node_in_one_graph() -> None:
    m = MarketView()
    assert m.close.sma(20).node is m.close.sma(20).node
    assert (m.close.sma(20) > m.open).node is (m.close.sma(timeperiod=20) > m.open).node
    assert m.rsi(14).node is m.close.rsi(14).node
    assert m.close.sma(20).node is not m.close.sma(21).node
    assert m.close.sma(20).node is not m.open.sma(20).node


def test_nodes_of_two_graphs_are_equal_when_they_calculate_the_same() -> None:
    left, right = MarketView(), MarketView()
    assert left.close.sma(20).node == right.close.sma(20).node
    assert left.close.sma(20).node != right.close.ema(20).node
    assert (left.close - left.open).node != (left.open - left.close).node


def test_a_number_and_a_truth_value_are_different_nodes_and_so_are_the_zeros() -> None:
    assert Constant(1.0) != Constant(True)
    assert Constant(0.0) != Constant(-0.0)
    assert Constant(2) == Constant(2.0)


def test_a_graph_keeps_one_node_for_each_calculation() -> None:
    graph = Graph()
    m = MarketView(graph)
    for _ in range(3):
        m.close.sma(20).crosses_above(m.close.sma(50))
    assert len(graph) == 4  # close, two averages, the crossing


def test_shared_parts_are_computed_once(counted: list[str]) -> None:
    m = MarketView()
    average = m.close.sma(20)
    m.graph.batch([average > m.open, average < m.open, average.shift(1)], BARS)
    assert counted == ["sma(close, 20)"]


def test_inputs_come_before_the_nodes_that_read_them() -> None:
    m = MarketView()
    order = evaluation_order([(m.close.sma(3) + m.close.sma(3).sma(4)).node], {})
    position = {node: index for index, node in enumerate(order)}
    assert all(position[source] < position[node] for node in order for source in node.inputs)
    assert len(order) == len(set(order))


def test_a_long_chain_of_operations_does_not_exhaust_the_stack() -> None:
    m = MarketView()
    total = m.close
    for _ in range(3000):
        total = total + 1
    (result,) = m.graph.batch([total], BARS)
    np.testing.assert_allclose(result, BARS[3] + 3000)


def test_a_cache_computes_each_distinct_indicator_once_over_many_combinations(counted: list[str]) -> None:
    cache = EvaluationCache(BARS)
    for fast in range(2, 6):
        for slow in range(6, 10):
            m = MarketView()
            m.graph.batch([m.close.sma(fast).crosses_above(m.close.sma(slow))], BARS, cache)
    assert sorted(counted) == sorted(f"sma(close, {n})" for n in range(2, 10))
    assert len(cache) == 8  # the crossings are not kept
    assert cache.size_bytes == 8 * 300 * 8


def test_nothing_below_a_cached_indicator_is_computed_again(counted: list[str]) -> None:
    m = MarketView()
    cache = EvaluationCache(BARS)
    nested = m.close.sma(3).ema(4)
    with_cache = [m.graph.batch([nested > 100], BARS, cache)[0] for _ in range(2)]
    assert counted == ["sma(close, 3)", "ema(sma(close, 3), 4)"]
    np.testing.assert_array_equal(with_cache[0], with_cache[1])
    np.testing.assert_array_equal(with_cache[0], m.graph.batch([nested > 100], BARS)[0])


def test_a_cache_drops_what_was_unused_for_longest(counted: list[str]) -> None:
    m = MarketView()
    cache = EvaluationCache(BARS, max_bytes=2 * 300 * 8)
    for n in (2, 3, 2, 4, 2, 3):  # 4 pushes out 3, then 3 pushes out 4
        m.graph.batch([m.close.sma(n)], BARS, cache)
    assert counted == [f"sma(close, {n})" for n in (2, 3, 4, 3)]
    assert cache.size_bytes == 2 * 300 * 8


def test_a_cache_without_room_still_answers() -> None:
    m = MarketView()
    cache = EvaluationCache(BARS, max_bytes=0)
    np.testing.assert_array_equal(
        m.graph.batch([m.close.sma(5)], BARS, cache)[0],
        m.graph.batch([m.close.sma(5)], BARS)[0],
    )
    assert len(cache) == 0


def test_a_cache_is_for_its_own_bars_only() -> None:
    m = MarketView()
    cache = EvaluationCache(BARS)
    m.graph.batch([m.close.sma(5)], BARS[:, :], cache)  # another view of the same memory
    for other in (BARS.copy(), BARS[:, 1:], random_ohlcv(300, seed=1)):
        with pytest.raises(DataError, match="other bars"):
            m.graph.batch([m.close.sma(5)], other, cache)


def test_threads_that_want_the_same_indicator_compute_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, computed = threading.Event(), []
    evaluate = Indicator.evaluate

    def slow(self, inputs):
        computed.append(self.describe())
        assert waiting.wait(60)
        return evaluate(self, inputs)

    monkeypatch.setattr(Indicator, "evaluate", slow)
    m = MarketView()
    cache = EvaluationCache(BARS)
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.extend(m.graph.batch([m.close.sma(7)], BARS, cache))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    waiting.set()
    for thread in threads:
        thread.join(60)
    assert computed == ["sma(close, 7)"]
    assert len(results) == 8
    assert all(result is results[0] for result in results)


def test_threads_that_begin_to_compute_at_the_same_time_compute_once() -> None:
    cache = EvaluationCache(BARS)
    start = threading.Barrier(8)
    calculated: list[int] = []
    inside, results = threading.Event(), []

    def calculate() -> np.ndarray:
        calculated.append(1)
        inside.wait(0.2)  # long enough for the others to arrive
        return np.ones(3)

    def run() -> None:
        start.wait(60)
        results.append(cache.compute(Price(0), calculate))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(calculated) == 1
    assert all(result is results[0] for result in results)


def test_what_only_a_cached_indicator_reads_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    m = MarketView()
    cache = EvaluationCache(BARS)
    is_high = (m.close + m.open).sma(3) > 200
    (before,) = m.graph.batch([is_high], BARS, cache)
    monkeypatch.setattr(Binary, "evaluate", lambda *_: pytest.fail("the sum was computed again"))
    np.testing.assert_array_equal(m.graph.batch([is_high], BARS, cache)[0], before)


def test_an_error_in_one_thread_does_not_leave_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    m = MarketView()
    cache = EvaluationCache(BARS)
    evaluate = Indicator.evaluate
    calls = []

    def failing_once(self, inputs):
        calls.append(1)
        if len(calls) == 1:
            raise DataError("broken")
        return evaluate(self, inputs)

    monkeypatch.setattr(Indicator, "evaluate", failing_once)
    with pytest.raises(DataError, match="broken"):
        m.graph.batch([m.close.sma(7)], BARS, cache)
    assert len(m.graph.batch([m.close.sma(7)], BARS, cache)[0]) == 300


@pytest.mark.parametrize(
    "table",
    [np.ones((4, 10)), np.ones(10), np.ones((5, 10), dtype=np.float32), np.ones((5, 2, 10))],
)
def test_another_table_than_five_columns_of_floats_is_refused(table: np.ndarray) -> None:
    m = MarketView()
    with pytest.raises(DataError, match=r"shape \(5, n\)"):
        m.graph.batch([m.close], table)
    with pytest.raises(DataError, match=r"shape \(5, n\)"):
        EvaluationCache(table)


def test_a_cache_needs_room_of_zero_or_more() -> None:
    with pytest.raises(ConfigError, match="max_bytes must be >= 0, was -1"):
        EvaluationCache(BARS, max_bytes=-1)


def test_rows_that_are_not_contiguous_are_read_correctly() -> None:
    m = MarketView()
    table = np.asfortranarray(BARS)
    np.testing.assert_array_equal(m.graph.batch([m.close.sma(5)], table)[0], m.graph.batch([m.close.sma(5)], BARS)[0])
    assert evaluation.price_columns(table)[3].flags.c_contiguous


def test_streams_of_one_program_have_memories_of_their_own() -> None:
    m = MarketView()
    first, second = (m.graph.stream([m.close.shift(1)]) for _ in range(2))
    first.step(1, 1, 1, 7, 1)
    assert np.isnan(second.step(1, 1, 1, 8, 1)[0])
    assert first.step(1, 1, 1, 9, 1) == (7,)


def test_columns_need_no_steps() -> None:
    m = MarketView()
    stream = m.graph.stream([m.volume, m.open, m.close])
    assert stream.step(1.0, 2.0, 0.5, 1.5, 9.0) == (9.0, 1.0, 1.5)
    assert Price(4).describe() == "volume"
