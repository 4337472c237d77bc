# SPDX-License-Identifier: BSD-3-Clause
"""Finds the places of the decision where one token can be changed, by clang's syntax tree, and writes
a copy of the tree in which every change is compiled in behind a number (see mutant.h)."""
import dataclasses
import hashlib
import json
import pathlib
import pickle
import re
import shutil
import subprocess

# What clang reads, and the folders whose code is changed.
UNITS = ("src/engine/decide.cc", "src/engine/decide_general.cc", "src/engine/decide_headers.cc",
         "src/policy/egress/checksum.h")
FOLDERS = ("src/policy/", "src/engine/")

OPERATORS = {"<": ("lt", "<="), "<=": ("le", "<"), ">": ("gt", ">="), ">=": ("ge", ">"), "==": ("eq", "!="),
             "!=": ("ne", "=="), "&": ("and", "|"), "|": ("or", "&"), "^": ("xor", "|"), "<<": ("shl", ">>"),
             ">>": ("shr", "<<"), "+": ("add", "-"), "-": ("sub", "+"), "*": ("mul", "+"), "/": ("div", "*"),
             "%": ("rem", "/")}
LOGICAL = {"&&": ("MUTANT_LOGICAL_AND", "||"), "||": ("MUTANT_LOGICAL_OR", "&&")}
ASSIGNMENTS = {"|=": "&=", "&=": "|=", "^=": "|=", "+=": "-=", "-=": "+=", "<<=": ">>=", ">>=": "<<=", "*=": "+="}


@dataclasses.dataclass(frozen=True)
class Place:
    """An expression whose text is text[begin:end]; operands are (begin, end) as well."""
    begin: int
    end: int
    kind: str  # an operator, "literal" or "name"
    operands: tuple = ()


@dataclasses.dataclass(frozen=True)
class Mutant:
    number: int
    file: str
    line: int
    place: Place
    original: str
    changed: str

    def __str__(self):
        return f"{self.number} {self.file}:{self.line}: {self.original} -> {self.changed}"


class Reader:
    """Walks clang's JSON. Clang prints a location's file only where it differs from the one printed
    before, so all locations are read in order."""

    def __init__(self, root):
        self.root = root
        self.file = ""
        self.texts = {}   # file -> its text
        self.places = {}  # file -> set of Place

    def text(self, file):
        if file not in self.texts:
            self.texts[file] = (self.root / file).read_text()
        return self.texts[file]

    def location(self, loc):
        """(file, offset, token length, whether a macro made it)"""
        if "spellingLoc" in loc:
            spelled = self.location(loc["spellingLoc"])
            file, offset, length, _ = self.location(loc["expansionLoc"])
            if loc["expansionLoc"].get("isMacroArgExpansion") and spelled[0] == file:
                return spelled  # the argument of a macro, as it is written
            return file, offset, length, True
        if "file" in loc:
            self.file = loc["file"]
        return self.file, loc.get("offset"), loc.get("tokLen", 0), False

    def span(self, node):
        """The place of a node in a file of the decision: (file, begin, end, from a macro), or None."""
        begin = self.location(node["range"]["begin"])
        end = self.location(node["range"]["end"])
        if begin[1] is None or end[1] is None or begin[0] != end[0]:
            return None
        file = str(pathlib.PurePath(begin[0]))
        if not file.startswith(FOLDERS):
            return None
        stop = end[1] + end[2]
        if end[3]:  # the macro's name: its arguments follow
            stop = self.behind_arguments(file, stop)
        return file, begin[1], stop, begin[3] or end[3]

    def behind_arguments(self, file, stop):
        text = self.text(file)
        if text[stop:stop + 1] != "(":
            return stop
        depth = 0
        for i in range(stop, len(text)):
            depth += (text[i] == "(") - (text[i] == ")")
            if depth == 0:
                return i + 1
        return stop

    def walk(self, node, in_function=False, constant=False, parent=""):
        if not isinstance(node, dict) or "kind" not in node:
            return None
        kind = node["kind"]
        if "loc" in node and node["loc"]:
            self.location(node["loc"])
        span = self.span(node) if node.get("range", {}).get("begin") else None
        in_function |= kind in ("FunctionDecl", "CXXMethodDecl", "LambdaExpr")
        constant |= kind in ("ConstantExpr", "StaticAssertDecl", "EnumConstantDecl", "FieldDecl") or \
            node.get("constexpr", False) or node.get("castKind") == "NullToPointer"
        spans = [self.walk(child, in_function, constant, kind) for child in node.get("inner", ())]
        if span and in_function and not constant:
            self.consider(node, kind, span, spans, parent)
        return span

    def consider(self, node, kind, span, operands, parent):
        file, begin, end, macro = span
        if macro and kind not in ("BinaryOperator", "CompoundAssignOperator"):
            return
        places = self.places.setdefault(file, set())
        operator = node.get("opcode")
        if kind in ("BinaryOperator", "CompoundAssignOperator"):
            known = operator in OPERATORS or operator in LOGICAL or operator in ASSIGNMENTS
            if not known or len(operands) != 2 or None in operands or any(o[0] != file for o in operands):
                return
            left, right = (o[1:3] for o in operands)
            if self.text(file)[left[1]:right[0]].strip() != operator:
                return  # a macro has the operator
            if all(o["type"]["qualType"].endswith("*") for o in node["inner"]) and operator == "-":
                return  # pointers have a difference only
            places.add(Place(left[0], right[1], operator, (left, right)))
        elif kind == "IntegerLiteral":
            places.add(Place(begin, end, "literal"))
        elif kind == "DeclRefExpr" and node.get("referencedDecl", {}).get("kind") == "EnumConstantDecl" and \
                parent == "ImplicitCastExpr":
            places.add(Place(begin, end, "name"))


