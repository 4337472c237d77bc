# SPDX-License-Identifier: BSD-3-Clause
"""Policies that every program refuses, and the error that each program must print. The tests of all
programs that read a policy use this table."""
import pathlib
import re
import subprocess

RATE = 'allowed a fraction from 0 to 1 or a percentage from "0%" to "100%"'

# The keys are counted before any is made.
EXPLODES = "/rules/1/match: found 27,000 keys of 3,375 shapes: its ranges multiply, allowed at most"


def rate(text):
    return b'{"version": 1, "default": {"loss": {"model": "random", "rate": %b}}}' % text.encode()


def loss(text):
    return b'{"version": 1, "default": {"loss": {%b}}}' % text.encode()


def rule(text):
    return b'{"version": 1, "rules": [{"forward": "drop"}, {%b}]}' % text.encode()


def match(text):
    return b'{"version": 1, "rules": [{"forward": "drop"}, {"match": {%b}}]}' % text.encode()


# Each entry: the mistake, the bytes of the file, and the error after the file's name, with the pointer, what
# was found, and what is allowed.
BAD = [
    ("empty", b"", "found an empty file, allowed a JSON object"),
    ("truncated", b'{"version": 1, "rules": [', "line 1, column 26: syntax error while parsing "
     "value - unexpected end of input; expected '[', '{', or a literal"),
    ("not JSON", b"version: 1\n", "line 1, column 1: syntax error while parsing value - invalid "
     "literal; last read: 'v'"),
    ("not text", b"\xd4\xc3\xb2\xa1", "line 1, column 1: found byte 0xd4, allowed UTF-8 text"),
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
     "/sed: found an unknown key, allowed version, about, seed, malformed, rules, default"),
    ("an unknown key of a match", match('"sport": 1'),
     "/rules/1/match/sport: found an unknown key, allowed port, ether_type, vlan, src_mac, "
     "dst_mac, ip_version, src, dst, proto, src_port, dst_port, tcp_flags, dscp, ecn, fragment, length, "
     "malformed"),
    ("a name twice", b'{"version": 1, "rules": [{"name": "a"}, {"name": "a"}]}',
     '/rules/1/name: found "a", the name of /rules/0 too, allowed a name of its own for each rule'),
    ("host bits", match('"dst": "10.0.0.1/8"'),
     '/rules/1/match/dst: found "10.0.0.1/8", which has host bits set after /8, allowed '
     '"10.0.0.0/8"'),
    ("host bits of IPv6", match('"src": "2001:db8::1/64"'),
     '/rules/1/match/src: found "2001:db8::1/64", which has host bits set after /64, allowed '
     '"2001:db8::/64"'),
    ("a prefix too long", match('"dst": "10.0.0.0/33"'), '/rules/1/match/dst: found "10.0.0.0/33"'),
    ("a reversed range", match('"dst_port": "2-1"'),
     '/rules/1/match/dst_port: found "2-1", a range that runs backwards, allowed "1-2"'),
    ("a port beyond 65535", match('"src_port": 65536'), "/rules/1/match/src_port: found 65536"),
    ("too many tags", match('"vlan": [1, 2, 3]'), "/rules/1/match/vlan: found an array of 3, allowed "
     "the outer tag's VID from 0 to 4094, \"none\", or an array of all tags, outer first, at most 2"),
    ("a VID that is reserved", match('"vlan": [1, 4095]'),
     '/rules/1/match/vlan/1: found 4095, allowed a VID from 0 to 4094, or "any"'),
    ("a MAC outside its mask", match('"src_mac": "02:00:00:00:00:01/8"'),
     '/rules/1/match/src_mac: found "02:00:00:00:00:01/8", which has bits set outside its mask, '
     'allowed "02:00:00:00:00:00/8"'),
    ("an unknown flag", match('"tcp_flags": "sync"'),
     '/rules/1/match/tcp_flags: found "sync", allowed flags separated by commas'),
    ("a flag set and clear", match('"tcp_flags": "syn,!syn"'),
     '/rules/1/match/tcp_flags: found "syn,!syn", with syn twice, allowed each flag once'),
    ("flags of UDP", match('"tcp_flags": "syn", "proto": "udp"'),
     "/rules/1/match/tcp_flags: found tcp_flags with proto 17, allowed proto tcp or none"),
    ("a DSCP beyond 63", match('"dscp": 64'),
     "/rules/1/match/dscp: found 64, allowed 0 to 63, or a name: cs0, le,"),
    ("an unknown ECN", match('"ecn": "ect"'),
     '/rules/1/match/ecn: found "ect", allowed 0 to 3, or a name: not-ect, ect1, ect0, ce'),
    ("an unknown fragment", match('"fragment": "any"'),
     '/rules/1/match/fragment: found "any", allowed true, false, "first" or "later"'),
    ("ports of a later fragment", match('"fragment": "later", "dst_port": 80'),
     '/rules/1/match/dst_port: found dst_port with fragment "later", allowed another fragment'),
    ("a length beyond 65535", match('"length": "64-65536"'),
     '/rules/1/match/length: found "64-65536", allowed a frame\'s bytes from 0 to 65535'),
    ("ranges that multiply", match('"src_port": "1-65534", "dst_port": "1-65534", "length": '
                                   '"1-65534"'), EXPLODES),
    ("an unknown model", loss('"model": "gemodel"'), '/default/loss/model: found "gemodel", allowed '
     '"random", "correlated", "gilbert_elliott", "four_state", "periodic" or "sequence"'),
    ("another model's key", loss('"model": "periodic", "every": 2, "rate": 0.5'),
     "/default/loss/rate: found an unknown key, allowed model, every, offset, burst, scope, flow, "
     "ecn_mark"),
    ("a correlation of 1", loss('"model": "correlated", "rate": 0.5, "correlation": 1'),
     "/default/loss/correlation: found 1, with which the first packet of a stream decides for all others"),
    ("no p", loss('"model": "gilbert_elliott"'), f"/default/loss/p: found nothing, {RATE}"),
    ("a loss_bad above 1", loss('"model": "gilbert_elliott", "p": 0.1, "loss_bad": 2'),
     f"/default/loss/loss_bad: found 2, {RATE}"),
    ("ways out above 1", loss('"model": "four_state", "p13": 0.6, "p14": 0.6'),
     "/default/loss/p14: found p13 + p14 = 0.6 + 0.6, which is above 1"),
    ("a period of nothing", loss('"model": "periodic", "every": 0'),
     "/default/loss/every: found 0, allowed an integer from 1 to 4294967296"),
    ("a burst beyond its period", loss('"model": "periodic", "every": 10, "burst": 11'),
     "/default/loss/burst: found 11, allowed an integer from 1 to 10"),
    ("a negative packet", loss('"model": "sequence", "packets": [1, -1]'),
     "/default/loss/packets/1: found -1, allowed a packet's number from 0 to 281474976710656"),
    ("packets that run backwards", loss('"model": "sequence", "packets": ["9-3"]'),
     '/default/loss/packets/0: found "9-3", a range that runs backwards, allowed "3-9"'),
    ("too many ranges", loss('"model": "sequence", "packets": [%s]'
                             % ",".join(map(str, range(0, 140000, 2)))),
     "/default/loss/packets: found 70000 ranges after joining those that touch, allowed at most 65536"),
    ("a repetition too short", loss('"model": "sequence", "packets": [19], "repeat": 19'),
     "/default/loss/repeat: found 19, allowed an integer from 20"),
    ("an unknown scope", loss('"model": "random", "rate": 0.5, "scope": "port"'),
     '/default/loss/scope: found "port", allowed "queue", "flow" or "packet"'),
    ("a state by packet", loss('"model": "periodic", "every": 3, "scope": "packet"'),
     '/default/loss/scope: found "packet" with the model periodic, which needs the state'),
    ("a direction without flows", loss('"model": "random", "rate": 0.5, "flow": "bidirectional"'),
     '/default/loss/flow: found "bidirectional" with scope queue, allowed only with scope flow'),
    ("a mark that is no truth", loss('"model": "random", "rate": 0.5, "ecn_mark": "ce"'),
     '/default/loss/ecn_mark: found "ce", allowed true or false'),
    ("a time without a unit", rule('"active": {"for": "10"}'),
     '/rules/1/active/for: found "10", allowed 1us to ten years: a whole number of us, ms, s, m or h'),
    ("a time beyond ten years", rule('"active": {"from": "87601h"}'),
     '/rules/1/active/from: found "87601h", allowed 0s to ten years'),
    ("a time longer than its period", rule('"active": {"for": "30s", "every": "10s"}'),
     '/rules/1/active/every: found "10s" with for "30s", allowed more than for'),
    ("no time", rule('"active": {}'), "/rules/1/active/for: found nothing, allowed how long"),
    ("no packets", rule('"packets": 0'),
     "/rules/1/packets: found 0, allowed an integer from 1 to 281474976710656"),
    ("more than all flows", rule('"flows": "101%"'), f'/rules/1/flows: found "101%", {RATE}'),
    ("a condition of the default", b'{"version": 1, "default": {"flows": "5%"}}',
     "/default/flows: found an unknown key, allowed about, loss, forward"),
    ("an unknown forward", b'{"version": 1, "default": {"forward": "nowhere"}}',
     '/default/forward: found "nowhere", allowed "pass", "drop", "reflect", "reflect-flow", "reflect-echo" or {"port": NAME}'),
]

