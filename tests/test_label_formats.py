"""Every label format: what its own program or data set writes is read, and what is written is read again."""

import math
import random
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from hubbub import annotations
from hubbub.annotations import FORMATS
from hubbub.errors import AnnotationError
from hubbub.events import Event

LABELS = Path(__file__).parent / "labels"
"""Small files in the shapes in which programs and data sets write them."""


def said(path: Path, **options) -> str:
    """What the reader says of a bad file: one line that starts with the path, which is left out here."""
    with pytest.raises(AnnotationError) as error:
        annotations.read(path, **options)
    text = str(error.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path))


def file_of(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# What others write


DOG, FOX = Event(0.5, 1.5, "dog barking"), Event(1.0, 4.25, "Füchsin")
OWL = "Barred Owl"
READ = {
    "dcase.tsv": ("dcase", {"Yabc_30.wav": [DOG, FOX], "silent.wav": []}),
    "hubbub.csv": ("csv", {"a.wav": [Event(0.5, 1.5, "dog barking", 0.75)]}),
    "hubbub.json": ("json", {"a.wav": [Event(0.5, 1.5, "dog barking", 0.75)]}),
    "audioset_eval_strong.tsv": (
        "audioset",
        {"s9d-2nhuJCQ_30000": [Event(2.627, 7.237, "/m/053hz1")], "a_b-c_d_0": [Event(0.0, 10.0, "/m/09x0r")]},
    ),
    "audioset_framed_posneg.tsv": ("audioset", {"abc_30000": [Event(0.96, 1.92, "/m/09x0r")], "def_0": []}),
    "tut2016.ann": ("text", {"tut2016": [DOG, FOX]}),
    "tut2017.txt": ("text", {"street/b007.wav": [DOG, FOX], "street/b008.wav": [Event(0.0, 2.0, "car")]}),
    "tut_rare.txt": ("text", {"mixture_0.wav": [], "mixture_1.wav": [DOG], "mixture_2.wav": []}),
    "sed_eval_two_columns.txt": ("text", {"sed_eval_two_columns": [Event(0.5, 1.5, "event"), Event(2, 3, "event")]}),
    "pyaudioanalysis.segments": ("text", {"pyaudioanalysis": [Event(0, 0.13, "silence"), Event(0.13, 0.51, "speech")]}),
    "maestro.txt": (
        "audacity",
        {"maestro": [Event(0, 1, "birds singing", 0.25), Event(0, 1, "footsteps", 1), Event(1, 2, "footsteps", 0)]},
    ),
    "audacity.labels.txt": (
        "audacity",
        {"audacity": [Event(0.101385, 0.36752, "SP"), Event(0.506924, 3.041545, "CR")]},
    ),
    "audacity_unlabelled.txt": ("text", {"audacity_unlabelled": [Event(0.5, 1.5, "event"), Event(2, 2, "event")]}),
    "raven.Table.1.selections.txt": ("raven", {"raven": [DOG, FOX]}),
    "raven_sequence.txt": ("raven", {"one.wav": [Event(2, 3.5, "song")], "two.wav": [Event(1, 1.25, "call")]}),
    "a.BirdNET.selection.table.txt": (
        "raven",
        {"a.wav": [Event(0, 3, OWL, 0.8123), Event(3, 6, "Tawny Owl", 0.5)]},
    ),
    "BirdNET_SelectionTable.txt": (
        "raven",
        {"site1/a.wav": [Event(0, 3, OWL, 0.8123)], "site2/a.wav": [Event(6, 9, OWL, 0.9)], "site2/b.wav": []},
    ),
    "a.BirdNET.results.csv": ("birdnet", {"a.wav": [Event(0, 3, OWL, 0.8123), Event(3, 6, "Strix aluco", 0.5)]}),
    "old.BirdNET.results.csv": ("birdnet", {"old": [Event(0, 3, OWL, 0.8123)]}),
    "kaleidoscope.csv": (
        "kaleidoscope",
        {"night1/S4A0_1.wav": [Event(0.3, 1.05, "EPTFUS"), Event(2.5, 3, "Song")], "S4A0_2.wav": [Event(1, 2, "Song")]},
    ),
    "BirdNET_Kaleidoscope.csv": ("kaleidoscope", {"site1/a.wav": [Event(3, 6, OWL, 0.8123)]}),
    "meeting.rttm": (
        "rttm",
        {
            "dev00": [Event(1.44, 13.312, "MEE009"), Event(13.152, 16.922, "ÉE012", 0.5)],
            "dev01": [Event(0, 1, "MEE009")],
        },
    ),
    "long.TextGrid": (
        "textgrid",
        {"long": [DOG, Event(1.5, 2.25, 'say "xmin = 3" twice'), Event(3.125, 3.125, "click")]},
    ),
    "short.TextGrid": ("textgrid", {"short": [DOG, FOX]}),
    "elan.eaf": ("elan", {"forest.wav": [DOG, Event(1.25, 2.0, "fox & owl")]}),
    "regions.svl": ("sonicvisualiser", {"regions": [Event(0.5, 1.5, "dog barking"), Event(2.0, 2.0, "click")]}),
    "pykanto.xml": ("sonicvisualiser", {"pykanto": [Event(0.027210884, 0.27755102, "event")]}),
    "scaper.jams": (
        "jams",
        {"soundscape_0.wav": [Event(0.5, 1.5, "dog_bark", 1.0), Event(4.3125, 6.0625, "siren", 1.0)]},
    ),
    "tags.jams": ("jams", {"street.wav": [Event(0.5, 1.5, "dog barking", 0.75)]}),
}


@pytest.mark.parametrize("name", list(READ))
def test_what_others_write_is_read(name: str) -> None:
    """Its format is told from the file itself, never taken for another."""
    form, wanted = READ[name]
    assert annotations.detect_format(LABELS / name) == form
    read = annotations.read(LABELS / name)
    assert list(read) == list(wanted)
    assert read == wanted


def test_every_format_and_every_file_is_tested() -> None:
    assert {form for form, _ in READ.values()} == set(FORMATS)
    assert {path.name for path in LABELS.iterdir()} == {*READ, "mid_to_display_name.tsv"}


@pytest.mark.parametrize("name", list(READ))
def test_no_format_takes_the_file_of_another(name: str) -> None:
    """By content alone: the first lines fit one format, or two that read the same, so that no order decides."""
    form, _ = READ[name]
    lines = annotations.read_lines(LABELS / name)
    fits = {other for other, each in FORMATS.items() if each.fits(lines)}
    same = {"audacity", "text"} if form in ("audacity", "text") else {form, "json"} if form == "jams" else {form}
    assert form in fits
    assert fits <= same


@pytest.mark.parametrize("name", list(READ))
@pytest.mark.parametrize("way", ["mark", "crlf", "cr", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_and_line_ends_change_nothing(tmp_path: Path, name: str, way: str) -> None:
    text = "\n".join(annotations.read_lines(LABELS / name)) + "\n"
    ends = {"crlf": "\r\n", "cr": "\r"}.get(way, "\n")
    encoding = way if way.startswith("utf") else "utf-8"
    mark = "" if way in ("crlf", "cr") else "\ufeff"
    path = file_of(tmp_path, name, (mark + text.replace("\n", ends)).encode(encoding))
    assert annotations.detect_format(path) == READ[name][0]
    assert annotations.read(path) == READ[name][1]


# There and back


def random_events(seed: int, blanks: bool = True) -> list[Event]:
    chance = random.Random(seed)
    labels = ["dog", "large vehicle", "Türklingel 🔔", 'say "hi", <b> & go', "'s", "3"]
    if not blanks:
        labels = [label.replace(" ", "_") for label in labels]
    events = []
    for _ in range(chance.randrange(30)):
        onset = chance.choice([0.0, chance.random() * 10, chance.random() * 36000])
        offset = onset + chance.choice([0.0, chance.random(), chance.random() * 100])
        events.append(Event(onset, offset, chance.choice(labels), chance.random()))
    return sorted(events)


STEP = {"elan": 1e-3, "sonicvisualiser": 1 / 44100}
"""Seconds that a format counts in, where it is not a microsecond."""


def assert_the_same(read: list[Event], wanted: list[Event], form: str) -> None:
    """The same events in any order, to the precision of the format, scores where it has a place for them."""
    step = STEP.get(form, 1e-6)

    def key(each: Event) -> tuple[str, int, int, int | None]:
        score = None if each.score is None or not FORMATS[form].scores else round(each.score * 1e6)
        return each.label, round(each.onset / step), round(each.offset / step), -1 if score is None else score

    assert sorted(map(key, read)) == sorted(map(key, wanted))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("form", list(FORMATS))
def test_what_is_written_is_read_again(tmp_path: Path, form: str, seed: int) -> None:
    path = tmp_path / f"street{FORMATS[form].suffixes[0]}"
    events = random_events(seed, blanks=form != "rttm")
    name = "some-street.wav" if form == "rttm" else "night 1/Straße.wav"
    annotations.write(path, {name: events}, form)
    read = annotations.read(path, format=form)
    if events or FORMATS[form].silent:
        expected = name if FORMATS[form].names and (events or form != "raven") else "street"
        assert list(read) == [expected]
    assert_the_same([each for found in read.values() for each in found], events, form)
    if events:
        assert annotations.detect_format(path) == {"audacity": "text"}.get(form, form)
    again = tmp_path / f"again{FORMATS[form].suffixes[0]}"
    annotations.write(again, read or {name: []}, form)
    if list(read) == [name]:
        assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("form", [name for name, each in FORMATS.items() if each.several])
def test_several_recordings_in_a_file(tmp_path: Path, form: str) -> None:
    table = {f"rec/{seed}.wav": random_events(seed, blanks=False) for seed in range(5)} | {"silent.wav": []}
    path = tmp_path / "all"
    annotations.write(path, table, form)
    read = annotations.read(path, format=form)
    assert set(read) == {name for name, events in table.items() if events or FORMATS[form].silent}
    for name, events in read.items():
        assert_the_same(events, table[name], form)


@pytest.mark.parametrize("form", [name for name, each in FORMATS.items() if not each.several])
def test_a_format_of_one_recording_refuses_two(tmp_path: Path, form: str) -> None:
    with pytest.raises(AnnotationError, match=f"{form} holds one recording a file and the table has 2"):
        annotations.write(tmp_path / "a", {"a": [DOG], "b": []}, form)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_a_format_cannot_hold_are_told(tmp_path: Path) -> None:
    for form, label in [
        ("rttm", "large vehicle"),
        ("elan", "a\x01"),
        ("textgrid", "a\nb"),
        ("sonicvisualiser", "\x00"),
    ]:
        with pytest.raises(AnnotationError, match=r"cannot be written: the label .* rename it"):
            annotations.write(tmp_path / "a", {"a": [Event(0, 1, label)]}, form)


@pytest.mark.parametrize("seed", range(12))
def test_praatio_reads_our_textgrids_and_we_read_its(tmp_path: Path, seed: int) -> None:
    textgrid = pytest.importorskip("praatio.textgrid")
    # praatio 6.2.2 leaves the quotes in a point's mark doubled, so there are none in this test
    events = [replace(each, score=None, label=each.label.replace('"', "")) for each in random_events(seed)]
    annotations.write(tmp_path / "a.TextGrid", {"a": events}, "textgrid")
    grid = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), False, duplicateNamesMode="rename")
    found = [
        Event(*entry) if len(entry) == 3 else Event(entry[0], *entry) for tier in grid.tiers for entry in tier.entries
    ]
    assert_the_same(found, events, "textgrid")
    for form in ("long_textgrid", "short_textgrid"):
        grid.save(str(tmp_path / f"{form}.TextGrid"), format=form, includeBlankSpaces=True)
        assert_the_same(annotations.read(tmp_path / f"{form}.TextGrid")[form], events, "textgrid")


def test_intervals_of_a_tier_lie_side_by_side(tmp_path: Path) -> None:
    """As Praat wants it: from 0 to the end without gap or overlap."""
    textgrid = pytest.importorskip("praatio.textgrid")
    for seed in range(12):
        events = random_events(seed)
        annotations.write(tmp_path / "a.TextGrid", {"a": events}, "textgrid")
        grid = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), True, duplicateNamesMode="rename")
        for tier in grid.tiers:
            if isinstance(tier, textgrid.IntervalTier):
                edges = [edge for entry in tier.entries for edge in entry[:2]]
                assert edges[0] == 0 and edges[-1] == grid.maxTimestamp
                assert edges[1:-1:2] == edges[2::2]


