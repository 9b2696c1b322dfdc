"""What a handle knows of a strategy that runs in another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.strategy import ConfiguredStrategy
    from workbench.strategy.parameters import Parameter

__all__ = ["StrategyView"]


@dataclass(frozen=True, slots=True)
class StrategyView:
    """Name and parameters of a strategy; what it does is in the session's process.

    Attributes
    ----------
    name : str
        Name of the strategy.
    parameters : mapping of str
        Values by name.
    spec : tuple of Parameter
        Declared parameters in their order.
    """

    name: str
    parameters: Mapping[str, Any]
    spec: tuple[Parameter, ...]

    @classmethod
    def of(cls, strategy: ConfiguredStrategy) -> StrategyView:
        """Return the view of a `strategy`."""
        return cls(strategy.name, dict(strategy.parameters), tuple(strategy.spec))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"
