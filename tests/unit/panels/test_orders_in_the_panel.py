from pathlib import Path

from tests.unit.live.process.hosted import hosted
from tests.unit.panels.fake_session import FakeSession
from tests.unit.panels.test_open_orders_table import order
from tests.unit.panels.test_session_panel import html
from workbench.errors import SessionClosedError
from workbench.panels import session_panel


def test_open_orders_are_counted_and_listed() -> None:
    session = FakeSession(bars=2)
    session.state = "ACTIVE"
    session.order_list = [order(time_ns=session.time_ns)]
    panel = session_panel(session)
    assert panel.tabs.box.titles[:2] == ("Orders 1", "Fills")
    assert panel.tabs.box.titles[panel.tabs.box.selected_index] == "Fills"
    assert "partly filled" in panel.tabs.pages["Orders"].value
    session.order_list = []
    panel.refresh()
    assert "fills at the next price" in panel.tabs.pages["Orders"].value
    panel.close()


def test_a_session_that_does_not_tell_leaves_the_rest_alone() -> None:
    session = FakeSession(bars=2)
    session.state = "CRASHED"
    session.order_list = SessionClosedError("it is gone")
    panel = session_panel(session)
    assert "Not known here" in panel.tabs.pages["Orders"].value
    assert "cannot be read" not in html(panel)
    panel.close()


def test_one_that_was_not_started_is_not_asked() -> None:
    session = FakeSession(bars=2)
    session.order_list = SessionClosedError("there is no process yet")
    panel = session_panel(session)
    assert "fills at the next price" in panel.tabs.pages["Orders"].value
    panel.close()


def test_parameters_and_risk_say_that_they_are_fixed() -> None:
    session = FakeSession(bars=2)
    panel = session_panel(session)
    assert "may be changed until Start" in html(panel)
    session.state = "ACTIVE"
    panel.refresh()
    assert "fixed since the start" in html(panel)
    assert "fixed when the session was made" in panel.tabs.pages["Risk"].value
    panel.close()


def test_a_session_in_another_process_tells_its_open_orders(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        host.session._readings.open_orders = (order(),)  # noqa: SLF001  what an exchange would have told
        assert host.handle.open_orders() == (order(),)
