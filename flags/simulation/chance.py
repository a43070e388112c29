"""Draws exact counts and moments; the standard library has them for single values."""

import math
from random import Random

from flags.evidence.moments import Moments

_FEW = 30.0


def poisson(dice: Random, mean: float) -> int:
    """Draw how many come, where so many come on average (Ahrens and Dieter 1974)."""
    count = 0
    while mean > _FEW:
        some = int(mean * 7 / 8)
        until = dice.gammavariate(some, 1.0)
        if until > mean:
            return count + binomial(dice, some - 1, mean / until)
        count, mean = count + some, mean - until
    return count + _few(dice, mean)


def _few(dice: Random, mean: float) -> int:
    """Search from 0; a mean of 30 keeps the first probability far above nothing."""
    left, chance, count = dice.random(), math.exp(-mean), 0
    while left > chance > 0:
        left -= chance
        count += 1
        chance *= mean / count
    return count


def binomial(dice: Random, count: int, share: float) -> int:
    """Draw to how many of these it happens (Devroye 1986, X.4.3, for many)."""
    if share <= 0 or count <= 0:
        return 0
    if share > 0.5:
        return count - binomial(dice, count, 1 - share)
    happened = 0
    while count * share > _FEW:
        middle = (count + 1) // 2
        value = dice.betavariate(middle, count + 1 - middle)
        if value <= share:
            happened += middle
            count, share = count - middle, (share - value) / (1 - value)
        else:
            count, share = middle - 1, share / value
    return happened + _few_of(dice, count, share)


def _few_of(dice: Random, count: int, share: float) -> int:
    if count <= 0 or share <= 0:
        return 0
    if share >= 1:
        return count
    left, chance = dice.random(), (1 - share) ** count
    odds, happened = share / (1 - share), 0
    while left > chance and happened < count:
        left -= chance
        chance *= odds * (count - happened) / (happened + 1)
        happened += 1
    return happened


def moments(dice: Random, count: int, *, mean: float, spread: float) -> Moments:
    """Draw the moments of so many normal values at once, without drawing the values.

    Their mean and their variance are independent: a normal and a χ² (Fisher 1925).
    """
    if count <= 0:
        return Moments()
    middle = dice.gauss(mean, spread / math.sqrt(count))
    around = 0.0
    if count > 1:
        around = spread**2 * 2 * dice.gammavariate((count - 1) / 2, 1.0)
    return Moments(
        count=count, total=count * middle, squares=around + count * middle**2
    )
