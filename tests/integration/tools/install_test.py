#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`meson install` installs everything, the command lines of the units work with only the privileges of the
units, and `ninja uninstall` leaves nothing.

  install_test.py BUILD-FOLDER PREFIX

The prefix is an empty tmpfs in the test's own mount namespace.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

import install_log
import isolation

isolation.require()
BUILD, PREFIX = sys.argv[1], pathlib.Path(sys.argv[2])
del sys.argv[1:]
SOURCE = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = ["twinpath", "twinpath-dpdk", "twinpath-xdp", "twinpath-splice", "twinpath-socket"]
DAEMONS = PROGRAMS[1:]
UNITS = PREFIX / "lib/systemd/system"
CONFIGURATION = {
    "twinpath-dpdk": "POLICY={data}/policies/wire.json\nPROFILE={data}/profiles/net-null-bench.json\n"
                     "OPTIONS=--stats-interval 60 -- --no-huge\n",
    "twinpath-xdp": "POLICY={data}/policies/wire.json\nPORTS=--port lan=ins0 --port wan=ins1\n",
    "twinpath-socket": "POLICY={data}/policies/wire.json\nPORTS=--port lan=ins0 --port wan=ins1\n",
    "twinpath-splice": "LISTEN=127.0.0.1:0\nTARGETS=--to 127.0.0.1:9 --to 127.0.0.1:19\n",
}


def run(*command, **more):
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **more)
    if result.returncode:
        raise AssertionError(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def setting(unit, key):
    found = re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)
    return found[-1] if found else ""


