import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.research import grid as grid_module
from workbench.research.grid import Grid

DEFAULTS = {"fast": 20, "slow": 50, "stop": 0.02}


def test_combinations_are_the_product_with_the_last_parameter_fastest():
    grid = Grid.of({"fast": [1, 2], "slow": [3, 4]}, defaults=DEFAULTS)
    assert grid.combinations == ((1, 3), (1, 4), (2, 3), (2, 4))
    assert grid.places == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert grid.names == ("fast", "slow")
    assert len(grid) == 4


def test_where_leaves_combinations_out_and_keeps_their_places():
    grid = Grid.of({"fast": range(1, 4), "slow": range(1, 4)}, defaults=DEFAULTS, where=lambda p: p.fast < p.slow)
    assert grid.combinations == ((1, 2), (1, 3), (2, 3))
    assert grid.places == ((0, 1), (0, 2), (1, 2))


def test_where_sees_the_parameters_that_the_grid_leaves_alone():
    grid = Grid.of({"fast": range(10, 100, 10)}, defaults=DEFAULTS, where=lambda p: p.fast < p.slow and p.stop == 0.02)
    assert [combination[0] for combination in grid.combinations] == [10, 20, 30, 40]


def test_numpy_values_become_plain_numbers():
    grid = Grid.of({"fast": np.arange(2), "stop": np.linspace(0.0, 0.5, 2)}, defaults=DEFAULTS)
    assert [type(value) for value in grid.combinations[0]] == [int, float]


def test_generators_are_read_once():
    assert len(Grid.of({"fast": (n for n in range(5))}, defaults=DEFAULTS)) == 5


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "grid must name at least one parameter"),
        (None, "grid must name at least one parameter"),
        ([("fast", [1])], "grid must name at least one parameter"),
        ({"fats": [1]}, "'fats' is no parameter of the strategy, which has fast, slow, stop"),
        ({"fast": []}, r"grid\['fast'\] has no values"),
        ({"fast": 5}, r"grid\['fast'\] must be a collection of values, was 5"),
        ({"fast": "abc"}, r"grid\['fast'\] must be a collection of values, was 'abc'"),
        ({"fast": [1, 2, 1]}, r"grid\['fast'\] has 1 twice"),
    ],
)
def test_a_grid_that_is_none_is_explained(grid, message):
    with pytest.raises(ConfigError, match=message):
        Grid.of(grid, defaults=DEFAULTS)


def test_every_fault_of_a_grid_is_named_at_once():
    with pytest.raises(ConfigError, match=r"'fats' is no parameter.*grid\['slow'\] has no values.*was 7"):
        Grid.of({"fats": [1], "slow": [], "stop": 7}, defaults=DEFAULTS)


def test_where_must_be_a_function():
    with pytest.raises(ConfigError, match=r"where must be a function of the parameters, .* was 'fast < slow'"):
        Grid.of({"fast": [1, 2]}, defaults=DEFAULTS, where="fast < slow")


def test_a_grid_that_where_empties_says_how_many_it_refused():
    with pytest.raises(ConfigError, match="where refused all 6"):
        Grid.of({"fast": range(3), "slow": range(2)}, defaults=DEFAULTS, where=lambda _: False)


def test_where_with_an_unknown_parameter_names_the_known_ones():
    with pytest.raises(ConfigError, match="where asks for 'fats', but the parameters are fast, slow, stop"):
        Grid.of({"fast": [1]}, defaults=DEFAULTS, where=lambda p: p.fats < 3)


def test_an_attribute_error_of_where_itself_is_left_alone():
    with pytest.raises(AttributeError, match="no attribute 'foo'"):
        Grid.of({"fast": [1]}, defaults=DEFAULTS, where=lambda p: p.fast.foo)


def test_too_many_combinations_are_refused_before_any_is_made():
    with pytest.raises(
        ConfigError, match=r"at most 1,000,000 combinations, was 27,000,000 \(300 fast x 300 slow x 300 stop\)"
    ):
        Grid.of({"fast": range(300), "slow": range(300), "stop": range(300)}, defaults=DEFAULTS)


def test_the_limit_itself_is_allowed(monkeypatch):
    monkeypatch.setattr(grid_module, "MAX_COMBINATIONS", 6)
    assert len(Grid.of({"fast": range(2), "slow": range(3)}, defaults=DEFAULTS)) == 6


def test_a_strategy_without_parameters_says_so():
    with pytest.raises(ConfigError, match="which has none"):
        Grid.of({"fast": [1]}, defaults={})
