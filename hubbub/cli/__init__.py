"""The commands, each a few lines over the rooms. Events go to standard output, everything else to standard error."""

import gc
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from hubbub.cli.conversion import convert
from hubbub.cli.evaluation import evaluate, show_scores
from hubbub.cli.inspection import inspect
from hubbub.cli.listening import ListenCommand, listen
from hubbub.cli.options import Device, Verbose, load, thresholds
from hubbub.cli.probing import probe as probe_command
from hubbub.cli.probing import show_probe
from hubbub.cli.reproduction import reproduce
from hubbub.cli.tuning import Calibrate, FalseAlarms, Precision, checked, tune
from hubbub.console import Reporter
from hubbub.device import AUTO
from hubbub.errors import AnnotationError, ConfigError, HubbubError
from hubbub.files import check_writable

EXTRAS = {
    "matplotlib": "report",
    "jinja2": "report",
    "markupsafe": "report",
    "sounddevice": "listen",
    "paho-mqtt": "listen",
}
"""What is installed with which extra; the rest with `train`."""
STOPPED = 130
"""The exit code of a program that was stopped by Ctrl-C."""

app = typer.Typer(
    help="Finds out what is sounding, and when.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Model = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="An .onnx file, or one that ships: small (the default), small.int8, tiny …"),
]
Threshold = Annotated[
    list[str] | None, typer.Option("--threshold", "-t", help="X for all labels, or LABEL=X; may be given again.")
]
Format = Annotated[str | None, typer.Option("--format", "-f", help="tsv, csv, json, raven, textgrid, audacity …")]
Output = Annotated[str | None, typer.Option("--output", "-o", help="Write here, a file or a FOLDER/ of results.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many things to do at once.")]
Seed = Annotated[int, typer.Option(min=0, help="For everything random.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None: ...


@app.command()
def detect(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    model: Model = None,
    threshold: Threshold = None,
    format: Format = None,
    output: Output = None,
    scores: Annotated[Path | None, typer.Option(help="Folder for the probabilities, a table a recording.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write an HTML page of what was found.")] = None,
    device: Device = AUTO,
    verbose: Verbose = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="At once: 1; into a FOLDER all cores.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Into a FOLDER: joblib, or the cluster of dask or ray.")] = "joblib",
    address: Annotated[str | None, typer.Option(help="Of the cluster, tcp://HOST:PORT or what ray takes.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Into a FOLDER: try again what failed before.")] = False,
) -> None:
    """Events in files and folders: a timeline on a terminal, TSV in a pipe; into a FOLDER, resumed after a kill."""
    from hubbub.cli.many import detect_into_folder, is_folder

    if is_folder(output, "--scores" if scores else "--page" if page else None, engine, address, retry):
        chosen_thresholds = thresholds(threshold) if threshold else None
        detect_into_folder(
            paths, Path(str(output)), model, chosen_thresholds, device, verbose, format, jobs, engine, address, retry
        )
        return
    from hubbub import batch
    from hubbub.detection import ONE_RECORDING, Sink

    reporter, jobs = Reporter(), 1 if jobs is None else jobs
    shown = None
    if page is not None:
        from hubbub.report.detection_page import Chosen, write_detection_page  # told before the work where it cannot be

        check_writable(page, ConfigError)
        shown = Chosen()
    detector = load(model, device, reporter, verbose, jobs)
    if threshold:
        detector = detector.with_thresholds(thresholds(threshold))
    chosen, errors = batch.recordings(paths)
    for error in errors:
        reporter.error(error)
    target = None if output is None else Path(output)
    sink = Sink(format, target, scores, pretty=format is None and target is None and sys.stdout.isatty())
    if sink.format in ONE_RECORDING and len(chosen) > 1:
        raise ConfigError(f"--format {sink.format} holds one recording a file, and there are {len(chosen)}; take tsv")
    started, seconds, total = time.perf_counter(), 0.0, batch.total_seconds(chosen)
    with sink, reporter.bar("detecting") as tick:

        def count(block: float) -> None:
            nonlocal seconds
            seconds += block
            tick(round(seconds), round(max(total, seconds)), "s of audio")

        for found in batch.detect(
            detector, chosen, jobs, count, keep_probabilities=scores is not None or page is not None
        ):
            said = found.error
            if said is None:
                try:
                    sink.add(found)
                    if shown is not None:
                        shown.add(found)
                except AnnotationError as error:
                    said = str(error)
            if said is not None:
                errors.append(said)
                reporter.error(said)
    took = time.perf_counter() - started
    if seconds:
        reporter.say(f"{seconds:.1f} s of audio in {took:.1f} s, {seconds / took:.0f} times faster than real time")
    if page is not None and shown is not None:
        write_detection_page(page, detector, shown)
        reporter.say(f"page: {page}")
    if errors:
        raise typer.Exit(1)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(help="A folder of clips by label, or of annotated recordings.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The detector to write, an .onnx file.")],
    network: Annotated[str, typer.Option(help="tiny, small, base, or one of the report's.")] = "small",
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training side at most.")] = None,
    minutes: Annotated[float, typer.Option(min=1, help="Soundscapes to mix for training, from clips.")] = 120,
    test_minutes: Annotated[float, typer.Option(min=1, help="Soundscapes to mix for testing, from clips.")] = 60,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, rocm, mps, xpu.")] = "auto",
    jobs: Jobs = os.cpu_count() or 1,
    page: Annotated[bool, typer.Option(help="Write a page with curves, scores and timelines.")] = True,
    probe: Annotated[bool, typer.Option(help="Play noises and other sounds to it, and warn where it fires.")] = True,
    false_alarms_per_hour: FalseAlarms = None,
    precision: Precision = None,
    calibrate: Calibrate = "none",
    int8: Annotated[bool, typer.Option("--int8", help="Also write it in int8, smaller, as NAME.int8.onnx.")] = False,
) -> None:
    """A detector from a folder of clips or of annotated recordings."""
    from hubbub.training.config import TrainConfig
    from hubbub.training.run import train as run
    from hubbub.tuning import Aim, Decision

    config = TrainConfig.of(
        network,
        epochs=epochs,
        train_minutes=minutes,
        validation_minutes=minutes / 4,
        test_minutes=test_minutes,
        seed=seed,
        device=device,
    )
    decision = Decision(Aim(false_alarms_per_hour, precision), checked(calibrate))
    reporter = Reporter()
    drawn = page and _can_draw(reporter)
    trained = run(data, output, config, reporter, jobs, decision, probe, int8)
    _show_trained(trained, reporter, output.with_suffix(".html") if drawn else None)


