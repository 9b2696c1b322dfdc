import math

import numpy as np
import pytest

from workbench.core import exact_math
from workbench.core.compiled import kernel


@kernel(cache=False)
def square(x):
    return exact_math.power(x, 2)


@kernel(cache=False)
def root(x):
    return exact_math.power(x, 0.5)


@kernel(cache=False)
def inverse(x):
    return exact_math.power(x, -1)


@kernel(cache=False)
def cube(x):
    return exact_math.power(x, 3)


@kernel(cache=False)
def any_power(x, y):
    return exact_math.power(x, y)


@kernel(cache=False)
def functions(x):
    return exact_math.sqrt(x), exact_math.exp(x), exact_math.log(x)


def test_powers_have_the_bits_that_python_gives() -> None:
    rng = np.random.default_rng(1)
    for x in (rng.uniform(0.1, 10, 20_000) * 10.0 ** rng.integers(-3, 6, 20_000)).tolist():
        assert square(x) == x**2
        assert root(x) == x**0.5
        assert inverse(x) == x**-1
        assert cube(x) == x**3
        assert any_power(x, 1.37) == x**1.37


def test_functions_have_the_bits_that_python_gives() -> None:
    for x in np.random.default_rng(2).uniform(1e-6, 50, 5_000).tolist():
        assert functions(x) == (math.sqrt(x), math.exp(x), math.log(x))


@pytest.mark.parametrize(("x", "y"), [(-8.0, 3.0), (-2.0, -2.0), (0.0, 0.0), (0.0, 2.0), (2.0, -1074.0), (9, 2)])
def test_powers_at_the_edges_equal_pythons(x: float, y: float) -> None:
    assert any_power(x, y) == x**y


@pytest.mark.parametrize(("x", "y"), [(math.inf, 2.0), (math.nan, 0.0), (0.5, math.inf), (-math.inf, 3.0)])
def test_powers_of_what_is_not_finite_equal_pythons(x: float, y: float) -> None:
    assert any_power(x, y) == x**y


def test_what_python_refuses_is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        any_power(0.0, -1.0)
    with pytest.raises(OverflowError):
        any_power(10.0, 400.0)
    for function, x in ((exact_math.sqrt, -1.0), (exact_math.log, 0.0), (exact_math.log, -1.0)):
        with pytest.raises(ValueError, match="math domain error"):
            function(x)
    with pytest.raises(OverflowError):
        exact_math.exp(1000.0)
    assert math.isnan(exact_math.sqrt(math.nan))
    assert exact_math.exp(math.inf) == math.inf


@pytest.mark.parametrize("x", [-1.0, 0.0])
def test_a_kernel_refuses_what_has_no_logarithm(x: float) -> None:
    with pytest.raises(ValueError, match="math domain error"):
        functions(x)
