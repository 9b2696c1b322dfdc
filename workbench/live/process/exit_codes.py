"""How a session's process tells its end."""

from typing import Final

__all__ = ["EXIT_DONE", "EXIT_FAILED", "EXIT_LEFT", "EXIT_LOCKED", "EXIT_MEMORY"]

EXIT_DONE: Final = 0
"""The session has ended; there is nothing to start again."""

EXIT_FAILED: Final = 1
"""The session failed, or could not be started."""

EXIT_LOCKED: Final = 3
"""Another process runs the session, or trades its symbol."""

EXIT_MEMORY: Final = 70
"""It needed more memory than it may."""

EXIT_LEFT: Final = 71
"""It was told to make room, because it hung."""