@app.command()
def mix(
    context: typer.Context,
    clips: Annotated[Path, typer.Argument(help="CLIPS/<label>/<file>; or the word built-in.")],
    out: Annotated[Path, typer.Argument(help="A new folder: audio/, scenes/ and events.tsv.")],
    scenes: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long each.")] = 60.0,
    labels: Annotated[tuple[int, int], typer.Option(min=1, help="Fewest and most labels of a scene.")] = (4, 9),
    snr: Annotated[tuple[float, float] | None, typer.Option(help="Range of SNR over the background, dB.")] = None,
    rate: Annotated[int, typer.Option(help="Samples per second.")] = 44100,
    recipe: Annotated[str | None, typer.Option(help="tut2016 or urbansound8k: a stand-in for that data set.")] = None,
    apart: Annotated[str, typer.Option(help="tut2016: no two sides share sources, or recordings.")] = "sources",
    seed: Seed = 0,
    jobs: Jobs = os.cpu_count() or 1,
) -> None:
    """Soundscapes with exact labels from isolated clips."""
    if recipe is not None:
        from hubbub.cli.recipe import mix_by_recipe

        mix_by_recipe(recipe, clips, out, seed, jobs, apart, context)
        return
    from hubbub.datasets.clips import read_clips
    from hubbub.mixing import MixConfig, by_label
    from hubbub.mixing.builtin.write import write_clips
    from hubbub.mixing.write import mix as run

    reporter = Reporter()
    if str(clips) == "built-in":
        clips = out / "clips"
        with reporter.bar("making built-in clips") as tick:
            write_clips(clips, 25, seed, progress=tick, jobs=jobs)
    labelled, backgrounds = by_label(read_clips(clips))
    config = MixConfig(duration=(seconds, seconds), n_labels=labels, snr_db=snr, sample_rate=rate)
    with reporter.bar("mixing") as tick:
        table = run(
            labelled,
            out,
            config,
            scenes,
            seed,
            backgrounds=backgrounds if snr else (),
            root=clips,
            jobs=jobs,
            progress=tick,
        )
    n_events = sum(len(events) for events in table.values())
    reporter.say(f"{out}: {scenes} scenes, {scenes * seconds / 60:.1f} minutes, {n_events} events")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--output", "-o", help="A folder for all that it makes.")] = Path("demo"),
    seed: Seed = 0,
    jobs: Jobs = os.cpu_count() or 1,
) -> None:
    """Everything once, on built-in sounds: mix, train, evaluate, detect, report."""
    from hubbub.mixing.builtin.write import write_clips
    from hubbub.training.config import TrainConfig
    from hubbub.training.data import Augment
    from hubbub.training.run import train as run

    reporter = Reporter()
    drawn = _can_draw(reporter)
    clips = out / "clips"
    if not (clips / "manifest.csv").is_file():  # written last
        with reporter.bar("making clips of 16 sounds") as tick:
            write_clips(clips, 60, seed, progress=tick, jobs=jobs)
    config = TrainConfig(
        seed=seed, epochs=14, train_minutes=50, validation_minutes=12, test_minutes=15, scene_seconds=30, device="cpu",
        dropout=0.1, augment=Augment(gain_db=6, colour_db=4, shifted_bands=0, masked_bands=8),  # there are clips enough
    )  # fmt: skip
    trained = run(clips, out / "detector.onnx", config, reporter, jobs)
    _show_trained(trained, reporter, out / "report.html" if drawn else None)
    unheard = trained.test[0].path
    reporter.say(f"next: hubbub detect {unheard} --model {trained.detector.path}")


