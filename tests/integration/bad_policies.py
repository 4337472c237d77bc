# SPDX-License-Identifier: BSD-3-Clause
"""Policies that no program takes, what each program must say of them, and how it must say it. The
tests of every program that reads a policy go through the same table."""
import pathlib
import subprocess

RATE = 'allowed a fraction from 0 to 1 or a percentage from "0%" to "100%"'


def rate(text):
    return b'{"version": 1, "default": {"loss": {"model": "random", "rate": %b}}}' % text.encode()


def match(text):
    return b'{"version": 1, "rules": [{"forward": "drop"}, {"match": {%b}}]}' % text.encode()


# What is wrong, the file's octets, and what is said behind the file's name: where, what was found,
# and what is allowed.
BAD = [
    ("empty", b"", "found nothing, allowed a JSON object"),
    ("truncated", b'{"version": 1, "rules": [', "line 1, column 26: syntax error while parsing "
     "value - unexpected end of input; expected '[', '{', or a literal"),
    ("not JSON", b"version: 1\n", "line 1, column 1: syntax error while parsing value - invalid "
     "literal; last read: 'v'"),
    ("not text", b"\xd4\xc3\xb2\xa1", "line 1, column 1: found octet 0xd4, allowed UTF-8 text"),
    ("a number beyond any double", b'{"version": 1, "seed": 1e999}',
     "/seed: found 1e999, allowed a number that a double holds, at most 1.8e308"),
    ("no version", b"{}", "/version: found nothing, allowed 1"),
    ("another version", b'{"version": 2, "more": 1}', "/version: found 2, allowed 1"),
    ("nested 100,000 deep", b'{"version": ' + b"[" * 100000,
     "/version" + "/0" * 31 + ": found nesting deeper than 32, allowed 32 levels"),
    ("objects 100,000 deep", b'{"default": ' * 100000,
     "/default" * 32 + ": found nesting deeper than 32, allowed 32 levels"),
    ("NaN", b'{"version": 1,\n"seed": NaN}', "line 2, column 9: syntax error while parsing value - "
     "invalid literal; last read: '\"seed\": N'"),
    ("a rate of NaN", rate("NaN"), "line 1, column 64: syntax error while parsing value - invalid "
     "literal; last read: '\"rate\": N'"),
    ("below zero", rate("-0.1"), f"/default/loss/rate: found -0.1, {RATE}"),
    ("above one", rate("1.1"), f"/default/loss/rate: found 1.1, {RATE}"),
    ("above 100 %", rate('"101%"'), f'/default/loss/rate: found "101%", {RATE}'),
    ("a negative seed", b'{"version": 1, "seed": -1}',
     "/seed: found -1, allowed an integer from 0 to 18446744073709551615"),
    ("a key twice", b'{"version": 1, "seed": 1, "seed": 2}',
     "/seed: found the key twice, allowed once"),
    ("a key twice, deep inside", match('"proto": "udp", "proto": "tcp"'),
     "/rules/1/match/proto: found the key twice, allowed once"),
    ("an unknown key", b'{"version": 1, "sed": 1}',
     "/sed: found an unknown key, allowed version, about, seed, rules, default"),
    ("an unknown key of a match", match('"sport": 1'),
     "/rules/1/match/sport: found an unknown key, allowed port, ether_type, vlan, src_mac, "
     "dst_mac, ip_version, src, dst, proto, src_port, dst_port"),
    ("a name twice", b'{"version": 1, "rules": [{"name": "a"}, {"name": "a"}]}',
     '/rules/1/name: found "a", the name of /rules/0 too, allowed a name of its own for each rule'),
    ("host bits", match('"dst": "10.0.0.1/8"'),
     '/rules/1/match/dst: found "10.0.0.1/8", which has host bits set behind /8, allowed '
     '"10.0.0.0/8"'),
    ("host bits of IPv6", match('"src": "2001:db8::1/64"'),
     '/rules/1/match/src: found "2001:db8::1/64", which has host bits set behind /64, allowed '
     '"2001:db8::/64"'),
    ("a prefix too long", match('"dst": "10.0.0.0/33"'), '/rules/1/match/dst: found "10.0.0.0/33"'),
    ("a reversed range", match('"dst_port": "2-1"'),
     '/rules/1/match/dst_port: found "2-1", a range that runs backwards, allowed "1-2"'),
    ("a port beyond 65535", match('"src_port": 65536'), "/rules/1/match/src_port: found 65536"),
    ("an unknown forward", b'{"version": 1, "default": {"forward": "nowhere"}}',
     '/default/forward: found "nowhere", allowed "pass", "drop", "reflect" or {"port": NAME}'),
]

# A port that the program was not given: for programs whose one port is lan.
UNKNOWN_PORT = [
    ("an unknown port to forward to", b'{"version": 1, "default": {"forward": {"port": "wan"}}}',
     '/default/forward/port: found "wan", allowed one of the program\'s ports: lan'),
    ("an unknown port to match", match('"port": "dmz"'),
     '/rules/1/match/port: found "dmz", allowed one of the program\'s ports: lan'),
]


def bad_policies(folder, table=None):
    """(what is wrong, a policy's file, what is said of it) of every entry of the table, and of what
    is wrong with files; the last lasts until the next is asked for."""
    folder = pathlib.Path(folder)
    policy = folder / "policy.json"
    for what, octets, error in BAD if table is None else table:
        policy.write_bytes(octets)
        yield what, policy, f"{policy}: {error}"
    if table is not None:
        return
    with policy.open("wb") as stream:
        stream.truncate(100_000_000)
    yield "100 MB", policy, f"{policy}: found 100000000 octets, allowed 33554432"
    with policy.open("wb") as stream:
        stream.write(b'{"version": 1, "about": "' + b"x" * 100_000_000 + b'"}')
    yield "100 MB of text", policy, f"{policy}: found 100000027 octets, allowed 33554432"
    policy.unlink()
    yield "no file", policy, f"{policy}: found No such file or directory, allowed a readable file"
    yield "a folder", folder, f"{folder}: found a directory, allowed a file"


def check_refused(test, program, arguments, error):
    """`arguments` end with status 2, nothing on stdout, and one line on stderr that begins with
    "PROGRAM: ERROR"."""
    run = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=60,
                         check=False)
    test.assertEqual((run.returncode, run.stdout), (2, ""), run.stderr[:1000])
    test.assertEqual(run.stderr.count("\n"), 1, run.stderr[:1000])
    test.assertEqual(run.stderr[:len(program) + 2 + len(error)], f"{program}: {error}")
