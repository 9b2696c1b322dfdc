import copy
import inspect
import re

import pytest

from workbench import errors


def classes_of_errors() -> dict[str, type[Exception]]:
    return {
        name: value for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)
    }


def tree_in_docstring() -> dict[str, tuple[str, ...]]:
    """Map each class in the module's picture to the classes that the picture gives it as bases."""
    bases: dict[str, tuple[str, ...]] = {}
    path: list[str] = []
    for line in inspect.getdoc(errors).splitlines():
        match = re.match(r"^( {4,})(\w+Error)\b(?:.*\(also (\w+)\))?", line)
        if match is None:
            continue
        depth = len(match[1]) // 2 - 2
        path = [*path[:depth], match[2]]
        parent = path[-2] if depth else "Exception"
        bases[match[2]] = (parent, match[3]) if match[3] else (parent,)
    return bases


def exchange_errors() -> list[type[errors.ExchangeError]]:
    return [cls for cls in classes_of_errors().values() if issubclass(cls, errors.ExchangeError)]


def test_picture_at_the_top_of_the_module_is_the_tree_of_classes() -> None:
    actual = {name: tuple(base.__name__ for base in cls.__bases__) for name, cls in classes_of_errors().items()}
    assert tree_in_docstring() == actual


def test_every_error_is_public() -> None:
    assert set(errors.__all__) == set(classes_of_errors())


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (errors.ConfigError, ValueError),
        (errors.BarError, ValueError),
        (errors.UnknownOrderError, LookupError),
        (errors.ExchangeTimeoutError, TimeoutError),
        (errors.RealTradingDisabledError, PermissionError),
        (errors.SessionNotFoundError, LookupError),
    ],
)
def test_error_can_be_caught_as_its_standard_kind_and_as_ours(
    error: type[errors.WorkbenchError], standard: type[Exception]
) -> None:
    assert issubclass(error, standard)
    assert issubclass(error, errors.WorkbenchError)


@pytest.mark.parametrize("cls", [errors.ConfigError, errors.RealTradingDisabledError, errors.SessionNotFoundError])
def test_message_is_shown_as_it_was_given(cls: type[errors.WorkbenchError]) -> None:
    # LookupError's child KeyError would show it quoted, OSError's with an errno in front: neither may creep in.
    assert str(cls("stop_loss must be in (0, 1), was 5")) == "stop_loss must be in (0, 1), was 5"


def test_order_error_carries_its_order() -> None:
    order = object()
    assert errors.InsufficientFundsError("costs 101, cash was 100", order=order).order is order
    assert errors.OrderError("no order").order is None


def test_session_error_carries_its_session() -> None:
    assert errors.SessionClosedError("it has stopped", session_id="btc-1").session_id == "btc-1"
    assert errors.SessionLimitError("100 sessions are open, limit 100").session_id is None


@pytest.mark.parametrize("cls", exchange_errors())
def test_exchange_error_carries_exchange_and_whether_to_try_again(cls: type[errors.ExchangeError]) -> None:
    error = cls("no answer in 10 s", exchange="practice", retryable=False)
    assert (str(error), error.exchange, error.retryable) == ("no answer in 10 s", "practice", False)


def test_exchange_error_says_nothing_about_retrying_by_default() -> None:
    # A default would decide about an order whose outcome nobody knows.
    with pytest.raises(TypeError, match="retryable"):
        errors.ExchangeError("no answer in 10 s", exchange="practice")  # type: ignore[call-arg] # the point of the test


@pytest.mark.parametrize(
    "error",
    [
        *(cls("no answer", exchange="practice", retryable=True) for cls in exchange_errors()),
        errors.UnknownOrderError("no such order", order="a-17"),
        errors.SessionNotFoundError("no such session", session_id="btc-1"),
    ],
)
def test_copy_of_an_error_is_equal_in_all_that_it_carries(error: errors.WorkbenchError) -> None:
    other = copy.copy(error)
    assert type(other) is type(error)
    assert (other.args, vars(other)) == (error.args, vars(error))
