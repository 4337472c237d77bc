#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp loads one policy after the other while frames come in: no frame is lost in a switch or
decided by two policies, and rules that stay keep their streams and counts.

  reload_test.py TWINPATH_XDP TWINPATH
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from reloading import ask, connect, memory, reload, reload_many
from wait import wait_for
from xdp_lab import BPFFS, MODES, XdpTest, attached, main, run
from xdp_traffic import Capture, frame, generate, number_of, received, send

TWINPATH = os.path.realpath(sys.argv[2])
CONTROL = pathlib.Path("/run/dpdk/twinpath-xdp/twinpath_control")
RELOADS = int(os.environ.get("RELOADS", "80"))  # under load; a tenth of them in generic mode
ENDLESS = 1 << 40  # frames; the test stops the generator
BURSTS = {"model": "gilbert_elliott", "p": "5%", "r": "25%", "loss_good": "1%"}
WAN = {"port": "wan"}


def policy_of(*rules, default="drop", **more):
    return {"version": 1, "rules": list(rules), "default": {"forward": default}, **more}


# Two halves of the generator's sixteen flows. Each meets the same rule in every policy, wherever it stands.
FORWARDED = {"name": "forwarded", "match": {"port": "lan", "src_port": "1024-1031"},
             "loss": {"model": "periodic", "every": 10}, "forward": WAN}
DROPPED = {"name": "dropped", "match": {"port": "lan", "src_port": "1032-1039"}, "loss": BURSTS,
           "forward": "drop"}
NOBODY = {"name": "nobody", "match": {"port": "lan", "src_port": 7}, "forward": "reflect"}
LATER = {"name": "later", "match": {"port": "lan"}, "active": {"from": "9000s"}, "forward": "reflect"}
FLOWS = {"name": "flows", "match": {"port": "lan", "dst_port": 9, "src_port": "1-9"},
         "loss": {**BURSTS, "scope": "flow"}, "forward": "reflect"}
SHUFFLED = (policy_of(FORWARDED, DROPPED, default="reflect"),
            policy_of(NOBODY, DROPPED, FORWARDED, default="reflect"),
            policy_of(LATER, NOBODY, FORWARDED, FLOWS, DROPPED, default="reflect"))
BAD = (b"", b"{", b"\xff" * 10000, b'{"version": 1, "version": 1}',
       policy_of({**FORWARDED, "forward": {"port": "nowhere"}}),
       policy_of({**FORWARDED, "loss": {"model": "random", "rate": "101%"}}))


def ecn_capable(number):
    """The frame of this number, with ECT(0)."""
    data = bytearray(frame(number))
    data[15] |= 2
    return bytes(data)