def test_an_elan_document_is_whole(tmp_path: Path) -> None:
    """Slots and annotations are numbered once, tiers have names of their own, no two annotations of a tier overlap."""
    for seed in range(12):
        annotations.write(tmp_path / "a.eaf", {"a.wav": random_events(seed)}, "elan")
        root = ElementTree.parse(tmp_path / "a.eaf").getroot()
        for tag, key in (("TIME_SLOT", "TIME_SLOT_ID"), ("ALIGNABLE_ANNOTATION", "ANNOTATION_ID"), ("TIER", "TIER_ID")):
            found = [each.get(key) for each in root.iter(tag)]
            assert len(set(found)) == len(found)
        times = {each.get("TIME_SLOT_ID"): int(each.get("TIME_VALUE")) for each in root.iter("TIME_SLOT")}
        for tier in root.iter("TIER"):
            ends = [
                (times[a.get("TIME_SLOT_REF1")], times[a.get("TIME_SLOT_REF2")])
                for a in tier.iter("ALIGNABLE_ANNOTATION")
            ]
            assert all(first[1] <= second[0] for first, second in pairwise(ends))


# What is wrong with a file


EAF = '<ANNOTATION_DOCUMENT>\n<HEADER TIME_UNITS="{}"/>\n<TIME_ORDER>\n<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>\n'
EAF += '<TIME_SLOT TIME_SLOT_ID="ts2"{}/>\n</TIME_ORDER><TIER>\n<ALIGNABLE_ANNOTATION TIME_SLOT_REF1="ts1"\n{}>'
EAF += "<ANNOTATION_VALUE>dog</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
SVL = '<sv><data>\n<model sampleRate="{}" subtype="box" dataset="{}"/>\n<dataset id="0">\n<point {}/>'
SVL += "</dataset></data></sv>"
GRID = '"ooTextFile"\n"TextGrid"\n0 10\n<exists>\n1\n"{}" "birds"\n0 10\n{}\n{} 1.5\n"dog{}'
RAVEN = "Selection\tView\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
LAUGHS = '<!DOCTYPE sv [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n<sv>&b;</sv>'


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("a.eaf", EAF.format("PAL-frames", "", ""), ":2: times are in PAL-frames; wanted milliseconds"),
        (
            "a.eaf",
            EAF.format("milliseconds", "", 'TIME_SLOT_REF2="ts2"'),
            ":5: time slot ts2 has no time; align it in E",
        ),
        (
            "a.eaf",
            EAF.format("milliseconds", "", 'TIME_SLOT_REF2="ts3"'),
            ":7: there is no time slot ts3; wanted it in",
        ),
        ("a.eaf", EAF.format("milliseconds", "", ""), ":7: <ALIGNABLE_ANNOTATION> has no TIME_SLOT_REF2; wanted it"),
        ("a.eaf", EAF.format("milliseconds", ' TIME_VALUE="x"', 'TIME_SLOT_REF2="ts2"'), ":5: TIME_VALUE is 'x'; want"),
        (
            "a.eaf",
            EAF.format("milliseconds", ' TIME_VALUE="-5"', 'TIME_SLOT_REF2="ts2"'),
            ":7: onset 0 s lies after of",
        ),
        (
            "a.eaf",
            "<ANNOTATION_DOCUMENT>\n<TIER>\n",
            ":2: is no XML: no element found; wanted the file as it was saved",
        ),
        ("a.svl", LAUGHS, ":1: has a DTD; wanted XML without definitions"),
        ("a.svl", '<!DOCTYPE sv SYSTEM "file:///etc/passwd">\n<sv/>', ":1: has a DTD; wanted XML without definitions"),
        ("a.svl", "<sv>\n<data/></sv>", ": has no layer with events; wanted regions, boxes, notes or time instants"),
        ("a.svl", SVL.format("", 0, 'frame="1" duration="1"'), ":2: <model> has no sampleRate; wanted it"),
        ("a.svl", SVL.format("0", 0, 'frame="1" duration="1"'), ":2: sampleRate is 0; wanted more than 0"),
        ("a.svl", SVL.format("8000", 7, 'frame="1"'), ":2: there is no dataset 7; wanted the layer's points"),
        ("a.svl", SVL.format("8000", 0, 'frame="x" duration="1"'), ":4: frame is 'x'; wanted a number"),
        (
            "a.svl",
            SVL.format("8000", 0, 'frame="1" duration="-1"'),
            ":4: onset 0.000125 s lies after offset 0 s; wanted",
        ),
        (
            "a.TextGrid",
            GRID.format("PitchTier", 1, 0.5, '"'),
            ":6: a tier of class 'PitchTier'; wanted IntervalTier or",
        ),
        ("a.TextGrid", GRID.format("IntervalTier", 1, 2.5, '"'), ":9: onset 2.5 s lies after offset 1.5 s; wanted 0"),
        ("a.TextGrid", GRID.format("IntervalTier", 2, 0.5, '"'), ":10: the file ends here; wanted the onset"),
        (
            "a.TextGrid",
            GRID.format("IntervalTier", 1.5, 0.5, '"'),
            ":8: 1.5 intervals or points; wanted how many there",
        ),
        ("a.TextGrid", GRID.format("IntervalTier", 1, '"x"', '"'), ":9: onset is '\"x\"'; wanted a number"),
        (
            "a.TextGrid",
            GRID.format("IntervalTier", 1, 0.5, ""),
            ":10: a quote that does not end; wanted the text in qu",
        ),
        ("a.TextGrid", GRID.format("IntervalTier", 1, "xmin = 0,5", '"'), ":9: onset is '0,5', with a decimal comma"),
        ("a.rttm", "\nSPEAKER a 1 0.5 0.5\n", ":2: 5 fields from 'SPEAKER' on; wanted SPEAKER file channel onset"),
        ("a.rttm", "SPEAKER a 1 zero 1 <NA> <NA> b <NA> <NA>\n", ":1: onset is 'zero'; wanted a number"),
        (
            "a.rttm",
            "SPEAKER a 1 1 -1 <NA> <NA> b <NA> <NA>\n",
            ":1: onset 1 s lies after offset 0 s; wanted 0 <= onset",
        ),
        ("a.rttm", "SPEAKER a 1 1 1 <NA> <NA> b high <NA>\n", ":1: confidence is 'high'; wanted a number"),
        (
            "a.txt",
            RAVEN + "1\t1\t0,5\t1\tdog\n",
            ":2: Begin Time (s) is '0,5', with a decimal comma; wanted a point: 0.5",
        ),
        ("a.txt", RAVEN + "1\t1\t0\t1\tdog\n2\t1\t0\t1\t\n", ":3: the label is empty, others are not; wanted what sou"),
        ("a.txt", RAVEN + "1\t1\t0\t1\tdog\tx\n", ":2: has 6 columns; wanted 5: Selection View Begin Time (s) End Ti"),
        ("a.txt", RAVEN.replace("Ann", "A\tB"), {"a": []}),
        ("a.txt", RAVEN.replace("Ann", "A\tB") + "1\t1\t0\t1\tx\ty\n", ":1: labels could be in A, Botation; call the"),
        ("a.tsv", "segment_id\tstart_time_seconds\tend_time_seconds\n", ":1: column label is missing; wanted a header"),
        (
            "a.tsv",
            "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n\t1\t2\t/m/1\n",
            ":2: segment_id is empty; w",
        ),
        (
            "a.csv",
            "Start (s),End (s),Scientific name,Common name,Confidence\n0,3,a,b,x\n",
            ":2: score is 'x'; wanted a n",
        ),
        ("a.csv", "IN FILE,OFFSET,DURATION\na.wav,1,2\n", ":2: no label; wanted one of the columns MANUAL ID, TOP1"),
        (
            "a.csv",
            "IN FILE,OFFSET,DURATION,TOP1MATCH\n,1,2,a\n",
            ":2: IN FILE is empty; wanted the name of a recording",
        ),
        ("a.csv", "IN FILE,OFFSET,DURATION,TOP1MATCH\na,1,x,a\n", ":2: DURATION is 'x'; wanted a number"),
        ("a.jams", '{"annotations": 3}', ": there is no list annotations; wanted {"),
        ("a.jams", '{"annotations": [{}]}', ": there is no list annotations[0].data; wanted {"),
        (
            "a.jams",
            '{"annotations": [{"data": [3]}]}',
            ": annotations[0].data[0] is 3; wanted time, duration and value",
        ),
        (
            "a.jams",
            '{"annotations": [{"data": [{"value": "a", "time": "0"}]}]}',
            ": annotations[0].data[0]: time is '0'; w",
        ),
        (
            "a.jams",
            '{"annotations": [{"data": [{"value": "a", "time": 1, "duration": -1}]}]}',
            ": annotations[0].data[0]",
        ),
        ("a.jams", '{\n"annotations": [', ":2: is no JSON: Expecting value; wanted {"),
        ("a.txt", "a.wav\thome\t0\t1\tdog\nb.wav\thome\t0\n", ":2: has 3 columns; wanted file scene onset offset lab"),
        ("a.txt", "a.wav\t0\t1\tdog\n\t0\t1\tdog\n", ":2: file is empty; wanted the name of a recording"),
        ("a.txt", "a.wav\t0\t1,5\tdog\n", ":1: offset is '1,5', with a decimal comma; wanted a point: 1.5"),
        (
            "a.xml",
            "<Sequences><NumSequence>3</NumSequence></Sequences>",
            ": is no label file known here; wanted one of",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, name: str, content: str, wanted: str | dict) -> None:
    path = file_of(tmp_path, name, content)
    if isinstance(wanted, dict):
        assert annotations.read(path) == wanted
    else:
        assert said(path).startswith(wanted)


