# SPDX-License-Identifier: BSD-3-Clause
"""Two hosts on plain veths with default offloads, like those of containers: the hosts leave checksums and
segmentation to NICs that do not exist."""
import json
import pathlib
import subprocess

from wait import wait_for

BYTES = 20_000_000


def run(*command):
    """Runs a command, which must succeed. Returns its output."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


class Host:
    """A network namespace with one interface, with default offloads."""

    def __init__(self, name, near, number):
        self.name, self.near = name, near
        run("ip", "netns", "add", name)
        run("ip", "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", "dev", near, "up")
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{near}/disable_ipv6").write_text("1")
        self.run("ip", "link", "set", "dev", "lo", "up")
        self.run("ip", "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
        self.run("ip", "address", "add", f"fd09::{number}/64", "dev", "eth0", "nodad")
        self.run("ip", "link", "set", "dev", "eth0", "up")

    def command(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command):
        return run(*self.command(*command))

    def offloads(self):
        return self.run("ethtool", "-k", "eth0")

    def counter(self, name):
        return int(self.run("nstat", "-asz", name).split(name)[1].split()[0])

    def remove(self):
        run("ip", "link", "del", self.near)  # at once; the end of a namespace takes its interfaces along later
        run("ip", "netns", "del", self.name)


class Hosts:
    """For a test case: client, whose other end here is eth1, and server, whose other end is eth2."""

    def make_hosts(self):
        self.client, self.server = Host("client", "eth1", 1), Host("server", "eth2", 2)
        self.addCleanup(self.client.remove)
        self.addCleanup(self.server.remove)

    def iperf3(self, *arguments, address="10.9.0.2"):
        """Runs a transfer from the client to the server. Returns iperf3's report of its end."""
        server = subprocess.Popen(self.server.command("iperf3", "--server", "--one-off"), stdout=subprocess.DEVNULL)
        try:
            wait_for("the server listens", lambda: ":5201" in self.server.run("ss", "-Hltn"), 30)
            client = subprocess.run(
                self.client.command("iperf3", "--client", address, "--json", "--connect-timeout", "10000", *arguments),
                capture_output=True, text=True, timeout=60)
            said = json.loads(client.stdout)
            assert "error" not in said, said
            server.wait(30)
            return said["end"]
        finally:
            server.kill()
            server.wait(30)
