"""Keys, signatures and the age of requests, without a network."""

import hashlib
import hmac
import time

import pytest

from workbench.exchange.practice import RunningClock, SteppedClock
from workbench.exchange.practice.credentials import PracticeCredentials, RequestGuard
from workbench.exchange.practice.refusals import RefusalError

NS_PER_MS = 1_000_000
MINUTE_NS = 60_000_000_000


def signed(guard: RequestGuard, payload: str) -> str:
    digest = hmac.new(guard.credentials.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return f"{payload}&signature={digest}"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def guard(clock: SteppedClock) -> RequestGuard:
    return RequestGuard(PracticeCredentials(), clock)


def check(guard: RequestGuard, payload: str) -> None:
    guard.check_query(signed(guard, payload), guard.credentials.key)


def test_parameters_come_back_without_the_signature(guard: RequestGuard) -> None:
    payload = f"symbol=BTCUSDT&note=a%20b&timestamp={guard.now_ms()}"
    params, receipt = guard.check_query(signed(guard, payload), guard.credentials.key)
    assert params == {"symbol": "BTCUSDT", "note": "a b", "timestamp": str(guard.now_ms())}
    assert (receipt.age_ms, receipt.window_ms) == (0, 5_000)


@pytest.mark.parametrize("change", [lambda text: text.replace("BTC", "ETH"), lambda text: text[:-1] + "x"])
def test_request_that_was_changed_on_the_way_is_refused(guard: RequestGuard, change: object) -> None:
    payload = signed(guard, f"symbol=BTCUSDT&timestamp={guard.now_ms()}")
    with pytest.raises(RefusalError, match="-1022"):
        guard.check_query(change(payload), guard.credentials.key)


@pytest.mark.parametrize(("key", "code"), [(None, "-2014"), ("", "-2014"), ("other", "-2015"), ("ä", "-2015")])
def test_other_keys_are_refused(guard: RequestGuard, key: str | None, code: str) -> None:
    with pytest.raises(RefusalError, match=code):
        guard.check_key(key)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("a=1", "-1102 Mandatory parameter 'timestamp'"),
        ("timestamp=now", "-1100"),
        ("timestamp={now}&recvWindow=60001", "-1131"),
        ("timestamp={old}", "-1021 Timestamp for this request is outside"),
        ("timestamp={old}&recvWindow=5001", None),
        ("timestamp={ahead}", "-1021 Timestamp for this request was 1000ms ahead"),
    ],
)
def test_timestamp_must_be_fresh(guard: RequestGuard, payload: str, code: str | None) -> None:
    now = guard.now_ms()
    text = payload.format(now=now, old=now - 5_001, ahead=now + 1_001)
    if code is None:
        check(guard, text)
    else:
        with pytest.raises(RefusalError, match=code):
            check(guard, text)


def test_request_without_signature_is_refused(guard: RequestGuard) -> None:
    with pytest.raises(RefusalError, match="'signature'"):
        guard.check_query(f"timestamp={guard.now_ms()}", guard.credentials.key)


def test_request_signed_with_the_machines_time_is_fresh_too(guard: RequestGuard) -> None:
    check(guard, f"timestamp={time.time_ns() // NS_PER_MS}")


def test_age_is_real_time_whatever_the_speed() -> None:
    started = time.monotonic_ns() - MINUTE_NS
    guard = RequestGuard(PracticeCredentials(), RunningClock(speed=1_000, origin_ns=started))
    # Four real seconds ago the exchange's clock was 4,000 seconds behind.
    check(guard, f"timestamp={guard.now_ms() - 4_000_000}")
    with pytest.raises(RefusalError, match="-1021"):
        check(guard, f"timestamp={guard.now_ms() - 5_500_000}")


def test_second_look_counts_the_time_since_the_first(guard: RequestGuard, clock: SteppedClock) -> None:
    payload = signed(guard, f"timestamp={guard.now_ms() - 400}&recvWindow=1000")
    _, receipt = guard.check_query(payload, guard.credentials.key)
    clock.advance(600 * NS_PER_MS)
    guard.check_again(receipt)
    clock.advance(NS_PER_MS)
    with pytest.raises(RefusalError, match="-1021"):
        guard.check_again(receipt)


def test_two_exchanges_never_share_a_key() -> None:
    one, other = PracticeCredentials(), PracticeCredentials()
    assert one.key != other.key
    assert one.secret != other.secret