app.command()(evaluate)
app.command()(convert)
app.command()(inspect)
app.command(cls=ListenCommand)(listen)
app.command("probe")(probe_command)
app.command()(reproduce)
app.command()(tune)


def main() -> None:
    """The program: every error is one line, exit 1 when an input failed, 2 when the call was wrong."""
    gc.freeze()  # what was imported stays: looking through it for garbage would take a tenth of the time to start
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except HubbubError as error:
        if debug:
            raise
        Reporter().error(str(error))
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except ValidationError as error:
        if debug:
            raise
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        Reporter().error(f"{where or error.title}: {first['msg'].removeprefix('Value error, ')}")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == STOPPED:  # by Ctrl-C, which typer makes an exit
            Reporter().error("stopped; what was finished is kept")
        raise
    except ModuleNotFoundError as error:
        if debug:
            raise
        name = {"paho": "paho-mqtt"}.get(str(error.name).split(".")[0], error.name)
        extra = EXTRAS.get(str(name), "train")
        Reporter().error(f'{name} is not installed; run: pip install "hubbub[{extra}]"')
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        what = " ".join(str(error).split())
        Reporter().error(f"unexpected {type(error).__name__}: {what}; run again with --debug and report it")
        sys.exit(1)


def _can_draw(reporter: Reporter) -> bool:
    """Whether a page can be made; where it cannot, that is told before the work and not after it."""
    try:
        import_module("hubbub.report.detector_page")
    except (HubbubError, ModuleNotFoundError) as error:
        reporter.say(f"note: no page: {error}")
        return False
    return True


def _show_trained(trained: Any, reporter: Reporter, page: Path | None) -> None:
    from hubbub.report.terminal import timeline

    show_scores(trained.scores, reporter.console)
    first = trained.test[0]
    reporter.say(f"{first.name}, not trained on; first the reference, then what was found:")
    reporter.console.print(timeline("reference", first.events, first.duration))
    reporter.console.print(timeline("found", trained.estimated[first.name], first.duration))
    if trained.probe is not None:
        show_probe(trained.probe, reporter, reporter.console)
    reporter.say(f"detector: {trained.detector.path}")
    if page is not None:
        from hubbub.report.detector_page import write_detector_page

        write_detector_page(
            page, trained.detector, trained.scores, trained.test, trained.estimated, trained.log, trained.notes,
            trained.probe,
        )  # fmt: skip
        reporter.say(f"page: {page}")