def changes(place, text):
    """The changed texts of a place, as people read them."""
    source = text[place.begin:place.end]
    if place.kind == "name":
        return [f"{source} + 1"]
    if place.kind == "literal":
        value = int(source.rstrip("uUlL").replace("'", ""), 0)
        if source.lower().startswith("0x") and value > 1:
            low, high = value & -value, 1 << (value.bit_length() - 1)
            return [hex(v) for v in dict.fromkeys((value & ~high, value & ~low, value << 1 | low))]
        return [str(value + 1)] + ([str(value - 1)] if value > 0 else [])
    return [OPERATORS.get(place.kind, LOGICAL.get(place.kind, ("", ASSIGNMENTS.get(place.kind))))[1]]


def find(root, folder):
    """All mutants, numbered from 1 in the order of files and places. `folder` keeps them for as long as
    the code is the same, because clang's syntax trees are long."""
    sources = sorted(path for part in FOLDERS for path in (root / part).rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in (*sources, pathlib.Path(__file__)))).hexdigest()
    kept = folder / "places.pickle"
    if kept.is_file():
        before, found = pickle.loads(kept.read_bytes())
        if before == digest:
            return found
    found = read_all(root)
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps((digest, found)))
    return found


def read_all(root):
    reader = Reader(root)
    for unit in UNITS:
        run = subprocess.run(["clang++", "-std=c++20", "-w", "-I.", "-fsyntax-only", "-Xclang", "-ast-dump=json", unit],
                             cwd=root, capture_output=True, check=True)
        reader.file = ""
        reader.walk(json.loads(run.stdout))
    found = []
    for file in sorted(reader.places):
        text = reader.text(file)
        for place in sorted(reader.places[file], key=lambda p: (p.begin, -p.end, p.kind)):
            for changed in changes(place, text):
                original = place.kind if place.operands else text[place.begin:place.end]
                found.append(Mutant(len(found) + 1, file, text.count("\n", 0, place.begin) + 1, place,
                                    original, changed))
    return found


def render(text, begin, end, places):
    """text[begin:end] with its places rewritten. `places` are (Place, [Mutant]), outer ones first."""
    out, at = [], begin
    for i, (place, mutants) in enumerate(places):
        if place.begin < at or place.end > end:
            continue
        out.append(text[at:place.begin])
        out.append(rewritten(text, place, mutants, places[i + 1:]))
        at = place.end
    return "".join(out) + text[at:end]


def rewritten(text, place, mutants, rest):
    inner = [(p, m) for p, m in rest if place.begin <= p.begin and p.end <= place.end]
    number = mutants[0].number
    if not place.operands:
        source = text[place.begin:place.end]
        if place.kind == "name":
            return f"mutant::Value({number}, {source} + 0, {source} + 1)"
        for mutant in mutants:
            source = f"mutant::Value({mutant.number}, {source}, {mutant.changed})"
        return source
    left, right = (render(text, *operand, inner) for operand in place.operands)
    if place.kind in OPERATORS:
        return f"mutant_{OPERATORS[place.kind][0]}({number}, ({left}), ({right}))"
    if place.kind in LOGICAL:
        return f"{LOGICAL[place.kind][0]}({number}, ({left}), ({right}))"
    return f"(mutant::Live({number}) ? ({left} {mutants[0].changed} {right}) : ({left} {place.kind} {right}))"


def write_tree(root, copy, found):
    """Copies what the tests are built from. Files that did not change keep their times."""
    by_file = {}
    for mutant in found:
        by_file.setdefault(mutant.file, {}).setdefault(mutant.place, []).append(mutant)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True)
    for name in listed.stdout.split("\0"):
        if not name or not (root / name).is_file():
            continue
        data = (root / name).read_bytes()
        if name in by_file:
            text = data.decode()
            data = render(text, 0, len(text), list(by_file[name].items())).encode()
        if name == "src/policy/types.h":  # whose functions, with all mutants, are too long to compile in place
            data = b'#include "tests/mutants/mutant.h"\n' + data.replace(b"__attribute__((always_inline))", b"")
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.read_bytes() == data:
            continue
        target.write_bytes(data)
        shutil.copymode(root / name, target)


def excuses(file, found):
    """The numbers of the mutants that change nothing, by `file`: lines of
    FILE<tab>the line's code<tab>ORIGINAL -> CHANGED<tab>why. A line of the tree may move, and its
    comments may change. Where several mutants are the same, `ORIGINAL -> CHANGED #2` is the second."""
    root = file.parents[2]
    same = {}  # (file, line's code, change) -> numbers
    texts = {}
    for mutant in found:
        lines = texts.setdefault(mutant.file, (root / mutant.file).read_text().splitlines())
        key = (mutant.file, code_of(lines[mutant.line - 1]), f"{mutant.original} -> {mutant.changed}")
        same.setdefault(key, []).append(mutant.number)
    excused = set()
    for line in file.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        path, code, change, _ = line.split("\t")
        change, _, which = change.partition(" #")
        numbers = same.get((path, code, change), [])
        if not numbers[int(which or 1) - 1:]:
            raise SystemExit(f"{file}: no mutant is '{code}' with {change}")
        excused.update([numbers[int(which) - 1]] if which else numbers)
    return excused


def code_of(line):
    """A line of code without its indentation and comments."""
    return re.sub(r"/\*.*?(\*/|$)|//.*", "", line).strip()
