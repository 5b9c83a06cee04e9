"""The errors that reach a user: each message is one line that says what was given, what was wanted and what to do."""


class HubbubError(ValueError):
    """Whatever is wrong with an input; its message is shown without a traceback."""


class AudioError(HubbubError):
    """A recording cannot be read or written."""


class AnnotationError(HubbubError):
    """A label file cannot be read or written; the message starts with `path:line:` where a line is at fault."""


class DetectorError(HubbubError):
    """A detector file is not one, or does not do what it promises."""


class DatasetError(HubbubError):
    """A folder of clips or recordings, or a split of it, is not usable."""


class ConfigError(HubbubError):
    """A setting, or a combination of settings, is not possible."""