# A port that the program was not given: for programs whose one port is lan.
UNKNOWN_PORT = [
    ("an unknown port to forward to", b'{"version": 1, "default": {"forward": {"port": "wan"}}}',
     '/default/forward/port: found "wan", allowed one of the program\'s ports: lan'),
    ("an unknown port to match", match('"port": "dmz"'),
     '/rules/1/match/port: found "dmz", allowed one of the program\'s ports: lan'),
]


def bad_policies(folder, table=None):
    """(what is wrong, the policy's file, the error) for every entry of the table, and then for files that
    cannot be read as a policy. Each file is there until the next is asked for."""
    folder = pathlib.Path(folder)
    policy = folder / "policy.json"
    for what, data, error in BAD if table is None else table:
        policy.write_bytes(data)
        yield what, policy, f"{policy}: {error}"
    if table is not None:
        return
    with policy.open("wb") as stream:
        stream.truncate(100_000_000)
    yield "100 MB", policy, f"{policy}: found 100000000 bytes, allowed 33554432"
    with policy.open("wb") as stream:
        stream.write(b'{"version": 1, "about": "' + b"x" * 100_000_000 + b'"}')
    yield "100 MB of text", policy, f"{policy}: found 100000027 bytes, allowed 33554432"
    policy.unlink()
    yield "no file", policy, f"{policy}: cannot be opened: No such file or directory"
    yield "a folder", folder, f"{folder}: found a directory, allowed a file"


def check_refused(test, program, arguments, error):
    """Checks that the command ends with status 2, nothing on stdout, and one line on stderr that begins
    with "PROGRAM: ERROR"."""
    run = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=60,
                         check=False)
    test.assertEqual((run.returncode, run.stdout), (2, ""), run.stderr[:1000])
    test.assertEqual(run.stderr.count("\n"), 1, run.stderr[:1000])
    test.assertEqual(run.stderr[:len(program) + 2 + len(error)], f"{program}: {error}")
    # FILE: /pointer: found ...; but JSON that is no document has no places.
    if re.search(r"\A/.*: /[^ ]*: found (?!the key twice|nesting|1e999)", error):
        test.assertRegex(run.stderr, r"\(line \d+, column \d+\)")