def words(line, variables):
    """Expands variables like systemd.service(5): ${NAME} within a word, and $NAME as a word that is split."""
    for word in line.split():
        if re.fullmatch(r"\$\w+", word):
            yield from variables.get(word[1:], "").split()
        else:
            yield re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], word)


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(install_log.keep(BUILD))
        PREFIX.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(PREFIX))
        pathlib.Path("/run/work").mkdir()
        run("ip", "link", "add", "ins0", "type", "veth", "peer", "name", "ins1")
        for end in ("ins0", "ins1"):
            run("ip", "link", "set", end, "up")

    def test_1_destdir_goes_before_the_prefix(self):
        run("meson", "install", "-C", BUILD, "--no-rebuild", env={**os.environ, "DESTDIR": "/run/work/staged"})
        self.assertEqual(set(), files(PREFIX))
        staged = files(pathlib.Path(f"/run/work/staged{PREFIX}"))
        self.assertIn("bin/twinpath-dpdk", staged)
        shutil.rmtree("/run/work/staged")

    def test_2_everything_is_in_place(self):
        run("meson", "install", "-C", BUILD, "--no-rebuild")
        there = files(PREFIX)
        for program in PROGRAMS:
            for name in (f"bin/{program}", f"share/bash-completion/completions/{program}"):
                self.assertIn(name, there)
        self.assertTrue(os.access(PREFIX / "sbin/twinpath-host", os.X_OK))
        pages = {page.name for page in [*SOURCE.glob("apps/*/*.[1-8]"), *SOURCE.glob("tools/*.[1-8]")]}
        self.assertIn("twinpath-host.8", pages)
        self.assertEqual({f"share/man/man{page[-1]}/{page}" for page in pages},
                         {name for name in there if name.startswith("share/man/")})
        usage = run(str(PREFIX / "sbin/twinpath-host"), "--help")
        self.assertIn("twinpath-host up PROFILE", usage)
        self.assertNotIn("tools/host", usage)
        for daemon in [*DAEMONS, "twinpath-host"]:
            self.assertIn(f"lib/systemd/system/{daemon}@.service", there)
        for name in ("policies/wire.json", "policies/conditions/link-flap.json", "profiles/net-null-bench.json", "schema/policy.schema.json"):
            self.assertIn(f"share/twinpath/{name}", there)
        self.assertEqual([], [name for name in there if name.endswith("README.md")])
        for name in ("README", "LICENSE", "policies.md", "profiles.md", "service.md", "example.conf"):
            self.assertIn(f"share/doc/twinpath/{name}", there)
        # Each setting of a unit is in the example.
        example = (PREFIX / "share/doc/twinpath/example.conf").read_text()
        for daemon in DAEMONS:
            settings = example.partition(f"\n# {daemon}@NAME")[2].partition("\n\n")[0]
            for name in re.findall(r"\$\{?([A-Z]+)", setting((UNITS / f"{daemon}@.service").read_text(), "ExecStart")):
                self.assertRegex(settings, rf"(?m)^#{name}=")
        # No header and no library is installed.
        self.assertEqual({"bin", "lib", "sbin", "share"}, {name.split("/")[0] for name in there})

    def test_3_completion_completes(self):
        script = PREFIX / "share/bash-completion/completions/twinpath-dpdk"
        words_of = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _twinpath; '
                    'printf "%s\\n" "${COMPREPLY[@]}"')
        def complete(*line):
            return run("bash", "-c", words_of, str(script), *line,
                       env={**os.environ, "PATH": f"{PREFIX}/bin:{os.environ['PATH']}"}).split()
        self.assertEqual(["doctor"], complete("twinpath", "do"))
        self.assertEqual(["--profile"], complete("twinpath", "doctor", "--prof"))
        self.assertEqual(["--profile"], complete("twinpath-dpdk", "--pro"))
        self.assertEqual(["splice"], complete("twinpath-splice", "--mode", "sp"))
        # Values: paths, interfaces, policies and profiles.
        self.assertEqual(["dpdk", "xdp", "socket", "splice"], complete("twinpath", "stats", "--path", ""))
        self.assertEqual(["dpdk", "xdp", "socket"], complete("twinpath", "reload", "--path", ""))
        self.assertEqual(["adaptive"], complete("twinpath-dpdk", "--idle", "a"))
        self.assertEqual({"ins0", "ins1"}, set(complete("twinpath-xdp", "--port", "lan", "=", "ins")))
        self.assertLessEqual({"lo", "ins0"}, set(complete("twinpath-xdp", "--port", "lan", "=")))
        self.assertEqual(["lan=ins1"], complete("twinpath-dpdk", "--port", "lan=ins1"))
        policies, profiles = (PREFIX / "share/twinpath" / kind for kind in ("policies", "profiles"))
        self.assertIn(f"{policies}/wire.json", complete("twinpath-xdp", "--policy", ""))
        self.assertEqual([f"{policies}/wire.json"], complete("twinpath", "check", f"{policies}/wi"))
        self.assertEqual([f"{policies}/conditions/link-flap.json"],
                         complete("twinpath", "check", f"{policies}/conditions/li"))
        self.assertEqual([f"{profiles}/test-vm.json"], complete("twinpath-dpdk", "--profile", f"{profiles}/test"))
        folder = pathlib.Path("/run/work/here")
        folder.mkdir()
        (folder / "mine.json").write_text("{}")
        (folder / "other.txt").write_text("")
        self.assertEqual([f"{folder}/mine.json"], complete("twinpath", "reload", f"{folder}/"))
        shutil.rmtree(folder)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not here")
    def test_4_the_units_are_verified(self):
        units = pathlib.Path("/run/work/units")
        units.mkdir()
        for daemon in [*DAEMONS, "twinpath-host"]:
            shutil.copy(UNITS / f"{daemon}@.service", units / f"{daemon}@test.service")
        for daemon in [*DAEMONS, "twinpath-host"]:
            unit = units / f"{daemon}@test.service"
            result = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True,
                                    text=True, check=False, timeout=60)
            ours = [line for line in result.stderr.splitlines() if daemon in line]
            self.assertEqual([], ours, result.stderr)

    def test_4_dpdk_is_started_after_its_host_and_stopped_before(self):
        unit = (UNITS / "twinpath-dpdk@.service").read_text()
        for key in ("Wants", "PartOf", "After"):
            self.assertIn("twinpath-host@%i.service", setting(unit, key).split(), key)

    def test_5_each_unit_runs_its_program(self):
        settings = PREFIX / "etc/twinpath"
        settings.mkdir(parents=True)
        for daemon in DAEMONS:
            with self.subTest(daemon):
                self.runs(daemon, settings / "test.conf")
        shutil.rmtree(PREFIX / "etc")

    def runs(self, daemon, configuration):
        configuration.write_text(CONFIGURATION[daemon].format(data=PREFIX / "share/twinpath"))
        unit = (UNITS / f"{daemon}@.service").read_text()
        self.assertEqual(str(configuration), setting(unit, "EnvironmentFile").replace("%i", "test"))
        variables = dict(line.split("=", 1) for line in configuration.read_text().splitlines())
        command = list(words(setting(unit, "ExecStart"), variables))
        # What systemd does before it starts the program.
        runtime = pathlib.Path("/run") / setting(unit, "RuntimeDirectory")
        runtime.mkdir(parents=True, mode=0o755)
        def capabilities(key):
            names = [name.removeprefix("CAP_").lower() for name in setting(unit, key).split()]
            return ",".join(["-all"] + ["+" + name for name in names])
        prefix = ["setpriv", "--no-new-privs", "--bounding-set", capabilities("CapabilityBoundingSet")]
        if setting(unit, "DynamicUser") == "yes":
            os.chown(runtime, 61234, 61234)
            ambient = capabilities("AmbientCapabilities")
            prefix += ["--reuid", "61234", "--regid", "61234", "--clear-groups", "--inh-caps", ambient,
                       "--ambient-caps", ambient]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            notify = f"/run/work/{daemon}.notify"
            manager.bind(notify)
            os.chmod(notify, 0o666)
            manager.settimeout(60)
            environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": notify, "WATCHDOG_USEC": "400000"}
            with subprocess.Popen(prefix + command, env=environment, cwd="/", text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                try:
                    self.assertTrue(manager.recv(4096).startswith(b"READY=1"))
                    self.assertEqual(b"WATCHDOG=1", manager.recv(4096))
                    # Readers that run as root find it in the usual place.
                    shown = run(str(PREFIX / "bin/twinpath"), "stats", "--json", "--file-prefix", daemon)
                    self.assertIn(f'"path": "{daemon.removeprefix("twinpath-")}"', shown)
                    process.terminate()
                    out, err = process.communicate(timeout=20)
                except (socket.timeout, AssertionError) as error:
                    process.kill()
                    raise AssertionError(f"{daemon}: {error}: {process.communicate()[1]}") from None
            self.assertEqual(0, process.returncode, out + err)
        if runtime.exists():
            self.assertEqual([], os.listdir(runtime))
            runtime.rmdir()

    def test_5_the_host_unit_readies_and_undoes(self):
        settings = PREFIX / "etc/twinpath"
        settings.mkdir(parents=True)
        (settings / "host.json").write_text('{"version": 1, "ports": [{"name": "lan", "device": "ins0"}]}')
        unit = (UNITS / "twinpath-host@.service").read_text()
        variables = {"PROFILE": str(settings / "host.json"), "POLICY": ""}  # which may not be set
        environment = {**os.environ, "TWINPATH_HOST_STATE": "/run/work/host/state"}
        self.assertTrue(setting(unit, "Environment").startswith("TWINPATH_HOST_STATE="))
        gro = pathlib.Path("/sys/class/net/ins0/gro_flush_timeout")
        before = gro.read_text()
        run(*words(setting(unit, "ExecStart"), variables), "--hugepages", "0", env=environment)
        self.assertEqual("200000\n", gro.read_text())
        run(*words(setting(unit, "ExecStopPost"), variables), env=environment)
        self.assertEqual(before, gro.read_text())
        self.assertFalse(os.path.exists("/run/work/host"))
        shutil.rmtree(PREFIX / "etc")

    def test_6_uninstalled_nothing_is_left(self):
        run("ninja", "-C", BUILD, "uninstall")
        self.assertEqual([], sorted(str(path) for path in PREFIX.rglob("*")))


unittest.main(verbosity=2)
