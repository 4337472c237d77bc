#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Man pages and programs agree: a page describes exactly the options that --help lists; the pages of the
policy and profile languages describe each key and each word of the JSON schemas; the page of the summary
describes each of its keys; and each page exists that another one refers to.

  man_pages_test.py SOURCE-ROOT TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SOCKET TWINPATH_SPLICE
"""
import json
import pathlib
import re
import subprocess
import sys
import unittest

ROOT, PROGRAMS = pathlib.Path(sys.argv[1]), sys.argv[2:]
del sys.argv[1:]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# Subcommands, and the page and the section (none: all of the page) that describes their options.
SUBCOMMANDS = {"check": ("twinpath", ".SS check"), "explain": ("twinpath-explain", None),
               "parity": ("twinpath", ".SS parity"), "reload": ("twinpath", ".SS reload"),
               "set": ("twinpath", ".SS set"), "stats": ("twinpath-stats", ".SS twinpath stats"),
               "top": ("twinpath-stats", ".SS twinpath top"), "doctor": ("twinpath-doctor", None),
               "generate": ("twinpath-generate", None), "receive": ("twinpath-receive", None),
               "compare": ("twinpath-compare", None), "sweep": ("twinpath-sweep", None)}
PAGES = [*ROOT.glob("apps/*/*.[1-8]"), *ROOT.glob("tools/*.[1-8]")]


def text_of(path):
    return path.read_text(encoding="utf-8").replace(r"\-", "-")


def page(name, section=1):
    [path] = [path for path in PAGES if path.name == f"{name}.{section}"]
    return text_of(path).splitlines()


def described(lines):
    """The options that have an entry of their own: a .TP, and a line in bold."""
    return {option for before, line in zip(lines, lines[1:]) if before == ".TP" and line.startswith(".B")
            for option in OPTION.findall(line)}


def listed(*command):
    result = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, timeout=60)
    return {option for line in result.stdout.splitlines() if re.match(r"  -", line)
            for option in OPTION.findall(line[:30])}


def part(lines, heading):
    if heading is None:
        return lines
    begin = lines.index(heading)
    end = next(i for i in range(begin + 1, len(lines)) if lines[i].startswith((".SS", ".SH")))
    return lines[begin:end]


def vocabulary(schema):
    """Every key that a schema names, and every word that a value may be."""
    if isinstance(schema, list):
        return set().union(*(vocabulary(item) for item in schema))
    if not isinstance(schema, dict):
        return set()
    words = {word for word in [*schema.get("enum", []), schema.get("const")] if isinstance(word, str)}
    words |= set(schema.get("properties", {}))
    nested = {**schema, **schema.get("properties", {}), **schema.get("definitions", {})}
    return words.union(*(vocabulary(value) for key, value in nested.items() if key not in ("enum", "const")))


class ManPagesTest(unittest.TestCase):
    def test_each_daemon_has_the_options_of_its_page(self):
        for path in PROGRAMS[1:]:
            with self.subTest(path):
                self.assertEqual(listed(path), described(page(pathlib.Path(path).name)))

    def test_each_subcommand_has_the_options_of_its_page(self):
        for name, (of, heading) in SUBCOMMANDS.items():
            with self.subTest(name):
                entries = described(part(page(of), heading))
                self.assertEqual(listed(PROGRAMS[0], name), entries | {"--help"})

    def test_each_word_of_the_languages_is_in_their_pages(self):
        for language in ("policy", "profile", "compare"):
            schema = json.loads((ROOT / f"dpdk-conf/schema/{language}.schema.json").read_text(encoding="utf-8"))
            words = vocabulary(schema)
            self.assertGreater(len(words), 15)
            pages = {"policy": (("policy", 5), ("loss", 5)), "profile": (("profile", 5),), "compare": (("compare", 1),)}
            text = "\n".join(line for name, section in pages[language] for line in page(f"twinpath-{name}", section))
            missing = {word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}
            self.assertEqual(set(), missing, language)

    def test_each_key_of_the_summary_is_in_its_page(self):
        counters = (ROOT / "src/telemetry/counters.h").read_text(encoding="utf-8")
        lists = counters[:counters.index("kLcoreTurns")] + counters[counters.index("kMempoolCounters"):]
        keys = set(re.findall(r'Counter<\w+>\{"(\w+)"|\{TP_\w+, "(\w+)"', lists))
        summary = (ROOT / "src/telemetry/json.cc").read_text(encoding="utf-8")
        keys |= set(re.findall(r'\{"(\w+)",|(?:object|summary)\["(\w+)"\]', summary))
        for path in ("dpdk", "xdp", "sockets"):
            for source in (ROOT / "src" / path).rglob("*.cc"):
                keys |= set(re.findall(r'(?:\{|emplace_back\()"(\w+_(?:packets|bytes))"()',
                                       source.read_text(encoding="utf-8")))
        keys = {"".join(key) for key in keys}
        self.assertTrue({"rx", "tx_full", "loss_rate_low", "why", "total_ms", "stray_packets"} <= keys, keys)
        text = "\n".join(page("twinpath-summary", 5))
        missing = {key for key in keys if not re.search(rf"(?<![\w-]){re.sub('_bytes$', '_packets', key)}(?![\w-])", text)}
        self.assertEqual(set(), missing)

    def test_each_page_that_is_referred_to_is_there(self):
        names = {path.name for path in PAGES}
        for path in PAGES:
            found = re.findall(r'(twinpath[\w-]*)"? ?"?\((\d)\)', text_of(path))
            self.assertEqual([], [each for each in found if ".".join(each) not in names], path.name)


unittest.main(verbosity=2)
