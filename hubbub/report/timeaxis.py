"""The marks on a time axis: how far apart they stand, and how a time is written."""

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Seconds between two marks: what a person counts in."""


def tick_step(span: float, at_most: float) -> float:
    """Seconds between the marks of an axis of `span` seconds that has room for `at_most` marks."""
    for step in STEPS:
        if span / step <= at_most:
            return float(step)
    return float(STEPS[-1]) * max(1, round(span / STEPS[-1] / max(at_most, 1)))


def ticks(start: float, end: float, at_most: float) -> list[float]:
    """Seconds: the marks in [start, end], at whole multiples of a step, about `at_most` of them."""
    step = tick_step(end - start, at_most)
    first = int(-(-(start - 1e-9) // step))
    last = int((end + 1e-9) // step)
    return [index * step for index in range(first, last + 1)]


def clock(seconds: float, decimals: int = 0) -> str:
    """`m:ss`, or `h:mm:ss` from one hour on, with `decimals` digits of the second: clock(83.5, 1) is '1:23.5'."""
    scaled = round(seconds * 10**decimals)
    whole, fraction = divmod(scaled, 10**decimals)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{text}.{fraction:0{decimals}d}" if decimals else text


def tick_texts(marks: list[float]) -> list[str]:
    """How the marks are written: with a decimal only where they are not whole seconds."""
    decimals = 0 if all(abs(mark - round(mark)) < 1e-9 for mark in marks) else 1
    return [clock(mark, decimals) for mark in marks]
