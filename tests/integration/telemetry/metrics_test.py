#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""--metrics of every daemon: the metrics are the telemetry's counters, promtool and Prometheus accept them, and
clients that misbehave hold nothing up.

  metrics_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SOCKET TWINPATH_SPLICE
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import isolation
from wait import wait_for

TWINPATH, DPDK, XDP, SOCKET, SPLICE = sys.argv[1:6]
URL = re.compile(r"metrics: (http://(\S+):(\d+)/metrics)")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
FRAMES = 1000


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, timeout=60)


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def samples(text):
    """A dict: "name{labels}" -> value."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            found[f"{name}{{{labels or ''}}}"] = float(value)
    return found


class Daemon:
    """A program in the background, with --metrics. The constructor returns when it serves them."""

    def __init__(self, test, program, *arguments, address="127.0.0.1:0"):
        self.log = tempfile.NamedTemporaryFile("w+")
        arguments = list(arguments)
        at = arguments.index("--") if "--" in arguments else len(arguments)
        arguments[at:at] = ["--metrics", address]
        self.process = subprocess.Popen([program, *arguments], stdout=self.log, stderr=self.log)
        test.addCleanup(self.end)
        wait_for("the metrics", lambda: self.find() or self.process.poll() is not None)
        if not self.find():
            raise AssertionError(self.text())
        self.url, self.host, self.port = self.find().groups()
        wait_for("the path", lambda: "twinpath_info" in get(self.url))

    def text(self):
        return pathlib.Path(self.log.name).read_text()

    def find(self):
        return URL.search(self.text())

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(30)
        self.log.close()


class Metrics(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.environ["RUNTIME_DIRECTORY"] = folder.name

    def pair(self, here, there):
        ip("link", "add", here, "type", "veth", "peer", "name", there)
        self.addCleanup(ip, "link", "del", here)
        for interface in (here, there):
            # The kernel is to send no frame of its own.
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")
            ip("link", "set", interface, "arp", "off", "up")

    def feed(self, interface):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((interface, 0))
            for _ in range(FRAMES):
                sender.send(bytes.fromhex("020000000001 020000000002 88b5") + bytes(46))

    def accepted(self, text):
        """promtool has nothing to say."""
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                 capture_output=True, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def check_path(self, daemon, port):
        """The metrics, when all frames have arrived, are the counters of `twinpath stats`."""
        name = f'twinpath_rx_packets_total{{port="{port}",queue="0"}}'
        wait_for("all frames", lambda: samples(get(daemon.url))[name] == FRAMES)
        text = get(daemon.url)
        found = samples(text)
        own = "\n".join(block for block in text.split("# HELP ") if block.startswith("twinpath_"))
        self.assertTrue(own)
        self.accepted("".join(f"# HELP {block}" for block in text.split("# HELP ")
                              if block.startswith("twinpath_")))
        stats = json.loads(subprocess.run([TWINPATH, "stats", "--json"], capture_output=True,
                                          text=True, check=True, timeout=60).stdout)
        [queue] = [queue for queue in stats["queues"] if queue["port"] == port]
        verdicts = 0
        for verdict in ("tx", "pass", "lost", "denied", "malformed", "tx_full", "no_port"):
            for unit in ("packets", "bytes"):
                metric = (f'twinpath_verdict_{unit}_total{{port="{port}",queue="0",'
                          f'verdict="{verdict}"}}')
                self.assertEqual(found[metric], queue[f"{verdict}_{unit}"], metric)
            verdicts += queue[f"{verdict}_packets"]
        self.assertEqual(verdicts, FRAMES)
        for rule in stats["rules"]:
            metric = f'twinpath_rule_lost_packets_total{{rule="{rule["name"]}"}}'
            self.assertEqual(found[metric], rule["lost_packets"])
        self.assertEqual(found["twinpath_rules_matched_packets_total{}"], FRAMES)
        self.assertGreater(queue["lost_packets"], 0)

    def test_xdp(self):
        self.pair("metrics-lan", "metrics-gen")
        daemon = Daemon(self, XDP, "--port", "lan=metrics-lan", "--loss", "30%", "--forward",
                        "reflect")
        self.feed("metrics-gen")
        self.check_path(daemon, "lan")

    def test_socket(self):
        self.pair("metrics-lan", "metrics-gen")
        daemon = Daemon(self, SOCKET, "--engine", "packet_mmap", "--port", "lan=metrics-lan",
                        "--loss", "30%", "--forward", "drop", address="0")
        self.assertEqual(daemon.host, "127.0.0.1")
        self.feed("metrics-gen")
        self.check_path(daemon, "lan")

    def test_dpdk(self):
        self.pair("metrics-lan", "metrics-gen")
        daemon = Daemon(self, DPDK, "--port", "lan=metrics-lan", "--loss", "30%", "--forward",
                        "drop", "--idle", "adaptive", "--", "--no-huge", "-m", "256", "--no-pci")
        self.feed("metrics-gen")
        self.check_path(daemon, "lan")
        # EAL binds its main thread to the lcore's CPU, and these threads must not be there.
        tasks = pathlib.Path(f"/proc/{daemon.process.pid}/task")
        web = [task for task in tasks.iterdir()
               if (task / "comm").read_text().startswith("civetweb")]
        self.assertTrue(web)
        for task in web:
            self.assertEqual(os.sched_getaffinity(int(task.name)), os.sched_getaffinity(0))

    def test_splice(self):
        daemon = Daemon(self, SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1")
        text = get(daemon.url)
        self.accepted("".join(f"# HELP {block}" for block in text.split("# HELP ")
                              if block.startswith("twinpath_")))
        self.assertEqual(samples(text)["twinpath_splice_accepted_total{}"], 0)

    def test_an_address_that_is_taken_is_refused_before_anything(self):
        self.pair("metrics-lan", "metrics-gen")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for program, more in ((XDP, ["--port", "lan=metrics-lan"]),
                                  (SOCKET, ["--engine", "packet_mmap", "--port", "lan=metrics-lan"]),
                                  (DPDK, ["--port", "lan=metrics-lan"]),
                                  (SPLICE, ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"])):
                refused = subprocess.run([program, *more, "--metrics", address], timeout=60,
                                         capture_output=True, text=True)
                self.assertEqual((refused.returncode, refused.stdout, refused.stderr),
                                 (2, "", f"{os.path.basename(program)}: --metrics: cannot listen on "
                                  f"{address}: Address already in use\n"))
                self.assertEqual(list(self.folder.rglob("dpdk_telemetry*")), [])
        self.assertNotIn("xdp", subprocess.run(["ip", "link", "show", "metrics-lan"], text=True,
                                               capture_output=True, check=True).stdout)

    def test_a_wrong_address_names_what_is_allowed(self):
        refused = subprocess.run([SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1",
                                  "--metrics", "localhost:9464"], timeout=60, capture_output=True,
                                 text=True)
        self.assertEqual((refused.returncode, refused.stderr),
                         (2, 'twinpath-splice: --metrics: found "localhost:9464", allowed '
                          "ADDRESS:PORT or PORT, with an IPv4 address and a port from 0 to 65535: "
                          "127.0.0.1:9464\n"))

    def test_clients_that_misbehave_hold_nothing_up(self):
        daemon = Daemon(self, SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1")
        address = ("127.0.0.1", int(daemon.port))
        descriptors = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
        before = len(list(descriptors.iterdir()))
        silent = [socket.create_connection(address) for _ in range(24)]
        for client in silent:
            client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
        for garbage in (b"\0" * 4096, b"GET " + b"/.." * 1000 + b"/etc/passwd HTTP/1.0\r\n\r\n",
                        b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"):
            with socket.create_connection(address) as client:
                client.send(garbage)
                client.shutdown(socket.SHUT_WR)
        # Every silent client is disconnected in its turn. The rest of them gives up meanwhile.
        time.sleep(1)
        for client in silent:
            client.close()
        self.assertIn("twinpath_splice_accepted_total 0", get(daemon.url))
        with self.assertRaises(urllib.error.HTTPError) as missing:
            get(f"http://127.0.0.1:{daemon.port}/../../etc/passwd")
        missing.exception.close()
        self.assertEqual(missing.exception.code, 404)
        wait_for("the closed connections",
                 lambda: len(list(descriptors.iterdir())) <= before)
        daemon.process.terminate()
        self.assertEqual(daemon.process.wait(30), 0)

    def test_prometheus_scrapes_two_paths(self):
        self.pair("metrics-lan", "metrics-gen")
        self.pair("metrics-wan", "metrics-out")
        daemons = [Daemon(self, XDP, "--port", "lan=metrics-lan", "--loss", "30%", "--forward",
                          "reflect"),
                   Daemon(self, SOCKET, "--engine", "packet_mmap", "--port", "wan=metrics-wan",
                          "--loss", "30%", "--forward", "drop")]
        targets = [f"127.0.0.1:{daemon.port}" for daemon in daemons]
        configuration = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
                         "scrape_configs": [{"job_name": "twinpath",
                                             "static_configs": [{"targets": targets}]}]}
        (self.folder / "prometheus.yml").write_text(json.dumps(configuration))
        with socket.create_server(("127.0.0.1", 0)) as free:
            web = f"127.0.0.1:{free.getsockname()[1]}"
        log = open(self.folder / "prometheus.log", "w")
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address={web}"],
            stdout=log, stderr=log, cwd=self.folder)
        self.addCleanup(log.close)
        self.addCleanup(prometheus.wait, 60)
        self.addCleanup(prometheus.terminate)
        for interface in ("metrics-gen", "metrics-out"):
            self.feed(interface)

        def query(expression):
            try:
                answer = json.loads(get(f"http://{web}/api/v1/query?query="
                                        + urllib.parse.quote(expression)))
            except OSError:  # not up yet
                return {}
            return {series["metric"].get("port", ""): float(series["value"][1])
                    for series in answer["data"]["result"]}

        wait_for("all frames in Prometheus",
                 lambda: query("twinpath_rx_packets_total") == {"lan": FRAMES, "wan": FRAMES},
                 seconds=60)
        lost = query('twinpath_verdict_packets_total{verdict="lost"}')
        self.assertEqual(lost, {"lan": samples(get(daemons[0].url))[
            'twinpath_verdict_packets_total{port="lan",queue="0",verdict="lost"}'],
                                "wan": samples(get(daemons[1].url))[
            'twinpath_verdict_packets_total{port="wan",queue="0",verdict="lost"}']})
        # A fault raises an alert's expression.
        ip("link", "set", "metrics-gen", "down")
        wait_for("the fault in Prometheus",
                 lambda: query('twinpath_fault_active{fault="link_down"} == 1') != {}, seconds=60)


if __name__ == "__main__":
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)
