#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Man pages and programs agree: a page describes each option that --help lists, and no other; the pages
of the policy and profile languages describe each key and each word of the JSON schemas.

  man_pages_test.py SOURCE-ROOT TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SPLICE
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
SUBCOMMANDS = ("check", "explain", "parity", "reload", "stats", "top", "doctor")


def page(program, section=1):
    source = (ROOT / "apps" / program.split("-p")[0] / f"{program}.{section}").read_text(encoding="utf-8")
    return source.replace(r"\-", "-").splitlines()


def described(lines):
    """The options that have an entry of their own: a .TP, and a line in bold."""
    return {option for before, line in zip(lines, lines[1:]) if before == ".TP" and line.startswith(".B")
            for option in OPTION.findall(line)}


def listed(*command):
    result = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, timeout=60)
    return {option for line in result.stdout.splitlines() if re.match(r"  -", line)
            for option in OPTION.findall(line[:30])}


def subsection(lines, name):
    begin = lines.index(f".SS {name}")
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

    def test_each_subcommand_has_the_options_of_its_subsection(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                entries = described(subsection(page("twinpath"), name))
                self.assertEqual(listed(PROGRAMS[0], name), entries | {"--help"})

    def test_each_word_of_the_languages_is_in_their_pages(self):
        for language in ("policy", "profile"):
            schema = json.loads((ROOT / f"dpdk-conf/schema/{language}.schema.json").read_text(encoding="utf-8"))
            words = vocabulary(schema)
            self.assertGreater(len(words), 20)
            text = "\n".join(page(f"twinpath-{language}", 5))
            missing = {word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}
            self.assertEqual(set(), missing, language)


unittest.main(verbosity=2)