def test_a_file_cut_anywhere_is_read_or_told(tmp_path: Path) -> None:
    chance = random.Random(5)
    for name in READ:
        content = (LABELS / name).read_bytes()
        for _ in range(30):
            cut = content[: chance.randrange(len(content))]
            path = file_of(tmp_path, name, cut)
            try:
                table = annotations.read(path)
            except AnnotationError as error:
                assert str(error).startswith(str(path))
                assert "\n" not in str(error)
            else:
                assert all(math.isfinite(each.offset) for events in table.values() for each in events)


# Folders


def test_a_folder_of_label_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    file_of(tmp_path, "sub/a.txt", "0.5\t1.5\tdog barking\n")
    file_of(tmp_path, "b.TextGrid", (LABELS / "long.TextGrid").read_bytes())
    file_of(tmp_path, "c.tsv", (LABELS / "dcase.tsv").read_bytes())
    file_of(tmp_path, "d.wav", b"RIFF")
    file_of(tmp_path, ".e.txt", "hidden")
    wanted = {"b": READ["long.TextGrid"][1]["long"], **READ["dcase.tsv"][1], "sub/a": [DOG]}
    assert annotations.read_folder(tmp_path) == wanted
    known = annotations.read_folder(tmp_path, known=["sub/a.wav", "b.flac", "x.wav"])
    assert set(known) == {"sub/a.wav", "b.flac", *READ["dcase.tsv"][1]}
    file_of(tmp_path, "bad.txt", "0\t1\n0\t1\tdog\n")
    file_of(tmp_path, "sub/a.eaf", EAF.format("milliseconds", ' TIME_VALUE="5"', 'TIME_SLOT_REF2="ts2"'))
    told: list[str] = []
    assert annotations.read_folder(tmp_path, wrong=lambda error: told.append(str(error))).keys() == wanted.keys()
    assert told == [
        f"{tmp_path}/bad.txt:1: has 2 columns; wanted 3: onset offset label",
        f"{tmp_path}/sub/a.txt: is about sub/a, as {tmp_path}/sub/a.eaf is; wanted one file for each",
    ]
    with pytest.raises(AnnotationError, match=r"bad\.txt:1: has 2 columns"):
        annotations.read_folder(tmp_path)
    with pytest.raises(AnnotationError, match="is no folder; wanted one with label files"):
        annotations.read_folder(tmp_path / "b.TextGrid")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AnnotationError, match="has no label files; wanted files that end in"):
        annotations.read_folder(tmp_path / "empty")


