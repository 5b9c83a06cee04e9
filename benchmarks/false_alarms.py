"""What detectors find in clips of which none is of a label that they know.

    python benchmarks/false_alarms.py CLIPS [-m small] [-m tiny.int8] ... [--source NAME]

CLIPS is a folder of clips, CLIPS/<label>/<file>, as `scripts/esc50_sounds.py` makes one of ESC-50. Clips of the
detector's labels are left out, and those whose title in manifest.csv has a word of such a label. Each is played once,
as it is. Prints false alarms per hour, by the detector's label and by what was played.
"""

import argparse
from collections import Counter
from pathlib import Path

import hubbub
from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.clips import MANIFEST, read_clips
from hubbub.datasets.tables import read_rows

SHOWN = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument(
        "-m", "--model", action="append", default=[], help="by name or path; `small` where none is given"
    )
    parser.add_argument("--source", action="append", help="only of this source")
    given = parser.parse_args()
    clips = [clip for clip in read_clips(given.clips) if given.source is None or clip.source in given.source]
    titles: dict[Path, str] = {}
    if (given.clips / MANIFEST).is_file():
        rows = read_rows(given.clips / MANIFEST, ("file",))
        titles = {given.clips / row["file"]: row.get("title") or "" for row in rows}
    for name in given.model or ["small"]:
        detector = hubbub.load(name)
        words = {word for label in detector.labels for word in label.split("_")}
        strangers = [
            clip
            for clip in clips
            if clip.label not in detector.labels
            and not any(word in titles.get(clip.path, "").lower() for word in words)
        ]
        hours = sum(audio.info(clip.path).duration for clip in strangers) / 3600
        by_label: Counter[str] = Counter()
        by_kind: Counter[str] = Counter()
        with Reporter().bar(name) as tick:
            for done, clip in enumerate(strangers, 1):
                found = [event.label for event in detector.detect(clip.path)]
                by_label.update(found)
                by_kind.update(f"{label} in {clip.label}" for label in found)
                tick(done, len(strangers))
        kinds = len({clip.label for clip in strangers})
        print(f"{name}: {len(strangers)} clips of {kinds} kinds, {60 * hours:.0f} minutes")
        print(f"  false alarms per hour: {by_label.total() / hours:.1f} in all")
        for label in detector.labels:
            print(f"  {label:20s} {by_label[label] / hours:6.1f}")
        print("  most often: " + ", ".join(f"{what} ({count})" for what, count in by_kind.most_common(SHOWN)))


if __name__ == "__main__":
    main()
