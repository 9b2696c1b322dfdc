"""`sweep`: one strategy with many combinations of parameters, in threads over the compiled core."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ConfigError
from workbench.research.backtest import NO_LIMITS, USUAL_COSTS, engine_config, require_enough, run
from workbench.research.grid import Condition, Grid
from workbench.research.measures import SWEEP_MEASURES
from workbench.research.sweep_result import SweepResult, checked_metric
from workbench.strategy import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.model import Bars, Costs, RiskConfig
