import pytest

from workbench.errors import ConfigError
from workbench.live.process.restarts import RestartPolicy


def test_each_death_makes_the_next_start_later_and_the_fifth_is_the_last() -> None:
    deaths, delays = [], []
    for second in (0.0, 10.0, 20.0, 30.0, 40.0):
        deaths.append(second)
        delays.append(RestartPolicy().delay_s(deaths))
    assert delays == [1, 2, 5, 10, None]


def test_deaths_of_long_ago_are_forgotten() -> None:
    policy = RestartPolicy()
    # at 700 those of 0 and 100 are 700 s and 600 s old: out of the window of 600 s
    assert policy.recent([0.0, 100.0, 101.0, 700.0]) == (101.0, 700.0)
    assert policy.delay_s([0.0, 100.0, 101.0, 700.0]) == 2


def test_last_delay_holds_for_all_that_follow() -> None:
    policy = RestartPolicy(delays_s=(1, 3), most=10)
    assert [policy.delay_s([0.0] * count) for count in (1, 2, 3, 9, 10)] == [1, 3, 3, 3, None]


@pytest.mark.parametrize("wrong", [{"delays_s": ()}, {"delays_s": (-1.0,)}, {"most": 0}, {"window_s": float("nan")}])
def test_policy_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a restart needs"):
        RestartPolicy(**wrong)
