#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What goes wrong around twinpath-splice, and what it then does: targets that fail, floods beyond
the limit, signals, kill -9, chaos on request, and telemetry of all that.

  faults_test.py TWINPATH_SPLICE TWINPATH
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import threading
import time

from splice_lab import MODES, MORE, PROGRAM, Server, SpliceTest, main, read_all, reset
from wait import wait_for

DEAD = "127.0.0.1:9"  # nobody listens there
PATTERN = bytes(range(256)) * 4096


def outcome(client):
    """How a connection ends for its client: what came, and "fin" or "reset"."""
    came = b""
    try:
        while piece := client.recv(1 << 16):
            came += piece
        return came, "fin"
    except ConnectionResetError:
        return came, "reset"
    finally:
        client.close()


def attempt(program):
    """The outcome of a client that asks, and sends its FIN."""
    try:
        client = program.connect()  # its reset may come before this is over
    except OSError:
        return b"", "reset"
    try:
        client.sendall(b"?")
        client.shutdown(socket.SHUT_WR)
    except OSError:  # then recv() is not told of the reset any more
        return outcome(client)[0], "reset"
    return outcome(client)


class Serving(threading.Thread):
    """A target that says its name to each client that asks, and reads until the FIN."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name_bytes, self.served, self.ending = server, name, 0, False
        self.start()

    def run(self):
        self.server.settimeout(0.05)
        while not self.ending:
            try:
                connection, _ = self.server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.served += 1
            with connection, contextlib.suppress(OSError):  # it may be reset
                connection.settimeout(10)
                connection.recv(1)
                connection.sendall(self.name_bytes)
                connection.shutdown(socket.SHUT_WR)
                read_all(connection)

    def end(self):
        self.ending = True
        self.join(10)
        self.server.close()


class Targets(SpliceTest):
    def test_in_turn_and_one_that_is_down_is_skipped_and_tried_again(self):
        first, second = Serving(Server(), b"first"), Serving(Server(), b"second")
        port = first.server.getsockname()[1]
        with self.start("--to", first.server.text, "--to", second.server.text, "--retry",
                        "0.3") as program:
            self.assertEqual([b"first", b"second"] * 3, [attempt(program)[0] for _ in range(6)])
            first.end()
            self.assertEqual([b"second"] * 4, [attempt(program)[0] for _ in range(4)])
            down, up = (program.ask("/twinpath/targets")[0][key] for key in "01")
            self.assertEqual(("down", "up"), (down["state"], up["state"]))
            self.assertEqual((3, 7), (down["connections"], up["connections"]))
            self.assertGreaterEqual(down["failures"], 1)
            self.assertLessEqual(down["failures"], 4)
            self.assertRegex(program.log(), rf"target 127.0.0.1:{port}: Connection refused; trying "
                                            "the next one")
            first = Serving(Server(port=port), b"first again")
            wait_for("the first to be tried again",
                     lambda: attempt(program)[0] == b"first again", 20)
            totals = program.stop()["totals"]
            self.assertEqual(0, totals["failed"])
        first.end()
        second.end()

    def test_where_none_answers_the_client_is_reset_and_the_log_says_why(self):
        with self.start("--to", DEAD) as program:
            self.assertEqual((b"", "reset"), attempt(program))
            self.assertRegex(program.log(), r"connection 0 of 127.0.0.1:\d+: target 127.0.0.1:9: "
                                            "Connection refused; the client is reset")
            self.assertEqual(1, program.stop()["totals"]["failed"])

    def test_a_target_that_does_not_answer_or_cannot_be_reached(self):
        for command in ("link add nowhere type veth peer name void", "link set nowhere up",
                        "link set void up", "addr add 198.18.1.1/24 dev nowhere",
                        "neigh replace 198.18.1.2 lladdr 02:00:00:00:00:01 dev nowhere"):
            subprocess.run(["ip", *command.split()], check=True)
        for target, why in (("198.18.1.2:1", "no answer"), ("198.18.9.9:1", "unreachable"),
                            ("[2001:db8::1]:1", "unreachable")):
            with self.subTest(target=target), self.start(
                    "--to", target, "--connect-timeout", "0.3") as program:
                self.assertEqual((b"", "reset"), attempt(program))
                self.assertIn(why, program.log())
                self.assertEqual(1, program.stop()["totals"]["failed"])

    def test_what_this_host_lacks_is_not_the_targets_failure(self):
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40009")
        try:
            with Server(port=30000) as server, self.start("--to", server.text) as program:
                client_ports = iter(range(20000, 20100))

                def connect():
                    client = socket.socket()
                    client.bind(("127.0.0.1", next(client_ports)))
                    client.settimeout(20)
                    with contextlib.suppress(ConnectionResetError):  # at once
                        client.connect(program.address)
                    return client
                clients = [connect() for _ in range(15)]
                wait_for("the ends", lambda: program.totals()["failed"] > 0)
                target, = program.ask("/twinpath/targets")
                self.assertEqual(("up", 0), (target["0"]["state"], target["0"]["failures"]))
                self.assertIn("Cannot assign requested address", program.log())
                for client in clients:
                    client.close()
        finally:
            pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("32768 60999")

    def test_killed_in_the_middle(self):
        """The processes at either end are killed while they send and receive."""
        for mode in MODES:
            for killed in ("target", "client"):
                with self.subTest(mode=mode, killed=killed), self.server() as server, self.start(
                        "--to", server.text, "--mode", mode) as program:
                    # A process of its own at the end that is killed; it sends without end.
                    pid = os.fork()
                    if pid == 0:
                        try:
                            end = server.take() if killed == "target" else program.connect()
                            while True:
                                end.sendall(PATTERN)
                                with contextlib.suppress(BlockingIOError):
                                    end.recv(1 << 20, socket.MSG_DONTWAIT)
                        finally:
                            os._exit(1)
                    other = program.connect() if killed == "target" else server.take()
                    other.sendall(b"x")
                    got = 0
                    while got < 50 << 20:
                        got += len(other.recv(1 << 20))
                        other.sendall(b"x" * 1000)
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    _, how = outcome(other)
                    self.assertIn(how, ("reset", "fin"))  # by what was unread when it died
                    wait_for("the end", lambda: program.totals()["open"] == 0)
                    program.stop()


class Limits(SpliceTest):
    def test_ten_thousand_at_once_against_the_limit(self):
        limit, clients = 100, 10000
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1100 60999")
        with self.server() as server, self.start(
                "--to", server.text, "--max-connections", limit, "--mode", "copy",
                listen="127.0.0.1:7000") as program:
            idle = program.descriptors()
            poll, sockets = select.poll(), {}
            for _ in range(clients):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(program.address)
                sockets[client.fileno()] = client
                poll.register(client, select.POLLRDHUP)
            refused = 0
            while refused < clients - limit:
                events = poll.poll(30000)
                self.assertTrue(events, f"{refused} refused")
                for fd, _ in events:
                    poll.unregister(fd)
                    sockets.pop(fd).close()
                    refused += 1
            self.assertEqual(limit, len(sockets))
            wait_for("the rest", lambda: program.totals()["open"] == limit)
            self.assertRegex(program.log(), r"is reset: all --max-connections are in use \(100\)")
            for client in list(sockets.values()):  # those that got in are served
                client.setblocking(True)
                client.settimeout(20)
                client.sendall(b"in")
            for _ in range(limit):
                served = server.take()
                self.assertEqual(b"in", served.recv(10))
                reset(served)
            for client in sockets.values():
                self.assertEqual((b"", "reset"), outcome(client))
            wait_for("the end", lambda: program.totals()["open"] == 0)
            self.assertLessEqual(program.descriptors(), idle + 1)
            totals = program.stop()["totals"]
            self.assertEqual((clients, clients - limit, limit),
                             (totals["accepted"], totals["refused"], totals["reset"]))

    def test_descriptors_are_raised_or_explained(self):
        with self.start("--to", DEAD, "--max-connections", 1000, "--mode", "splice",
                        prefix=("prlimit", "--nofile=256:9000")) as program:
            limit = pathlib.Path(f"/proc/{program.process.pid}/limits").read_text()
            self.assertRegex(limit, r"Max open files +(6\d\d\d|7\d\d\d) +9000 ")
        with self.start("--to", DEAD, prefix=("prlimit", "--nofile=256:1000")) as program:
            self.assertRegex(program.log(), r", [1-3]\d\d connections at most")

    def test_without_a_descriptor_left_it_waits(self):
        with self.server() as server, self.start("--to", server.text, "--workers", 1) as program:
            _, hard = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE,
                             (program.descriptors(), hard))
            client = program.connect()
            time.sleep(1)
            self.assertLess(program.log().count("accepting: Too many open files; trying again"), 15)
            resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (100, hard))
            served = server.take()
            client.sendall(b"at last")
            self.assertEqual(b"at last", served.recv(100))

    def test_a_receiver_that_takes_what_waits_is_not_idle(self):
        for server, program in self.in_each_mode("--idle", "1"):
            client, served = program.connect(receive_buffer=4096), server.take()
            served.settimeout(0.3)
            sent = 0
            with self.assertRaises(TimeoutError):
                while True:
                    sent += served.send(bytes(1 << 16))
            end, got = time.monotonic() + 3, 0
            while time.monotonic() < end:  # little by little, so nothing more is sent for long
                got += len(client.recv(1000))
                time.sleep(0.05)
            self.assertLess(got, 100000)
            served.close()
            self.assertEqual(sent, got + len(read_all(client)))
            client.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_idle_connections_are_reset(self):
        for server, program in self.in_each_mode("--idle", "1"):
            client, served = program.connect(), server.take()
            for _ in range(8):  # longer than the time-out, but never silent
                client.sendall(b"x")
                self.assertEqual(b"x", served.recv(1))
                time.sleep(0.2)
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()
            self.assertEqual(1, program.stop()["totals"]["idle"])

    def test_socket_options(self):
        with self.server() as server, self.start("--to", server.text, "--keepalive",
                                                 "77") as program:
            with program.connect(), server.take():
                shown = subprocess.run(["ss", "-tnoH", "state", "established"],
                                       capture_output=True, text=True, check=True).stdout
                self.assertEqual(2, shown.count("timer:(keepalive,1min1"), shown)
            program.stop()


class Ending(SpliceTest):
    def test_sigterm_drains_what_is_open(self):
        for server, program in self.in_each_mode("--drain", "20"):
            client, served = program.connect(), server.take()
            client.sendall(PATTERN)
            program.process.send_signal(signal.SIGTERM)
            self.refused(program)
            client.sendall(PATTERN)  # after the signal
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(2 * len(PATTERN), len(read_all(served)))
            served.close()
            self.assertEqual((b"", "fin"), outcome(client))
            totals = program.end()["totals"]
            self.assertEqual(0, totals["aborted"])
            self.assertLessEqual(1, totals["drained"])

    def refused(self, program):
        """Nobody can connect any more, soon after the signal."""
        def answer():
            try:
                reset(program.connect())
            except ConnectionRefusedError:
                return True
            except ConnectionResetError:
                pass  # just before
            return False
        wait_for("draining", answer)

    def test_what_does_not_end_in_time_is_reset(self):
        for server, program in self.in_each_mode("--drain", "0.2"):
            client, served = program.connect(), server.take()
            totals = program.stop()["totals"]
            self.assertEqual((0, 1), (totals["finished"], totals["aborted"]))
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()

    def test_a_second_signal_ends_the_draining(self):
        for server, program in self.in_each_mode("--drain", "1000"):
            client, served = program.connect(), server.take()
            program.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            self.assertEqual(1, program.stop(signal.SIGINT)["totals"]["aborted"])
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()

    def test_kill_leaves_no_bpf_object_and_the_next_one_starts(self):
        def objects():
            shown = [json.loads(subprocess.run(["bpftool", "--json", kind, "show"], timeout=60,
                                               capture_output=True, text=True, check=True).stdout)
                     for kind in ("prog", "map")]
            return {entry["id"] for entries in shown for entry in entries
                    if str(entry.get("name", "")).startswith("tp_splice")
                    or entry.get("name") in ("tp_sockets", "tp_slots", "tp_flows", "tp_events")}
        with self.server() as server:
            for _ in range(2):
                before = objects()
                with self.start("--to", server.text, "--mode", "sockmap") as program:
                    client, served = program.connect(), server.take()
                    client.sendall(b"x")
                    self.assertEqual(b"x", served.recv(1))
                    made = objects() - before
                    self.assertGreaterEqual(len(made), 5)
                    program.process.kill()
                    program.process.wait(20)
                self.assertIn(outcome(client)[1], ("fin", "reset"))
                served.close()
                wait_for("the kernel to free them", lambda: not made & objects())

    def test_the_socket_that_is_left_behind_hinders_nobody(self):
        with self.server() as server:
            with self.start("--to", server.text) as program:
                program.process.kill()
                program.process.wait(20)
            with self.start("--to", server.text) as program:
                program.stop()


class Chaos(SpliceTest):
    def fates(self, clients, *arguments):
        with self.server() as server:
            serving = Serving(server, PATTERN[:100000])
            with self.start("--to", server.text, "--workers", 1, *arguments) as program:
                results = []
                for _ in range(clients):
                    came, how = attempt(program)
                    self.assertEqual(PATTERN[:len(came)], came)
                    results.append((len(came), how))
                totals = program.stop()["totals"]
            serving.end()
        return results, totals

    def test_refused_by_the_seed(self):
        one, totals = self.fates(300, "--refuse", "30%", "--seed", 1)
        refused = [result == (0, "reset") for result in one]
        self.assertEqual(sum(refused), totals["refused_by_chaos"])
        self.assertLess(abs(sum(refused) - 90), 31)  # 3.9 standard deviations
        again, _ = self.fates(300, "--refuse", "0.3", "--seed", 1, "--mode", "sockmap")
        self.assertEqual(one, again)
        other, _ = self.fates(300, "--refuse", "30%", "--seed", 2)
        self.assertNotEqual(one, other)
        for rate, count in (("0", 0), ("1", 50)):
            _, totals = self.fates(50, "--refuse", rate)
            self.assertEqual(count, totals["refused_by_chaos"])

    def test_reset_after_exactly_so_many_octets_in_each_mode(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                results, totals = self.fates(20, "--reset-after", "12345", "--mode", mode)
                self.assertEqual([(12345, "reset")] * 20, results)
                self.assertEqual(20, totals["reset_by_chaos"])
                self.assertEqual(20 * 12345, totals["to_client_bytes"])

    def test_reset_after_a_range_is_drawn_by_the_seed_alone(self):
        ranges = [self.fates(50, "--reset-after", "1K-64K", "--seed", 5, "--mode", mode)[0]
                  for mode in MODES]
        self.assertEqual(ranges[0], ranges[1])
        self.assertEqual(ranges[0], ranges[2])
        lengths = [length for length, _ in ranges[0]]
        self.assertTrue(all(1024 <= length <= 65536 for length in lengths))
        self.assertGreater(len(set(lengths)), 45)

    def test_reset_after_a_time(self):
        for server, program in self.in_each_mode("--reset-after", "300ms"):
            client, served = program.connect(), server.take()
            client.sendall(b"x")
            self.assertEqual(b"x", served.recv(1))
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()
            self.assertEqual(1, program.stop()["totals"]["reset_by_chaos"])


class Telemetry(SpliceTest):
    def test_no_open_connection_is_left_out_where_others_close_between_two_pages(self):
        with self.server() as server, self.start("--to", server.text) as program:
            pairs = [(program.connect(), server.take()) for _ in range(200)]
            page, = program.ask("/twinpath/connections")
            listed = [int(key) for key in page if key.isdigit()]
            for pair in pairs[:40]:
                for end in pair:
                    end.close()
            wait_for("the ends", lambda: program.totals()["open"] == 160)
            while "next" in page:
                page, = program.ask(f"/twinpath/connections,{page['next']}")
                listed += [int(key) for key in page if key.isdigit()]
            self.assertEqual(list(range(200)), listed)
            wrong, = program.ask("/twinpath/connections,x")
            self.assertEqual({"error": 'FIRST: found "x", allowed a connection\'s number'}, wrong)

    def test_connections_and_sums_by_the_socket_stats_and_top(self):
        for server, program in self.in_each_mode():
            pairs = [(program.connect(), server.take()) for _ in range(120)]
            for n, (client, served) in enumerate(pairs):
                client.sendall(b"u" * n)
                served.sendall(b"d" * 2 * n)
                for end, octets in ((client, 2 * n), (served, n)):
                    while octets:
                        octets -= len(end.recv(octets))
            total = sum(range(120))
            wait_for("all octets", lambda: program.totals()["to_target_bytes"] == total)
            listed, first = [], 0
            while first is not None:  # page by page
                page, = program.ask(f"/twinpath/connections,{first}")
                listed += [entry for key, entry in page.items() if key.isdigit()]
                first = page.get("next")
            self.assertEqual(list(range(120)), [entry["number"] for entry in listed])
            for n, entry in enumerate(listed):
                self.assertEqual((program.mode, "open", n, 2 * n),
                                 (entry["mode"], entry["state"], entry["to_target_bytes"],
                                  entry["to_client_bytes"]))
                self.assertEqual(server.text, entry["target"])
                self.assertGreater(entry["age_us"], 0)
            self.assertEqual("%s:%d" % pairs[5][0].getsockname(), listed[5]["client"])
            stats = subprocess.run([MORE[0], "stats", "--json"], capture_output=True, text=True,
                                   timeout=20, check=True)
            shown = json.loads(stats.stdout)
            self.assertEqual((120, total, 2 * total),
                             tuple(shown["totals"][name] for name in
                                   ("open", "to_target_bytes", "to_client_bytes")))
            self.assertEqual(listed[7]["client"], shown["connections"][7]["client"])
            tables = subprocess.run([MORE[0], "stats"], capture_output=True, text=True, timeout=20,
                                    check=True).stdout
            self.assertIn("(the busiest 40 of 120 connections; all of them with --json)", tables)
            self.top(program, pairs[3])
            for client, served in pairs:
                client.close()
                served.close()
            wait_for("the end", lambda: program.totals()["open"] == 0)
            totals = program.stop()["totals"]  # what `top` was shown nobody read
            self.assertEqual((119, 1), (totals["finished"], totals["reset"]))

    def top(self, program, pair):
        with subprocess.Popen([MORE[0], "top", "0.2"], stdout=subprocess.PIPE, text=True) as top:
            seen = ""
            while "\n         3  " not in seen and "\n       3  " not in seen:
                pair[0].sendall(b"x" * 1000)
                line = top.stdout.readline()
                self.assertTrue(line, seen)
                seen += line
                if seen.count("\n") > 5000:
                    break
            top.send_signal(signal.SIGINT)
            top.communicate(timeout=10)
            self.assertRegex(seen, r"\n +3  +127.0.0.1:\d+ ")
            self.assertEqual(0, top.returncode)

    def test_dpdks_own_reader(self):
        with self.server() as server, self.start("--to", server.text) as program:
            with program.connect(), server.take():
                reader = subprocess.run(["dpdk-telemetry.py", "-f", "twinpath-splice"],
                                        input="/\n/twinpath/connections\n/twinpath/splice,x\n",
                                        capture_output=True, text=True, timeout=30, check=True)
                commands, connections, error = map(json.loads, reader.stdout.splitlines())
            self.assertIn("/twinpath/targets", commands["/"])
            self.assertEqual(1, connections["/twinpath/connections"]["total"])
            self.assertIn("no parameters", error["/twinpath/splice"]["error"])
            program.stop()


class BadInput(SpliceTest):
    def refused(self, pattern, *arguments, prefix=(), listen=("--listen", "127.0.0.1:0")):
        before = sorted(pathlib.Path("/run").rglob("dpdk_telemetry*"))
        result = subprocess.run([*prefix, PROGRAM, *listen, *arguments], capture_output=True,
                                text=True, timeout=20)
        self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)
        self.assertRegex(result.stderr, r"\Atwinpath-splice: [^\n]+\n\Z")
        self.assertRegex(result.stderr, pattern)
        self.assertLess(len(result.stderr), 400)
        self.assertEqual(before, sorted(pathlib.Path("/run").rglob("dpdk_telemetry*")))

    def test_what_is_wrong_is_named(self):
        to = ("--to", DEAD)
        for pattern, arguments in (
                (r'--to: found "nohost:80", allowed ADDRESS:PORT', ("--to", "nohost:80")),
                (r'--to: .*"::1:80"', ("--to", "::1:80")),
                (r'--to: .*"\[::1\]"', ("--to", "[::1]")),
                (r'--to: .*port "0", allowed 1 to 65535', ("--to", "127.0.0.1:0")),
                (r'--to: .*port "65536"', ("--to", "127.0.0.1:65536")),
                (r'--to: .*port "8x"', ("--to", "127.0.0.1:8x")),
                (r'--to: .*"\[fe80::1%none\]:1"', ("--to", "[fe80::1%none]:1")),
                ("--to is required", ()),
                ("--mode: fast not in", (*to, "--mode", "fast")),
                ("--workers", (*to, "--workers", "0")),
                ("--max-connections", (*to, "--max-connections", "0")),
                ("--refuse: .*200%", (*to, "--refuse", "200%")),
                ('--reset-after: found "0"', (*to, "--reset-after", "0")),
                ('--reset-after: found "5s-1s"', (*to, "--reset-after", "5s-1s")),
                ('--reset-after: found "1K-5s"', (*to, "--reset-after", "1K-5s")),
                ("--drain: found \"-1\", .* or 0\n", (*to, "--drain", "-1")),
                ('--seed: found "-1", allowed an integer from 0', (*to, "--seed", "-1")),
                ("--drain", (*to, "--drain", "nan")),
                ("--idle", (*to, "--idle", "0")),
                ("--connect-timeout", (*to, "--connect-timeout", "x")),
                ("--summary: /no/where", (*to, "--summary", "/no/where")),
                ("file prefix", (*to, "--file-prefix", "a/b")),
                ("stray", (*to, "stray"))):
            with self.subTest(arguments=arguments):
                self.refused(pattern, *arguments)
        with self.server() as server:
            self.refused("--listen: bind .*: Address already in use", *to,
                         listen=("--listen", server.text))
        self.refused("--listen: bind 192.0.2.1:80: Cannot assign", *to,
                     listen=("--listen", "192.0.2.1:80"))
        self.refused("--listen is required", *to, listen=())
        for to, listen in (("127.0.0.1:9", "127.0.0.1:9"), ("127.0.0.1:9", "0.0.0.0:9"),
                           ("127.0.0.1:9", "[::]:9"), ("[::1]:9", "[::]:9"), ("0.0.0.0:9",
                           "127.0.0.1:9"), ("0.0.0.0:9", "0.0.0.0:9")):
            self.refused(re.escape(f'--to: found "{to}", where --listen takes it again, allowed '),
                         "--to", to, listen=("--listen", listen))

    def test_too_few_descriptors_for_what_was_asked(self):
        self.refused("--max-connections: 5000 in mode splice take 3.* file descriptors, and this "
                     "process may have 1000: allow more with ulimit -Hn 3", "--to", DEAD, "--mode",
                     "splice", "--max-connections", "5000",
                     prefix=("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource",
                             "prlimit", "--nofile=256:1000"))

    def test_too_few_descriptors_for_one_connection(self):
        self.refused("one connection in mode splice takes [0-9]+ file descriptors, .* this process "
                     "may have 30: allow more", "--to", DEAD,
                     prefix=("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource",
                             "prlimit", "--nofile=30:30"))

    def for_anybody(self):
        """A runtime folder and a copy of the program that another user may use."""
        folder = self.folder / "run"
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        self.folder.chmod(0o755)
        program = self.folder / "twinpath-splice"
        program.write_bytes(pathlib.Path(PROGRAM).read_bytes())
        program.chmod(0o755)
        return folder, program

    def test_sockmap_takes_two_capabilities_and_no_more(self):
        folder, program = self.for_anybody()
        for given, status, said in (("+bpf,+net_admin", 0, "mode sockmap (as asked)"),
                                    ("+bpf", 2, "sockmap takes CAP_NET_ADMIN: run it as root"),
                                    ("+net_admin", 2, "sockmap takes CAP_BPF: run it as root")):
            ran = subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                 f"--inh-caps=-all,{given}", f"--ambient-caps=-all,{given}", "env",
                 f"RUNTIME_DIRECTORY={folder}", str(program), "--listen", "127.0.0.1:0", "--to", DEAD,
                 "--mode", "sockmap", "--duration", "0.1"], capture_output=True, text=True, timeout=20)
            self.assertEqual(status, ran.returncode, ran.stderr)
            self.assertIn(said, ran.stderr)

    def test_without_privileges_sockmap_is_refused_and_auto_works(self):
        folder, program = self.for_anybody()
        plain = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                 "env", f"RUNTIME_DIRECTORY={folder}", str(program), "--listen", "127.0.0.1:0",
                 "--to", DEAD, "--duration", "0.1")
        refused = subprocess.run([*plain, "--mode", "sockmap"], capture_output=True, text=True,
                                 timeout=20)
        self.assertEqual((2, "twinpath-splice: sockmap takes CAP_BPF and CAP_NET_ADMIN: run it as "
                          "root, with sudo\n"), (refused.returncode, refused.stderr))
        taken = subprocess.run(plain, capture_output=True, text=True, timeout=20)
        self.assertEqual(0, taken.returncode, taken.stderr)
        self.assertRegex(taken.stderr, r"listening on 127.0.0.1:\d+, mode splice \(auto: .*; sockmap "
                         r"would take CAP_BPF and CAP_NET_ADMIN\)")


main()