class Reload(XdpTest):
    def begin(self, first, mode="native", *more):
        """Starts the program on lan and wan with the policy `first`."""
        path = self.folder / "first.json"
        path.write_text(json.dumps(first))
        return self.start("--port", "lan=lan", "--port", "wan=wan", "--policy", str(path),
                          "--mode", mode, *more)

    def twinpath(self, *arguments):
        return subprocess.run([TWINPATH, *arguments], capture_output=True, text=True, timeout=60)

    def rules(self, summary):
        return {rule["name"]: rule for rule in summary["rules"]}

    def counted(self, frames):
        """The summary of the running program, once it has counted this many frames. It waits, because veth
        reports arrival when a frame is sent."""
        def look():
            summary = json.loads(self.twinpath("stats", "--json").stdout)
            return summary if summary["totals"]["rx_packets"] >= frames else None
        return wait_for("frames", look)

    def check_counts(self, summary, reloads, rejected):
        """Checks what Program does not check by itself."""
        done = summary["reloads"]
        self.assertEqual((reloads, rejected), (done["done"], done["rejected"]))

    def load_and_reloads(self, mode, reloads):
        """Reloads this often under the generator's load. Returns the summary, and the frames offered and
        received."""
        self.gro("lan")  # so that it receives the generator's frames in generic mode, too
        with self.begin(SHUFFLED[0], mode) as program:
            reload(CONTROL, b"not a policy")
            before = received("lan")
            with generate("gen", ENDLESS, cpu=1) as generator:
                try:
                    wait_for("load", lambda: received("lan") > before + 10000)
                    start = time.monotonic()
                    rejected = reload_many(CONTROL, reloads, SHUFFLED[1:] + SHUFFLED[:1], BAD)
                    took = time.monotonic() - start
                    self.assertIsNone(generator.poll(), "the generator ended by itself")
                finally:
                    generator.terminate()
            wait_for("rest", self.at_rest)
            arrived = received("lan") - before
            summary = program.stop()
        self.check_counts(summary, reloads, rejected + 1)
        totals, rules = summary["totals"], self.rules(summary)
        # No frame was decided by two policies: each half of the flows met its own rule and no other.
        self.assertEqual(arrived, totals["rx_packets"])
        self.assertEqual({"forwarded", "dropped", "default"}, set(rules) - {"nobody", "later", "flows"})
        for name in set(rules) - {"forwarded", "dropped"}:
            self.assertEqual(0, rules[name]["matched_packets"], name)
        self.assertEqual(0, summary["reloads"]["retired_matched_packets"])
        forwarded, dropped = rules["forwarded"], rules["dropped"]
        self.assertEqual(totals["tx_packets"],
                         forwarded["matched_packets"] - forwarded["lost_packets"])
        self.assertEqual(totals["denied_packets"],
                         dropped["matched_packets"] - dropped["lost_packets"])
        self.assertLessEqual(abs(forwarded["matched_packets"] - dropped["matched_packets"]),
                             arrived // 10)
        # One stream for the whole run: exactly every tenth frame of a queue is lost.
        self.assertEqual(-(-forwarded["matched_packets"] // 10), forwarded["lost_packets"])
        print(f"{mode}: {reloads} reloads and {rejected + 1} rejected in {took:.1f} s; "
              f"{arrived} frames received ({arrived / took / 1e6:.2f} Mpps), each counted by a rule")
        return summary

    def at_rest(self):
        before = received("lan")
        time.sleep(0.1)
        return received("lan") == before

    def test_reloads_under_load(self):
        self.wire()
        self.load_and_reloads("native", RELOADS)

    def test_reloads_under_load_in_generic_mode(self):
        self.wire()
        self.load_and_reloads("generic", RELOADS // 10)

    def test_a_stream_loses_the_same_packets_over_reloads(self):
        """Tests a policy of one rule, which needs no lookup, and a rule among others."""
        self.wire(queues=2)
        out = {"name": "out", "match": {"port": "lan"}, "loss": BURSTS, "forward": WAN}
        back = {"name": "back", "match": {"port": "wan"}, "forward": {"port": "lan"}}
        lonely, among = policy_of(out, back, seed=5), policy_of(NOBODY, back, LATER, out, seed=5)
        for mode, first, second in zip(MODES, (lonely, among), (among, lonely)):
            with self.subTest(mode=mode):
                undisturbed = self.survivors(mode, first, None)
                self.assertEqual(undisturbed, self.survivors(mode, first, second))
                self.assertLess(3000, len(undisturbed))

    def survivors(self, mode, first, second):
        """The numbers of the frames that come out, where the policies alternate every 640 frames."""
        with Capture("sink") as capture, self.begin(first, mode) as program:
            for i, start in enumerate(range(0, 6400, 640)):
                send("gen", "lan", range(start, start + 640), cpus=(0, 1))
                if second:
                    self.assertIn("ok", reload(CONTROL, (second, first)[i % 2]))
            summary = program.stop()
            frames = capture.frames(at_least=summary["totals"]["tx_packets"])
        self.assertEqual(6400, self.rules(summary)["out"]["matched_packets"])
        self.assertEqual(6400 - len(frames), self.rules(summary)["out"]["lost_packets"])
        self.assertEqual(sum(q["rx_bytes"] for q in summary["queues"]),
                         sum(rule["matched_bytes"] for rule in summary["rules"]))
        return sorted(map(number_of, frames))

    def test_what_changed_begins_anew_and_what_went_stays_counted(self):
        self.wire()
        every = {"name": "out", "match": {"port": "lan"}, "forward": WAN,
                 "loss": {"model": "sequence", "packets": ["0-4"]}}
        with self.begin(policy_of(every)) as program:
            send("gen", "lan", range(100))
            self.counted(100)
            answer = reload(CONTROL, policy_of({**every, "forward": "drop"}, NOBODY))
            self.assertEqual((3, 2), (answer["ok"]["rules"], answer["ok"]["continued"]))
            send("gen", "lan", range(100))
            rules = self.counted(200)["rules"]
            self.assertEqual((200, 5), (rules[0]["matched_packets"], rules[0]["lost_packets"]))
            changed = {**every, "loss": {"model": "sequence", "packets": ["0-9"]}}
            self.assertEqual(1, reload(CONTROL, policy_of(changed))["ok"]["continued"])
            send("gen", "lan", range(50))
            summary = self.counted(250)
            self.assertEqual((50, 10), (summary["rules"][0]["matched_packets"],
                                        summary["rules"][0]["lost_packets"]))
            self.assertEqual((200, 5), (summary["reloads"]["retired_matched_packets"],
                                        summary["reloads"]["retired_lost_packets"]))
            self.assertRegex(self.twinpath("stats").stdout, r"\n\(replaced by reloads\) +200 +5 ")
            self.assertEqual(summary["totals"]["rx_bytes"],
                             summary["reloads"]["retired_matched_bytes"]
                             + sum(rule["matched_bytes"] for rule in summary["rules"]))
            program.stop()

    def test_flows_and_marks_go_on(self):
        self.wire()
        flows = {"name": "flows", "match": {"port": "lan", "proto": "udp"}, "forward": WAN,
                 "loss": {"model": "sequence", "packets": ["0-4"], "scope": "flow"}}
        with self.begin(policy_of(flows)) as program:
            send("gen", "lan", range(32))  # two of each of 16 flows
            self.assertEqual(32, self.counted(32)["rules"][0]["lost_packets"])
            wider = {**flows, "match": {"port": "lan"}}
            self.assertEqual(2, reload(CONTROL, policy_of(NOBODY, wider))["ok"]["continued"])
            send("gen", "lan", range(160))
            flow = self.rules(self.counted(192))["flows"]
            self.assertEqual((192, 80), (flow["matched_packets"], flow["lost_packets"]))
            marks = {"name": "marks", "match": {"port": "lan"}, "forward": WAN,
                     "loss": {"model": "periodic", "every": 10, "ecn_mark": True}}
            for number, (policy, expected) in enumerate((
                    (policy_of(marks), (100, 10)),
                    (policy_of(NOBODY, marks), (200, 20)),  # keeps its state
                    (policy_of(NOBODY), None),
                    (policy_of({**marks, "name": "anew"}), (100, 10))), 1):  # in the place of marks
                self.assertIn("ok", reload(CONTROL, policy))
                send("gen", "lan", range(100), make=ecn_capable)
                rules = self.rules(self.counted(192 + 100 * number))
                if expected:
                    rule = rules.get("marks") or rules["anew"]
                    self.assertEqual(expected, (rule["matched_packets"], rule["marked_packets"]))
            program.stop()

    def test_streams_that_ended_make_room(self):
        self.wire()
        with self.begin(policy_of(FORWARDED)) as program:
            for turn in range(6):  # a queue has room for a little more than 4,096 rules
                many = policy_of(*({"name": f"t{turn} r{i}", "match": {"dst_port": 10000 + i},
                                    "loss": {"model": "random", "rate": "1%"}} for i in range(1500)))
                self.assertIn("ok", reload(CONTROL, many))
            program.stop()

    def test_an_interface_that_went_keeps_nobody_from_reloading(self):
        self.wire()
        with self.begin(policy_of(FORWARDED)) as program:
            run("ip", "link", "del", "sink")
            wait_for("its end", lambda: not os.path.exists("/sys/class/net/wan"))
            for policy in (policy_of(NOBODY), policy_of(FORWARDED, NOBODY), policy_of(NOBODY)):
                self.assertIn("ok", reload(CONTROL, policy))
            send("gen", "lan", range(100))
            self.assertEqual(100, self.counted(100)["totals"]["denied_packets"])
            program.stop()

    def test_larger_policies_and_flows_come_and_go(self):
        self.wire()
        many = policy_of(*({"name": f"r{i}", "match": {"port": "lan", "dst_port": 10000 + i},
                            "forward": "drop"} for i in range(1500)), FORWARDED)
        flows = policy_of({"name": "flows", "match": {"port": "lan", "proto": "udp"},
                           "loss": {"model": "periodic", "every": 2, "scope": "flow"},
                           "forward": WAN})
        with self.begin(policy_of(FORWARDED)) as program:
            for sent, policy in enumerate((many, flows, many, flows), 1):
                self.assertIn("ok", reload(CONTROL, policy))
                send("gen", "lan", range(160))
                self.counted(160 * sent)
            summary = self.counted(640)
            # Sixteen flows of ten frames. They began again, because the rule was removed meanwhile.
            self.assertEqual((160, 80), (summary["rules"][0]["matched_packets"],
                                         summary["rules"][0]["lost_packets"]))
            self.assertEqual(32, sum(q["flows_added"] for q in summary["queues"]))
            huge = policy_of(*({"name": f"h{i}", "match": {"port": "lan", "dst_port": 10000 + i},
                                "forward": "drop"} for i in range(9000)))
            answer = reload(CONTROL, huge)
            self.assertRegex(answer["error"], "no room for the policy's new rules .* 409[0-9] rules")
            self.assertFalse(answer["wrong"])
            program.stop()

    def test_reload_command_and_hangup(self):
        self.wire()
        other = self.folder / "other.json"
        other.write_text(json.dumps(policy_of(NOBODY)))
        bad = self.folder / "bad.json"
        bad.write_text("[]")
        with self.begin(policy_of(FORWARDED)) as program:
            self.assertEqual(0o600, CONTROL.stat().st_mode & 0o777)
            done = self.twinpath("reload", str(other))
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("2 rules, 1 kept their state", done.stdout)
            done = self.twinpath("reload", "--path", "xdp", "--json", str(other))
            self.assertEqual(2, json.loads(done.stdout)["reloads"])
            wrong = self.twinpath("reload", str(bad))
            self.assertEqual(2, wrong.returncode)
            self.assertRegex(wrong.stderr, r"\Atwinpath reload: [^\n]*bad.json: [^\n]+\n\Z")
            self.assertEqual(2, self.twinpath("reload", "/nonexistent").returncode)
            self.assertEqual(1, self.twinpath("reload", "-f", "nobody", str(other)).returncode)
            said = [program.process.stderr.readline() for _ in range(3)]
            for line, how in zip(said, ("loaded", "loaded", "keeping the current policy")):
                self.assertIn(f"reload: {how}", line)
            program.process.send_signal(signal.SIGHUP)
            self.assertIn("SIGHUP: loaded", program.process.stderr.readline())
            other.unlink()
            program.process.send_signal(signal.SIGHUP)
            self.assertRegex(program.process.stderr.readline(), "keeping the current policy: .*No such file")
            os.mkfifo(other)  # a pipe whose end may never come
            program.process.send_signal(signal.SIGHUP)
            self.assertRegex(program.process.stderr.readline(), "no longer a regular file")
            shown = json.loads(self.twinpath("stats", "--json").stdout)
            self.assertEqual(str(other), shown["policy"]["file"])
            summary = program.stop()
        self.check_counts(summary, 3, 3)
        self.assertFalse(CONTROL.exists())
        self.assertEqual(1, self.twinpath("reload", str(bad)).returncode)

    def test_overrides_hold_and_without_a_file_hangup_changes_nothing(self):
        self.wire()
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wan", "--loss",
                        "100%") as program:
            program.process.send_signal(signal.SIGHUP)
            self.assertIn("no policy file", program.process.stderr.readline())
            self.assertIn("ok", reload(CONTROL, policy_of(NOBODY)))
            send("gen", "lan", range(100))
            self.counted(100)
            rules = self.rules(program.stop())
        self.assertEqual((100, 100), (rules["default"]["matched_packets"],
                                      rules["default"]["lost_packets"]))

    def test_misuse(self):
        self.wire()
        good = policy_of(FORWARDED)
        with self.begin(good) as program:
            silent = [connect(CONTROL) for _ in range(16)]
            crowded = reload(CONTROL, good)
            self.assertIn("16 clients are connected", crowded["error"])
            for client in silent:
                client.close()
            wait_for("room", lambda: "ok" in (reload(CONTROL, good) or {}))
            with connect(CONTROL) as silent:
                self.assertEqual(b"", silent.recv(1))  # the program gave up waiting
            for request, file in ((b"{}", None), (b"\xff", None), (b"x" * 70000, None),
                                  (b'{"reload": "x"}', None), (b'{"reload": 1}', memory(b"{}")),
                                  (b'{"reload": "x"}', memory(b"{}", seals=0)),
                                  (b'{"reload": "x"}', os.pipe()[0]),
                                  (b'{"reload": "x"}', memory(b"x" * (33 << 20)))):
                answer = ask(CONTROL, request, file)
                self.assertTrue(answer["wrong"], answer)
            self.assertTrue(reload(CONTROL, b"\0garbage" * (10 << 17))["wrong"])
            if os.geteuid() == 0:
                os.chmod(CONTROL, 0o666)
                for folder in (CONTROL.parent, CONTROL.parent.parent):
                    os.chmod(folder, 0o755)
                stranger = subprocess.run(
                    ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c",
                     "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
                     f"s.connect('{CONTROL}'); print(s.recv(999))"],
                    capture_output=True, text=True, timeout=30)
                self.assertIn("only root and the program", stranger.stdout, stranger.stderr)
            self.assertIn("ok", reload(CONTROL, good))
            program.stop()

    def test_reloaders_that_race_and_die_and_an_end_in_between(self):
        self.wire()
        policies = [self.folder / f"{i}.json" for i in range(3)]
        for path, policy in zip(policies, SHUFFLED):
            path.write_text(json.dumps(policy))
        with self.begin(SHUFFLED[0]) as program:
            for path in policies:
                self.assertEqual(0, self.twinpath("reload", str(path)).returncode)
            racing = [subprocess.Popen([TWINPATH, "reload", str(policies[i % 3])],
                                       stdout=subprocess.DEVNULL) for i in range(12)]
            for process in racing[::4]:
                process.kill()
            self.assertEqual({0}, {p.wait(60) for i, p in enumerate(racing) if i % 4})
            for process in racing[::4]:
                process.wait(60)
            late = [subprocess.Popen([TWINPATH, "reload", str(policies[i % 3])],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for i in range(6)]
            program.stop()
            self.assertLessEqual({p.wait(60) for p in late}, {0, 1})
        self.assertEqual({}, attached())
        with self.begin(SHUFFLED[0]) as program:
            late = subprocess.Popen([TWINPATH, "reload", str(policies[2])],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.1)  # the program is in the verifier
            program.process.kill()
            program.process.wait(30)
            self.assertLessEqual(late.wait(60), 1)
        wait_for("detaching", lambda: not attached())
        with self.begin(SHUFFLED[0]) as program:  # although the socket of the killed one is left
            self.assertIn("ok", reload(CONTROL, SHUFFLED[1]))
            program.stop()

    def test_a_pinned_link_keeps_the_last_policy(self):
        self.wire()
        with self.begin(policy_of(FORWARDED), "native", "--pin") as program:
            first = attached()["lan"][1]
            self.assertIn("ok", reload(CONTROL, policy_of(NOBODY, FORWARDED)))
            second = attached()["lan"][1]
            self.assertNotEqual(first, second)
            program.stop()
        self.assertEqual(second, attached()["lan"][1])
        with Capture("sink") as capture:
            send("gen", "lan", range(320))
            frames = capture.frames(at_least=144)
        self.assertEqual(144, len(frames))
        shutil.rmtree(BPFFS / "twinpath")
        wait_for("detaching", lambda: not attached())


main()
