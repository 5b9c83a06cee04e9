"""What several commands understand of their options."""

from hubbub.errors import ConfigError


def thresholds(given: list[str]) -> float | dict[str, float]:
    """One threshold for all labels, or those of some, from X or LABEL=X. Raises `ConfigError` for anything else."""
    by_label: dict[str, float] = {}
    everywhere: float | None = None
    for text in given:
        label, equals, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError as error:
            raise ConfigError(f"--threshold {text}: {value!r} is no number; wanted X or LABEL=X") from error
        if equals:
            by_label[label] = number
        else:
            everywhere = number
    if everywhere is not None and by_label:
        raise ConfigError("--threshold X and --threshold LABEL=X exclude each other; give one kind")
    return everywhere if everywhere is not None else by_label
