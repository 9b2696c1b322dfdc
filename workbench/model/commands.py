"""The few orders that people give to a running session."""

from dataclasses import dataclass
from typing import Final

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks

__all__ = ["COMMANDS", "Command"]

COMMANDS: Final = ("pause", "resume", "flatten", "stop", "kill", "clear_breaker", "mute")
"""The names of all commands; the index of a name is its code in a recorded event, so names are only ever added at the
end."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person asks of a running session; it travels with the market's events and is recorded like them.

    Parameters
    ----------
    name : str
        ``pause`` (no entries any more, exits go on), ``resume``, ``flatten`` (close every position, then pause),
        ``stop`` (cancel entry orders, keep the position with its stop, end), ``kill`` (end at once, orders untouched),
        ``clear_breaker`` (allow entries again after a breaker trip) or ``mute`` (ask the strategy no more, because it
        hung, and pause; exits and stops go on).

    Raises
    ------
    ConfigError
        There is no such command.

    Examples
    --------
    >>> Command("flatten").code
    2
    >>> Command.from_code(2)
    Command(name='flatten')
    """

    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        checks = FieldChecks()
        checks.is_one_of("command", self.name, COMMANDS)
        checks.raise_if_any(ConfigError)

    @classmethod
    def from_code(cls, code: int) -> "Command":
        """Return the command with a recorded event's code.

        Raises
        ------
        ConfigError
            No command has this code.
        """
        if not 0 <= code < len(COMMANDS):
            raise ConfigError(f"command code must be in [0, {len(COMMANDS) - 1}], was {code}")
        return cls(COMMANDS[code])

    @property
    def code(self) -> int:
        """The number that stands for this command in a recorded event."""
        return COMMANDS.index(self.name)

    def __str__(self) -> str:
        """Return the name."""
        return self.name
