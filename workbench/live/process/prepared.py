"""A session that was prepared and not started: its parameters can still be changed, and it has no process yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.live.process.folders import SessionFolder
from workbench.live.process.operations import READS
from workbench.live.process.registered import RegisteredSession
from workbench.live.session import LiveSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.errors import SessionError
    from workbench.live.process.registry import SessionRegistry
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.states import SessionState

__all__ = ["PreparedSession"]


class _DraftArchive:
    """Answers for a session that has no process from one in this process that is never started."""

    def __init__(self, draft: LiveSession) -> None:
        self._draft = draft

    def answer(self, operation: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401  what the operation answers
        """Return what the session's process would answer to a read."""
        return READS[operation].run(self._draft, **arguments)


class PreparedSession(RegisteredSession):
    """The handle of a session whose process comes with `start`.

    Parameters
    ----------
    registry : SessionRegistry
        Starts it.
    config : LiveSessionConfig
        What it will run.
    """

    def __init__(self, registry: SessionRegistry, config: LiveSessionConfig) -> None:
        super().__init__(SessionFolder(registry.root, config.name))
        self._registry = registry
        self._draft: LiveSession | None = LiveSession(config)
        self._archive = _DraftArchive(self._draft)

    @property
    def config(self) -> LiveSessionConfig:
        """What the session will run, or runs."""
        return super().config if self._draft is None else self._draft.config

    def configure(self, **parameters: object) -> None:
        """Change parameters of the strategy before the start."""
        if self._draft is None:
            super().configure(**parameters)
        else:
            self._draft.configure(**parameters)

    def start(self) -> PreparedSession:
        """Start the session in a process of its own and return it; a session that runs already goes on."""
        if self._draft is None:
            super().start()
            return self
        if not self._draft.is_finished:
            self._registry.start(self._draft.config)
            self._draft = None
            self._archive = self._kept
            self._known.clear()
        else:
            self._draft.start()
        return self

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason."""
        if self._draft is None:
            return super().stop(flatten=flatten, timeout_s=timeout_s)
        return self._draft.stop()

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the session to end as `stop` does, closing its position first when `flatten`, and do not wait for it."""
        if self._draft is None:
            super().ask_to_stop(flatten=flatten)
        else:
            self._draft.ask_to_stop()

    def kill(self) -> SessionState:
        """End the session's process at once, orders and positions untouched; return the state."""
        return super().kill() if self._draft is None else self._draft.kill()

    def close(self) -> None:
        """End the session if it runs, and let go of the subscription."""
        if self._draft is not None:
            self._draft.close()
        super().close()

    def _status(self) -> tuple[SessionState, str]:
        return super()._status() if self._draft is None else (self._draft.state, self._draft.reason)

    def _status_without_answer(self, error: SessionError) -> tuple[SessionState, str]:
        return super()._status_without_answer(error) if self._draft is None else self._status()
