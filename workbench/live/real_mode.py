"""What sets a session with real money apart from one on paper, in its name and in its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.exchange.real_money import RealConsent
    from workbench.model import RiskConfig

__all__ = ["REAL_NAME_PREFIX", "SessionMode", "check_limits", "check_mode", "real_consent"]

SessionMode = Literal["paper", "real"]

REAL_NAME_PREFIX: Final = "real-"
"""What the name, and so the folder, of every session with real money begins with, and no other does."""


def real_consent(source: object) -> RealConsent | None:
    """Return the consent to real money that a market `source` carries; None for one on paper."""
    # Asked by name, so that a replay does not load the exchanges.
    consent: RealConsent | None = getattr(source, "consent", None)
    return consent


def check_mode(consent: RealConsent | None, name: str, execution: str) -> None:
    """Check that a session is wholly real or wholly on paper.

    Parameters
    ----------
    consent : RealConsent or None
        To real money.
    name : str
        Of the session.
    execution : str
        Who fills.

    Raises
    ------
    ConfigError
        Its name says the other thing, or its orders would not go to the exchange.
    """
    has_prefix = name.startswith(REAL_NAME_PREFIX)
    if consent is None and has_prefix:
        raise ConfigError(f"name must not begin with {REAL_NAME_PREFIX!r}, was {name!r}: it is for wb.live")
    if consent is not None and not has_prefix:
        raise ConfigError(f"name must begin with {REAL_NAME_PREFIX!r} with real money, was {name!r}")
    if consent is not None and execution != "exchange":
        raise ConfigError(f"execution must be 'exchange' with real money, was {execution!r}")


def check_limits(consent: RealConsent, symbols: tuple[str, ...], risk: RiskConfig, *, has_strategy_stop: bool) -> None:
    """Check that a session does what was consented to, and that its positions are protected.

    Parameters
    ----------
    consent : RealConsent
        To real money.
    symbols : tuple of str
        What the session trades.
    risk : RiskConfig
        Its limits.
    has_strategy_stop : bool
        Whether the strategy itself sets a stop with every entry.

    Raises
    ------
    ConfigError
        The limits are others than those that were consented to, or positions have no stop.
    """
    from workbench.exchange.real_money import RealTerms, require_protections  # noqa: PLC0415  as above

    wanted = RealTerms.of(consent.terms.exchange, consent.terms.account, symbols, risk)
    if wanted != consent.terms:
        raise ConfigError(f"symbols and risk must be those of the terms, {consent.terms}, were {wanted}")
    require_protections(risk, has_strategy_stop=has_strategy_stop)
