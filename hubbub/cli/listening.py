"""The command `listen`: events as they happen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from hubbub.cli.options import Device, Verbose, load, thresholds
from hubbub.console import Reporter
from hubbub.device import AUTO
from hubbub.errors import ConfigError

if TYPE_CHECKING:
    from hubbub.live.listening import Say, Sink
    from hubbub.live.sources import Source

STOPPED = 130
"""The exit code of a program that was stopped by Ctrl-C; a service that is terminated has done its work."""
PIPE = "-"
BETWEEN = "\0"
"""Stands in no argument of a program."""


class ListenCommand(TyperCommand):
    """`--on` takes two values, which typer has no type for: they are handed over as one, `BETWEEN` them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command, with the values of `--on` joined."""
        joined: list[str] = []
        rest = list(reversed(args))
        while rest:
            joined.append(rest.pop())
            if joined[-1] == "--on" and len(rest) > 1 and not rest[-2].startswith("-"):
                joined.append(rest.pop() + BETWEEN + rest.pop())
        return super().parse_args(ctx, joined)


def listen(
    source: Annotated[
        str | None, typer.Argument(metavar="[DEVICE | -]", help="A microphone by number or name; - is standard input.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", "-m", help="The detector, an .onnx file.")] = None,
    threshold: Annotated[
        list[str] | None, typer.Option("--threshold", "-t", help="X for all labels, or LABEL=X; may be given again.")
    ] = None,
    format: Annotated[str | None, typer.Option("--format", "-f", help="json, a line an event, or tsv.")] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on", metavar="LABEL COMMAND", help="Run a command for each event of a label; '*' is every label."
        ),
    ] = None,
    webhook: Annotated[list[str] | None, typer.Option(help="Post each event as JSON to this URL.")] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(envvar="HUBBUB_MQTT", help="mqtt://USER:PASSWORD@HOST:PORT/PREFIX; Home Assistant finds it."),
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for a short recording of each event.")] = None,
    around: Annotated[float, typer.Option(min=0, max=60, help="Seconds to keep before and after an event.")] = 2.0,
    keep_as: Annotated[str, typer.Option(help="wav or flac.")] = "wav",
    live: Annotated[
        bool, typer.Option("--live", help="Standard input is live: tell times of day, and rather drop than lag behind.")
    ] = False,
    rate: Annotated[int | None, typer.Option(min=1, help="Of raw samples on standard input, a second.")] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="Of raw samples, or to take from a microphone.")] = None,
    sample_format: Annotated[str | None, typer.Option(help="Of raw samples: u8, s16le, s24le, s32le, f32le.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after about so much sound.")] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List the microphones and leave.")] = False,
    device: Device = AUTO,
    verbose: Verbose = False,
) -> None:
    """Events as they happen, from a microphone or a pipe: a live timeline on a terminal, JSON lines in a pipe."""
    from hubbub.live import microphone
    from hubbub.live.capture import LONGEST, Capture
    from hubbub.live.listening import Listening
    from hubbub.live.listening import listen as run
    from hubbub.live.terminal import Display

    if devices:
        typer.echo("\n".join(microphone.devices(microphone.sound_system())))
        return
    reporter = Reporter()
    display: Display | None = None

    def say(text: str) -> None:
        (reporter if display is None else display).say(text)

    detector = load(model, device, reporter, verbose)
    if threshold:
        detector = detector.with_thresholds(thresholds(threshold))
    latency = detector.stream().latency
    taken = _source(source, say, rate, channels, sample_format)
    is_live = live or source != PIPE
    longest = max(LONGEST, 2 * latency.block)
    late = latency.seconds + 2 * longest + max(rule.shortest_event + rule.shortest_gap for rule in detector.rules)
    stop = Flag()
    with ExitStack() as stack:
        sinks: list[Sink] = []

        def add(sink: Sink) -> None:
            stack.callback(sink.close)
            sinks.append(sink)

        for sink in _actions(detector.labels, say, not is_live, on, webhook, mqtt):
            add(sink)
        if keep is not None:
            from hubbub.live.excerpts import Excerpts

            add(Excerpts(keep, around, keep_as, late, say, patient=not is_live))
        if format is None and sys.stdout.isatty():
            console = Console(highlight=False)
            display = Display(console, taken.name, detector.labels, detector.rules, detector.frame_period)
            add(stack.enter_context(display))
        else:
            from hubbub.live.output import Lines

            add(Lines(sys.stdout, "json" if format is None else format, taken.name, lambda: _unread(stop)))
        say(f"{taken.name}: listening for {', '.join(detector.labels)}; {latency}")
        if latency.block > 1:
            say(f"note: this network hears {latency.block:.2f} s at once, and tells of them when they are over")
        listening = Listening(detector, sinks, say, is_live)
        asked_by = stack.enter_context(_signals(stop))
        run(Capture(taken, is_live, longest), listening, stop, seconds)
        display = None
    told = f"{listening.seconds:.1f} s, {listening.n_events} events"
    for what, lost in (("dropped", listening.dropped), ("without the device", listening.missed)):
        told += f", {lost:.1f} s {what}" if lost else ""
    reporter.say(told)
    if signal.SIGINT in asked_by:
        raise typer.Exit(STOPPED)


def _source(source: str | None, say: Say, rate: int | None, channels: int | None, sample_format: str | None) -> Source:
    from hubbub.live.microphone import Microphone, sound_system
    from hubbub.live.pcm import raw_layout
    from hubbub.live.sources import Pipe

    if source != PIPE:
        if rate is not None or sample_format is not None:
            raise ConfigError("--rate and --sample-format are of raw samples on standard input; leave them out")
        return Microphone(sound_system(), source, say, channels)
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("standard input is a terminal; wanted audio: ffmpeg -i … -f wav - | hubbub listen -")
    layout = None
    if (rate, channels, sample_format) != (None, None, None):
        if rate is None or channels is None or sample_format is None:
            raise ConfigError("raw samples want all of --rate, --channels and --sample-format; a WAV wants none")
        layout = raw_layout(rate, channels, sample_format)
    # not by sys.stdin's buffer: whoever waits for it holds its lock, and the program could not end
    return Pipe(FileIO(sys.stdin.fileno(), closefd=False), "standard input", layout)


def _actions(
    labels: Sequence[str],
    say: Say,
    patient: bool,
    on: Sequence[str] | None,
    webhooks: Sequence[str] | None,
    mqtt: str | None,
) -> Iterator[Sink]:
    from hubbub.live.actions import Command, Webhook

    for each in on or ():
        label, two, command = each.partition(BETWEEN)
        if not two:
            raise ConfigError(f"--on {label}: wanted a label and a command: --on LABEL 'COMMAND'")
        yield Command(label, command, labels, say, patient)
    for url in webhooks or ():
        yield Webhook(url, say, patient)
    if mqtt is not None:
        from hubbub.live.mqtt import Mqtt

        yield Mqtt(mqtt, labels, say)


@contextmanager
def _signals(stop: Flag) -> Iterator[list[int]]:
    """Ctrl-C and the request to terminate set `stop`; those that came are in the list. A second Ctrl-C interrupts."""
    came: list[int] = []

    def asked(number: int, frame: object) -> None:
        stop.set()
        came.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unread(stop: Flag) -> None:
    """Who read standard output has gone: there is nothing left to do, and nothing to complain about."""
    stop.set()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
