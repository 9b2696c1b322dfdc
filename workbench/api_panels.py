"""The control panel: `control_panel`, which hands the public functions to the form that calls them."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench import api, api_sessions
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.model import Bars, RiskConfig, utc_text

if TYPE_CHECKING:
    from workbench.panels import ControlPanel
    from workbench.panels.doors import ArmedAccount, Listed

__all__ = ["control_panel"]


def control_panel(
    *strategies: Any,  # noqa: ANN401  strategies of each kind
    bars: Mapping[str, Bars] | None = None,
    risk: RiskConfig | None = None,
) -> "ControlPanel":
    """Return a form that starts sessions, to be shown as the value of a notebook cell.

    It offers the strategies that are built in, those given here, and all that lie in the notebook; each limit of a
    `RiskConfig`, off or on; and each session that there is, to be shown again. What is wrong is said beside its field.
    With real money it calls `live` alone, which asks for everything that it asks for elsewhere.

    Parameters
    ----------
    *strategies : strategy
        Offered first: functions with ``@strategy``, `Strategy` classes, or any of them with its parameters.
    bars : mapping of str to Bars, optional
        Bars to replay, by the name under which they are offered, beside those that are variables of the notebook.
    risk : RiskConfig, optional
        What the risk settings show first. Default: all off.

    Returns
    -------
    ControlPanel
        The form; the panel of what it started appears beneath.

    Raises
    ------
    ConfigError
        Something given is no strategy, or no risk settings.

    Examples
    --------
    >>> import workbench as wb
    >>> panel = wb.control_panel(wb.strategy.sma_cross(fast=5, slow=20))
    >>> panel.strategy.menu.value
    'sma_cross'
    >>> panel.close()
    """
    from workbench.panels import ControlPanel  # noqa: PLC0415  ipywidgets only when a panel is wanted
    from workbench.panels.doors import Doors  # noqa: PLC0415  as above

    if not isinstance(risk, RiskConfig | None):
        raise ConfigError(f"risk must be a RiskConfig such as wb.RiskConfig(stop_loss=0.02), was {risk!r}")
    doors = Doors(
        paper=api.paper,
        live=api_sessions.live,
        attach=api.attach,
        backtest=api.backtest,
        load_bars=api.load_bars,
        listing=_listing,
        free_name=lambda strategy: api.free_name(strategy, is_inline=False),
        armings=_armings,
        sentence=_sentence,
        namespace=_namespace,
    )
    return ControlPanel(doors, strategies, dict(bars or {}), RiskConfig() if risk is None else risk)


def _listing() -> "tuple[Listed, ...]":
    """Return the sessions of this user with their states, as their processes said last."""
    from workbench.live import default_manager  # noqa: PLC0415  as below
    from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415  sockets, which a backtest never needs
    from workbench.panels.doors import Listed  # noqa: PLC0415  as above

    hosted = tuple(Listed(info.name, info.state) for info in SessionRegistry().list())
    return (*hosted, *(Listed(one.name, str(one.state)) for one in default_manager().sessions()))


def _namespace() -> dict[str, object]:
    """Return the notebook's variables; none outside of one."""
    shell = sys.modules.get("IPython")
    found = None if shell is None else shell.get_ipython()
    return {} if found is None else dict(found.user_ns)


def _sentence(exchange: str, key: str, symbols: tuple[str, ...], risk: RiskConfig) -> str:
    """Return what a person types to trade real money so."""
    from workbench.exchange.real_money import RealTerms  # noqa: PLC0415  asyncio, which a backtest never needs

    return RealTerms.of(exchange, key, symbols, risk).sentence


def _armings() -> "dict[str, ArmedAccount]":
    """Return what the armed files say, by account; believed by nobody, only shown."""
    from workbench.exchange.real_money import RealTradingGate, armed_names, told_arming  # noqa: PLC0415  as above
    from workbench.panels.doors import ArmedAccount  # noqa: PLC0415  as above

    try:
        folder = RealTradingGate.of_this_process().folder
    except RealTradingDisabledError as error:
        return {"": ArmedAccount(str(error), is_armed=False)}
    found = {}
    for name in armed_names(folder):
        try:
            arming = told_arming(folder, name)
        except RealTradingDisabledError as error:
            found[name] = ArmedAccount(str(error), is_armed=False)
            continue
        if arming is None:
            continue
        has_expired = time.time_ns() >= arming.expires_ns
        text = f"expired at {utc_text(arming.expires_ns)}: {arming}" if has_expired else str(arming)
        found[name] = ArmedAccount(text, is_armed=not has_expired)
    return found