def test_a_table_becomes_a_folder_and_back(tmp_path: Path) -> None:
    table = {"sub/a.wav": [DOG], "2024.05.01 forest": [FOX], "../up.wav": [], "/b.flac": [DOG]}
    paths = annotations.write_folder(tmp_path / "out", table, "textgrid")
    names = ["__/up.TextGrid", "b.TextGrid", "2024.05.01 forest.TextGrid", "sub/a.TextGrid"]
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == names
    assert set(annotations.read_folder(tmp_path / "out")) == {"__/up", "b", "2024.05.01 forest", "sub/a"}
    told: list[str] = []
    wrong = {"a.wav": [DOG], "a.flac": [FOX], "c.wav": [Event(0, 1, "a\tb")]}
    annotations.write_folder(tmp_path / "two", wrong, "text", wrong=lambda error: told.append(str(error)))
    assert [line.removeprefix(f"{tmp_path}/two/") for line in told] == [
        "a.txt: is the place of a.flac and of a.wav; rename one of them",
        "c.txt: cannot be written: the label 'a\\tb' holds '\\t'; rename it",
    ]
    assert [each.name for each in (tmp_path / "two").iterdir()] == ["a.txt"]


def test_a_suffix_stands_for_a_format() -> None:
    wanted = {
        "a.tsv": "dcase",
        "A.TSV": "dcase",
        "a.Table.1.selections.txt": "raven",
        "a.txt": "text",
        "a.textgrid": "textgrid",
    }
    assert {name: annotations.format_of_name(name) for name in wanted} == wanted
    assert {annotations.format_of_name(f"a{each.suffixes[0]}") for each in FORMATS.values()} == set(FORMATS)
    assert annotations.format_of_name("a.docx") is None


