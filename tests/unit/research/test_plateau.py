import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.research import plateau
from workbench.research.plateau import plateau_scores


def line(scores, values=None):
    values = list(range(len(scores))) if values is None else values
    return plateau_scores(np.array(scores), [[i] for i in range(len(scores))], {"n": values}).tolist()


def square(matrix, **kwargs):
    matrix = np.array(matrix, dtype=np.float64)
    places = list(itertools.product(range(matrix.shape[0]), range(matrix.shape[1])))
    values = {"a": range(matrix.shape[0]), "b": range(matrix.shape[1]), **kwargs}
    return plateau_scores(matrix.ravel(), places, values).reshape(matrix.shape)


def test_a_plateau_ranks_above_a_lone_peak():
    scores = line([1.0, 1.2, 1.1, 0.0, 9.0, 0.0])
    # median of (1.0, 1.2, 1.1) against the medians around the 9: (0, 9, 0)
    assert scores[1] == 1.1
    assert scores[4] == 0.0
    assert np.argmax(scores) in {1, 2}


def test_a_border_cell_takes_the_lower_of_itself_and_its_neighbour():
    # the two ends have one neighbour each: min(5, 1) and min(3, 9)
    assert line([5.0, 1.0, 3.0, 9.0]) == [1.0, 3.0, 3.0, 3.0]


def test_in_two_parameters_diagonal_neighbours_count():
    scores = square([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert scores[1, 1] == 5.0  # median of 1..9
    assert scores[0, 0] == 2.0  # 1, 2, 4, 5: the lower middle
    assert scores[0, 1] == 3.0  # 1, 2, 3, 4, 5, 6: the lower middle


def test_rows_of_the_grid_do_not_touch_at_their_ends():
    # (0, 2) and (1, 0) follow each other in memory; 9 must not reach the left column.
    scores = square([[0, 0, 9], [0, 0, 9], [0, 0, 9]])
    assert scores[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_combinations_left_out_have_no_say():
    # only the diagonal was tried: its middle has two neighbours, 1 and 3
    scores = plateau_scores(np.array([1.0, 2.0, 3.0]), [[0, 0], [1, 1], [2, 2]], {"a": range(3), "b": range(3)})
    assert scores.tolist() == [1.0, 2.0, 2.0]


def test_an_undefined_neighbour_counts_as_the_worst():
    # around the 5: (nan -> worst, 5, 4) has the median 4; around the 4: (5, 4)
    scores = line([math.nan, 5.0, 4.0])
    assert math.isnan(scores[0])
    assert scores[1:] == [4.0, 4.0]


def test_a_combination_without_neighbours_can_only_be_a_peak():
    scores = plateau_scores(np.array([7.0, 1.0, 1.0]), [[0], [3], [4]], {"n": range(5)})
    assert math.isnan(scores[0])
    assert scores[1:].tolist() == [1.0, 1.0]


def test_a_single_combination_is_its_own_plateau():
    assert line([7.0]) == [7.0]


def test_neighbours_follow_the_numbers_not_the_order_in_which_they_were_given():
    # numeric order 1 2 3 4 with scores 4 9 2 1: medians min(4,9) (4,9,2) (9,2,1) min(2,1)
    assert line([9.0, 4.0, 1.0, 2.0], values=[2, 1, 4, 3]) == [4.0, 4.0, 1.0, 2.0]


def test_words_have_no_neighbours_among_themselves():
    values = {"kind": ["ema", "sma"], "n": [1, 2, 3]}
    places = list(itertools.product(range(2), range(3)))
    scores = plateau_scores(np.array([1.0, 1.0, 1.0, 9.0, 9.0, 9.0]), places, values)
    assert scores.tolist() == [1.0, 1.0, 1.0, 9.0, 9.0, 9.0]


def test_true_and_false_are_words():
    scores = plateau_scores(np.array([1.0, 5.0]), [[0], [1]], {"is_on": [False, True]})
    assert all(math.isnan(score) for score in scores)


def test_many_parameters_ask_only_the_neighbours_along_each_axis():
    values = {name: range(3) for name in "abcdef"}
    places = list(itertools.product(range(3), repeat=6))
    scores = np.array([1.0 if sum(abs(p - 1) for p in place) <= 1 else 0.0 for place in places])
    # The centre and its 12 neighbours along the axes score 1; all 716 others, diagonals too, 0.
    ranked = plateau_scores(scores, places, values)
    assert ranked[places.index((1,) * 6)] == 1.0
    assert np.count_nonzero(ranked) == 1


def reference(scores, shape):
    """Median by its definition, cell by cell."""
    result = np.empty(shape)
    for cell in itertools.product(*map(range, shape)):
        around = sorted(
            -math.inf if math.isnan(scores[other]) else scores[other]
            for step in itertools.product((-1, 0, 1), repeat=len(shape))
            for other in [tuple(c + s for c, s in zip(cell, step, strict=True))]
            if all(0 <= place < size for place, size in zip(other, shape, strict=True))
        )
        middle = around[(len(around) - 1) // 2]
        result[cell] = middle if math.isfinite(middle) else math.nan
    return result


@given(st.tuples(st.integers(2, 5), st.integers(2, 5), st.integers(2, 3)), st.integers(0, 2**32 - 1))
def test_scores_equal_their_definition(shape, seed):
    random = np.random.default_rng(seed)
    scores = random.normal(size=shape)
    scores[random.random(shape) < 0.2] = np.nan
    places = list(itertools.product(*map(range, shape)))
    ranked = plateau_scores(scores.ravel(), places, dict(zip("abc", map(range, shape), strict=True)))
    np.testing.assert_array_equal(ranked.reshape(shape), reference(scores, shape))


def test_blocks_do_not_show_in_the_result(monkeypatch):
    scores = np.random.default_rng(5).normal(size=400)
    places = list(itertools.product(range(20), range(20)))
    values = {"a": range(20), "b": range(20)}
    whole = plateau_scores(scores, places, values)
    monkeypatch.setattr(plateau, "BLOCK_CELLS", 100)
    np.testing.assert_array_equal(plateau_scores(scores, places, values), whole)


@pytest.mark.parametrize("size", [30, 40])
def test_parameters_with_one_value_do_not_matter(size):
    values = {f"p{i}": [1] for i in range(size)} | {"n": [1, 2, 3]}
    places = [[0] * size + [i] for i in range(3)]
    assert plateau_scores(np.array([1.0, 2.0, 3.0]), places, values).tolist() == [1.0, 2.0, 2.0]
