"""XML files as elements that know their lines. Nothing in a file is expanded or fetched: entities are refused."""

import re
import xml.parsers.expat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hubbub.annotations.formats import Lines
from hubbub.errors import AnnotationError

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML has no place for, however it is written."""


@dataclass
class Element:
    """An element: its tag, line, attributes, own text and children."""

    tag: str
    line: int
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> Iterator["Element"]:
        """The elements with this tag below this one, at any depth, in the order of the file."""
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            if element.tag == tag:
                yield element
            waiting += element.children[::-1]


def root_is(lines: Lines, tag: str) -> bool:
    """Whether the first element of a file has this tag."""
    head = re.sub(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>", "", "\n".join(lines[:100]), flags=re.DOTALL)
    return re.match(rf"\s*<{tag}[\s/>]", head) is not None


def parse(path: Path, lines: Lines) -> Element:
    """The root element. Raises `AnnotationError` with path:line for what is no XML, and for XML that defines entities
    or refers to other files."""
    top = Element("", 0, {})
    open_elements = [top]
    parser = xml.parsers.expat.ParserCreate("utf-8")  # the lines are text already, whatever the file says of itself
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, parser.CurrentLineNumber, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(tag: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        open_elements[-1].text += data

    def doctype(name: str, system_id: str | None, public_id: str | None, has_subset: bool) -> None:
        if has_subset or system_id or public_id:  # a bare <!DOCTYPE sonic-visualiser> does no harm
            raise AnnotationError(f"{path}:{parser.CurrentLineNumber}: has a DTD; wanted XML without definitions")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse("\n".join(lines).encode(), True)
    except xml.parsers.expat.ExpatError as error:
        what = xml.parsers.expat.ErrorString(error.code)
        raise AnnotationError(f"{path}:{error.lineno}: is no XML: {what}; wanted the file as it was saved") from error
    return top.children[0]


def required(path: Path, element: Element, name: str) -> str:
    """An attribute. Raises `AnnotationError` with path:line where it is missing or empty."""
    value = element.attributes.get(name, "")
    if not value.strip():
        raise AnnotationError(f"{path}:{element.line}: <{element.tag}> has no {name}; wanted it")
    return value


def escaped(what: str, text: str) -> str:
    """Text for an attribute or an element. Raises `AnnotationError` for characters that no XML can hold."""
    found = FORBIDDEN.search(text)
    if found:
        raise AnnotationError(f"cannot be written: the {what} {text!r} holds {found[0]!r}; rename it")
    return "".join(ESCAPES.get(character, character) for character in text)
