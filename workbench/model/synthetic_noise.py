"""Random numbers with an address, and an exponential, that are the same bytes on every machine.

The made-up markets must not depend on the computer that shows them, and any day of them must be reachable without the
days before. Two things follow for this module:

- Numbers come from Philox, a counter-based generator: seed and name make the key, the block makes the counter, so that
  block 9,000 costs as much as block 0. Only its raw 64-bit words are used. NumPy promises those to stay the same for
  ever, which it does not promise for ``standard_normal`` and its relatives (NEP 19).
- Words become numbers by integer arithmetic, ``+ - * /`` and ``sqrt`` alone, which IEEE 754 defines to the last bit.
  ``numpy.exp`` is not among them: its last bit differs between processors with and without wide vector units.

References
----------
Salmon, J., Moraes, M., Dror, R., Shaw, D. (2011). Parallel random numbers: as easy as 1, 2, 3. SC '11.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NoiseStream", "portable_exp", "smooth_noise"]

_LOW_HALVES: Final = np.uint64(0x0000_FFFF_0000_FFFF)
_LOW_WORD: Final = np.uint64(0xFFFF_FFFF)
_SHIFT_16: Final = np.uint64(16)
_SHIFT_32: Final = np.uint64(32)
_SHIFT_11: Final = np.uint64(11)
# Four uniform integers 0..65535: their sum has the mean 2 * 65535 and the variance 4 * (65536**2 - 1) / 12.
_SUM_MEAN: Final = 131_070.0
_SUM_DEVIATION: Final = math.sqrt(4 * (65536**2 - 1) / 12)
# ln(2) in two parts, the first with 21 zero bits at its end, so that a whole number times it is exact (fdlibm,
# e_exp.c).
_LN_2_HIGH: Final = 6.93147180369123816490e-01
_LN_2_LOW: Final = 1.90821492927058770002e-10
_INVERSE_LN_2: Final = 1.4426950408889634
# Taylor coefficients 1/k! for k = 13..0: on |r| <= ln(2)/2 the first one left out is below 5e-18.
_EXP_COEFFICIENTS: Final = tuple(
    1.0 / factorial
    for factorial in (
        6227020800,
        479001600,
        39916800,
        3628800,
        362880,
        40320,
        5040,
        720,
        120,
        24,
        6,
        2,
        1,
        1,
    )
)


class NoiseStream:
    """Draw random numbers that are fixed by a seed, a name and a block number.

    Two streams with the same three are the same; a stream that differs in any of them is independent. Drawing moves the
    stream on, so the order of the calls on one stream is part of what it returns.

    Parameters
    ----------
    seed : int
        Any whole number; the market's seed.
    name : str
        What the numbers are for, such as ``"BTC/USDT ticks"``.
    block : int, default 0
        Which stretch of the endless stream, such as the day; ``0 <= block < 2**63``.

    Examples
    --------
    >>> bool((NoiseStream(1, "a", 5).uniforms(3) == NoiseStream(1, "a", 5).uniforms(3)).all())
    True
    >>> bool((NoiseStream(1, "a", 5).uniforms(3) == NoiseStream(1, "a", 6).uniforms(3)).any())
    False
    """

    __slots__ = ("_generator",)

    def __init__(self, seed: int, name: str, block: int = 0) -> None:
        digest = hashlib.blake2b(f"{seed}\n{name}".encode(), digest_size=16).digest()
        key = np.array([int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")], dtype=np.uint64)
        # The lowest word counts within the block: 2**64 steps of four words each, so that blocks never meet.
        self._generator = np.random.Philox(key=key, counter=np.array([0, block, 0, 0], dtype=np.uint64))

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return the next `count` raw 64-bit words."""
        return self._generator.random_raw(count)

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """Return `count` numbers even in ``(0, 1)``: the ends never come, so that one may divide by them."""
        return ((self.words(count) >> _SHIFT_11).astype(np.float64) + 0.5) * 2.0**-53

    def short_uniforms(self, count: int) -> NDArray[np.float64]:
        """Return `count` numbers even in ``(0, 1)`` in steps of 1/65536, of which a word makes four."""
        words = self.words((count + 3) // 4).astype("<u8", copy=False)
        return (words.view("<u2")[:count].astype(np.float64) + 0.5) * 2.0**-16

    def steps(self, count: int) -> NDArray[np.float64]:
        """Return `count` bell-shaped numbers of mean 0 and deviation 1 within +-3.47.

        Each is the sum of four uniform ones (excess kurtosis -0.3): one word makes one, which suits the many small
        steps of a path. Their own sums are normal to many digits.
        """
        words = self.words(count)
        pairs = (words & _LOW_HALVES) + ((words >> _SHIFT_16) & _LOW_HALVES)
        sums = (pairs & _LOW_WORD) + (pairs >> _SHIFT_32)
        return (sums.astype(np.float64) - _SUM_MEAN) * (1.0 / _SUM_DEVIATION)

    def normals(self, count: int) -> NDArray[np.float64]:
        """Return `count` close to normal numbers, mean 0 and deviation 1, within +-6 (excess kurtosis -0.1)."""
        parts = self.steps(3 * count).reshape(count, 3)
        total: NDArray[np.float64] = parts[:, 0] + parts[:, 1] + parts[:, 2]
        return total * (1.0 / math.sqrt(3.0))


def portable_exp(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``exp`` of each number, the same bits on every machine, within two units in the last place.

    Parameters
    ----------
    exponents : ndarray of float64
        Finite, within +-700. A ``nan`` stays ``nan``.

    Returns
    -------
    ndarray of float64
        Same shape.

    Examples
    --------
    >>> import numpy as np
    >>> float(portable_exp(np.zeros(1))[0])
    1.0
    """
    doublings = np.rint(exponents * _INVERSE_LN_2)
    rest = (exponents - doublings * _LN_2_HIGH) - doublings * _LN_2_LOW
    result = np.full_like(rest, _EXP_COEFFICIENTS[0])
    for coefficient in _EXP_COEFFICIENTS[1:]:
        result *= rest
        result += coefficient
    finite = np.where(np.isfinite(doublings), doublings, 0.0)
    return np.ldexp(result, finite.astype(np.int32))


def smooth_noise(nodes: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return noise that runs continuously from node to node and has the same deviation everywhere.

    Between two nodes the weights are linear, divided by their root sum of squares: plain linear interpolation would
    calm the noise by a third half-way, and a market would be quieter at every half hour.

    Parameters
    ----------
    nodes : ndarray of float64, shape (n_nodes,)
        Independent values at positions 0, 1, 2, ...
    positions : ndarray of float64
        Where to read, in ``[0, n_nodes - 1)``.

    Returns
    -------
    ndarray of float64
        Same shape as `positions`.
    """
    left = np.floor(positions)
    part = positions - left
    index = left.astype(np.int64)
    whole = 1.0 - part
    return (whole * nodes[index] + part * nodes[index + 1]) / np.sqrt(whole * whole + part * part)
