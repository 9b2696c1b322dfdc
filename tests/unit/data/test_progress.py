import sys
from types import SimpleNamespace
from typing import Any

import pytest
import tqdm.notebook

from workbench.data.progress import progress_bar


class Place:
    """Where a notebook shows something, and what was put there."""

    def __init__(self) -> None:
        self.contents: list[Any] = []

    def display(self, content: Any, *, display_id: bool) -> "Place":
        assert display_id  # else nothing could take its place
        self.contents.append(content)
        return self

    def update(self, content: Any, *, raw: bool) -> None:
        assert raw
        self.contents.append(content)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Have a notebook."""
    place = Place()
    monkeypatch.setattr("IPython.display.display", place.display)
    # A class of its own, for which the notebook's bar is made anew.
    kind = type("tqdm", (tqdm.notebook.tqdm_notebook,), {})
    monkeypatch.setitem(sys.modules, "tqdm.auto", SimpleNamespace(tqdm=kind))
    return place


def test_bar_of_a_notebook_ends_as_a_text_of_what_was_done(place: Place) -> None:
    with progress_bar(1_200, "sweep", "runs", progress=True) as bar:
        assert place.contents == [bar.container]
        bar.update(1_200)
    assert place.contents[1:] == [{"text/plain": "sweep: 1,200 of 1,200 runs in 00:00"}]
    assert bar.container.comm is None  # nothing of it stays in the kernel


def test_work_that_failed_is_not_told_as_done(place: Place) -> None:
    bar = progress_bar(180, "sweep", "runs", progress=True)
    bar.update(5)
    bar.close()
    assert place.contents[-1] == {"text/plain": "sweep: stopped after 5 of 180 runs in 00:00"}


@pytest.mark.parametrize("progress", [None, False])
def test_quick_work_shows_nothing_in_a_notebook_unless_asked(place: Place, progress: bool | None) -> None:
    with progress_bar(2, "sweep", "runs", progress=progress) as bar:
        bar.update(2)
    assert place.contents == []


def test_bar_of_a_terminal_is_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(2, "sweep", "runs", progress=True) as bar:
        bar.update(2)
    assert "sweep: 100%" in capsys.readouterr().err