def test_new_names_for_labels(tmp_path: Path) -> None:
    assert annotations.read_label_names(LABELS / "mid_to_display_name.tsv") == {
        "/m/053hz1": "Cheering",
        "/m/09x0r": "Speech",
    }
    for content, wanted in [
        ("a\tb\na\tc\n", ":2: 'a' has two new names; wanted one"),
        ("a\tb\tc\n", ":1: has 3 columns, or an empty one; wanted 2: old and new label"),
        ("a\n", ":1: has 1 columns, or an empty one"),
    ]:
        path = file_of(tmp_path, "map.tsv", content)
        with pytest.raises(AnnotationError) as error:
            annotations.read_label_names(path)
        assert str(error.value).startswith(f"{path}{wanted}")


@pytest.mark.parametrize("form", ["raven", "kaleidoscope", "birdnet", "audioset", "dcase", "csv"])
def test_a_label_may_begin_with_a_quote(tmp_path: Path, form: str) -> None:
    events = [Event(0.5, 1.5, '"hi" there'), Event(2.0, 3.0, '"')]
    annotations.write(tmp_path / "a", {"a.wav": events}, form)
    (found,) = annotations.read(tmp_path / "a", format=form).values()
    assert [event.label for event in found] == [event.label for event in events]


def test_a_recording_may_be_called_by_a_number(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("7\t0.5\t1.0\tdog\n7\t2.0\t3.0\tcat\n")
    found = annotations.read(tmp_path / "a.txt")
    assert {name: [event.label for event in events] for name, events in found.items()} == {"7": ["dog", "cat"]}


def test_our_own_json_is_no_jams(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"annotations": [], "recordings": []}')
    assert annotations.detect_format(tmp_path / "a.json") == "json"
