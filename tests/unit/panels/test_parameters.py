import threading

import pytest

from tests.unit.panels.fake_session import FakeParameter, FakeSession
from workbench.panels.fields import complaint
from workbench.panels.parameters import ParameterForm


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=0)


@pytest.fixture
def form(session: FakeSession) -> ParameterForm:
    form = ParameterForm(session, lambda: None)
    form.refresh("PREPARED")
    return form


def hint(form: ParameterForm, name: str) -> str:
    """Return the line below a field."""
    return str(form.fields[name].box.children[-1].value)


def test_each_kind_of_parameter_has_its_kind_of_input(form: ParameterForm) -> None:
    kinds = {name: type(field.input).__name__ for name, field in form.fields.items()}
    assert kinds == {
        "fast": "IntText",
        "slow": "IntText",
        "stop": "Text",
        "short_too": "Checkbox",
        "average": "Dropdown",
    }


def test_each_input_has_a_label_of_its_own(form: ParameterForm) -> None:
    # A text beside it would be seen and not be tied to it.
    names = ["fast", "slow", "stop", "short_too", "average"]
    assert [field.input.description for field in form.fields.values()] == names


def test_inputs_start_with_the_configured_values(form: ParameterForm) -> None:
    assert [field.value for field in form.fields.values()] == [10, 50, 0.02, False, "sma"]


def test_optional_number_is_off_when_it_is_left_empty(form: ParameterForm, session: FakeSession) -> None:
    form.fields["stop"].input.value = ""
    assert session.strategy.parameters["stop"] is None
    form.fields["stop"].input.value = " 0.05 "
    assert session.strategy.parameters["stop"] == 0.05
    form.fields["stop"].input.value = "much"
    assert form.complaints == ["stop: must be a number, was much"]
    session.configure(stop=None)
    form.refresh("PREPARED")
    assert form.fields["stop"].input.value == ""
    assert form.complaints == []


def test_valid_change_goes_to_the_handle_at_once(form: ParameterForm, session: FakeSession) -> None:
    form.fields["fast"].input.value = 12
    assert session.strategy.parameters["fast"] == 12
    assert form.complaints == []


def test_value_out_of_range_is_told_at_its_field_and_not_sent(form: ParameterForm, session: FakeSession) -> None:
    form.fields["fast"].input.value = 500
    form.refresh("PREPARED")
    assert session.calls == []
    assert form.complaints == ["fast: 2 to 200, was 500"]
    assert "2 to 200, was 500" in hint(form, "fast")
    assert "2 to 200, was" not in hint(form, "slow")


def test_refusal_of_the_strategy_is_told_at_the_field(form: ParameterForm) -> None:
    form.fields["fast"].input.value = 60
    assert form.complaints == ["fast must be below slow (50), was 60"]


def test_optional_number_says_that_it_may_be_off(form: ParameterForm) -> None:
    assert "0.001 to 0.5 or off" in hint(form, "stop")
    form.fields["stop"].input.value = "3"
    assert form.complaints == ["stop: 0.001 to 0.5 or off, was 3"]
    form.fields["stop"].input.value = "off"
    assert (form.complaints, form.fields["stop"].value) == ([], None)


def test_error_of_any_kind_is_told_at_the_field(form: ParameterForm, session: FakeSession) -> None:
    def break_down(**_parameters: object) -> None:
        raise RuntimeError("<img> no disk")

    session.configure = break_down  # type: ignore[method-assign]
    form.fields["fast"].input.value = 12
    form.refresh("PREPARED")
    assert form.complaints == ["fast: <img> no disk"]
    assert "&lt;img&gt; no disk" in hint(form, "fast")


def test_session_that_takes_long_does_not_hold_up_the_page(
    form: ParameterForm, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.panels.parameters._PATIENCE_S", 0.01)
    go_on, obey = threading.Event(), session.configure

    def take_long(**values: object) -> None:
        assert go_on.wait(60)
        obey(**values)

    session.configure = take_long  # type: ignore[method-assign]
    form.fields["fast"].input.value = 12
    assert form.complaints == ["fast: no answer within 0.01 s: the session is busy or gone"]
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "workbench-command":
            thread.join(60)
    form.refresh("PREPARED")  # it was done all the same
    assert (form.fields["fast"].value, form.complaints) == (12, [])


def test_mended_value_clears_the_complaint(form: ParameterForm) -> None:
    form.fields["fast"].input.value = 60
    form.fields["fast"].input.value = 40
    assert form.complaints == []


def test_change_that_mends_another_field_clears_its_complaint_too(form: ParameterForm, session: FakeSession) -> None:
    form.fields["fast"].input.value = 60  # not below slow, 50
    form.fields["slow"].input.value = 80
    assert form.complaints == []
    assert session.strategy.parameters["fast"] == 60


def test_fields_are_open_only_before_the_start(form: ParameterForm) -> None:
    assert not form.fields["fast"].input.disabled
    for state in ("STARTING", "ACTIVE", "STOPPED"):
        form.refresh(state)
        assert all(field.input.disabled for field in form.fields.values())


def test_change_made_by_another_panel_appears(form: ParameterForm, session: FakeSession) -> None:
    other = ParameterForm(session, lambda: None)
    other.fields["slow"].input.value = 90
    form.refresh("PREPARED")
    assert form.fields["slow"].value == 90


def test_edit_under_way_survives_a_change_of_another_field(form: ParameterForm, session: FakeSession) -> None:
    form.fields["fast"].input.value = 500  # wrong, and kept for the user to mend
    session.configure(slow=70)
    form.refresh("PREPARED")
    assert form.fields["fast"].value == 500
    assert form.fields["slow"].value == 70


@pytest.mark.parametrize(
    ("low", "high", "value", "text"),
    [
        (2, 200, 1, "2 to 200, was 1"),
        (2, None, 1, "at least 2, was 1"),
        (None, 5, 6, "at most 5, was 6"),
        (None, None, 1e9, ""),
        (2, 200, 2, ""),
        (0, 1, float("nan"), "must be a number, was nan"),
        (0, 1, float("inf"), "must be a number, was inf"),
    ],
)
def test_complaint_names_range_and_value(low: float | None, high: float | None, value: float, text: str) -> None:
    assert complaint(FakeParameter("x", "float", 1.0, low, high), value) == text
