"""Random numbers that depend on names alone.

A number belongs to a key such as ("1", "HOMICIDE", "Camden") and a position, never to the order in which numbers were
drawn, so one cell can be made without the others and does not move when a month, a borough or a category is added.
Arithmetic is limited to what IEEE 754 fixes to the last bit (+ − × ÷ √): the same bytes on every machine.
"""

import hashlib
import struct
from math import sqrt

_BINOMIAL_TRIALS = 1024
_NORMAL_FROM = 12.0
# The sum of four 16-bit uniforms: mean 2 × (2^16 − 1), standard deviation (2^16) × √(4/12).
_SUM_MEAN = 2 * 65535
_SUM_DEVIATION = 65536 * sqrt(1 / 3)


def words(key: tuple[str, ...], count: int) -> tuple[int, ...]:
    """The first `count` random 64-bit words of `key`; a larger count continues the same sequence."""
    # A length in front of each part keeps ("ab", "c") and ("a", "bc") apart.
    name = "".join(f"{len(part)}:{part}" for part in key).encode()
    return struct.unpack(f"<{count}Q", hashlib.shake_128(name).digest(8 * count))


def fraction(word: int) -> float:
    """A word as a number in [0, 1)."""
    return (word >> 11) * 2.0**-53


def count_around(mean: float, word: int) -> int:
    """A count whose expectation is `mean` (offences a month) and whose spread is about Poisson's."""
    if mean <= 0.0:
        return 0
    if mean >= _NORMAL_FROM:
        total = (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return int(mean + (total - _SUM_MEAN) / _SUM_DEVIATION * sqrt(mean) + 0.5)
    # Binomial with many trials, not Poisson: its first term needs no exponential, whose last bit varies by machine.
    chance = mean / _BINOMIAL_TRIALS
    term = 1.0 - chance
    for _ in range(10):  # 2^10 trials
        term *= term
    odds = chance / (1.0 - chance)
    target = fraction(word)
    reached = term
    successes = 0
    while reached <= target and successes < _BINOMIAL_TRIALS:
        term *= odds * (_BINOMIAL_TRIALS - successes) / (successes + 1)
        if term < 1e-18:
            break
        reached += term
        successes += 1
    return successes
