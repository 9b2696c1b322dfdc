"""A bar for work that takes long: tqdm's, and in a notebook a line of text in its place once the work is over."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

__all__ = ["progress_bar"]

_QUIET_S: Final = 1.0  # work that is shorter shows no bar


def progress_bar(total: int, title: str, unit: str, *, progress: bool | None, **options: Any) -> Any:  # noqa: ANN401  tqdm has no types
    """Return a bar to be used in a ``with`` statement, whose `update` counts what was done.

    A bar of a notebook is a widget, and what is saved of it is a text from the moment when it was first shown: an
    exported page would say "3 %" of what was finished long ago. So its place is taken by a text of what was done.

    Parameters
    ----------
    total : int
        Pieces of work.
    title : str
        In front of the bar.
    unit : str
        What is counted, in the plural.
    progress : bool or None
        Show it always, never, or only after a second.
    **options
        More for tqdm.
    """
    from tqdm.auto import tqdm  # noqa: PLC0415  it loads ipywidgets where there is a notebook

    is_widget = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    kind = _ending_as_text(tqdm) if is_widget else tqdm
    delay_s = _QUIET_S if progress is None else 0.0
    return kind(total=total, desc=title, unit=f" {unit}", delay=delay_s, disable=progress is False, **options)


@cache
def _ending_as_text(bar: Any) -> Any:  # noqa: ANN401  as above
    show: Any = import_module("IPython.display").display  # there is a notebook

    class EndingAsText(bar):  # type: ignore[misc]  # tqdm has no types
        """A bar of a notebook."""

        _place: Any = None

        def __init__(self, **terms: object) -> None:
            super().__init__(**terms, display=False)
            if not self.disable and self.delay <= 0.0:
                self._show()

        def display(self, *args: object, check_delay: bool = True, **terms: object) -> None:
            """Draw the bar, and show it once its delay is over."""
            super().display(*args, check_delay=False, **terms)
            if check_delay:
                self._show()

        def close(self) -> None:
            """End the bar and write what was done in its place."""
            super().close()
            if self._place is not None:
                place, self._place = self._place, None
                place.update({"text/plain": self._last_word()}, raw=True)
                for part in (*self.container.children, self.container):
                    part.close()

        def _show(self) -> None:
            self._place = self._place or show(self.container, display_id=True)

        def _last_word(self) -> str:
            took = self.format_interval(self.format_dict["elapsed"])
            stopped = "" if self.n >= self.total else "stopped after "
            return f"{self.desc}: {stopped}{self.n:,} of {self.total:,}{self.unit} in {took}"

    return EndingAsText
