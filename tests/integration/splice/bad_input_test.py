#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-splice refuses wrong arguments and missing privileges with one line and exit status 2, and
leaves nothing behind.

  bad_input_test.py TWINPATH_SPLICE
"""
import pathlib
import re
import subprocess

from splice_lab import DEAD, PROGRAM, SpliceTest, main


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
                (r'--to: "\[fe80::1%none\]:1": interface "none" does not exist',
                 ("--to", "[fe80::1%none]:1")),
                (r'--to: "\[fe80::1%2\]:1": interface "2" does not exist', ("--to", "[fe80::1%2]:1")),
                (r'--to: found "\[fe80::2\]:81", allowed a link-local address with its interface, '
                 r'as in \[fe80::2%eth0\]:81', ("--to", "[fe80::2]:81")),
                ("--to is required", ()),
                ('--mode: found "fast", allowed auto, sockmap, splice, copy\n', (*to, "--mode", "fast")),
                ("--workers", (*to, "--workers", "0")),
                ("--max-connections", (*to, "--max-connections", "0")),
                ("--refuse: .*200%", (*to, "--refuse", "200%")),
                ('--reset-after: found "0"', (*to, "--reset-after", "0")),
                ('--reset-after: found "5s-1s"', (*to, "--reset-after", "5s-1s")),
                ('--reset-after: found "1K-5s"', (*to, "--reset-after", "1K-5s")),
                ("--drain: found \"-1\", .* or 0\n", (*to, "--drain", "-1")),
                ('--seed: found "-1", allowed an integer from 0', (*to, "--seed", "-1")),
                ("--drain", (*to, "--drain", "nan")),
                ('--retry: found "-1", .* or 0\n', (*to, "--retry", "-1")),
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
            self.refused(re.escape(f'--to: "{to}" is where --listen accepts connections'), "--to", to,
                         listen=("--listen", listen))

    def test_too_few_descriptors_for_what_was_asked(self):
        self.refused("--max-connections: 5000 in mode splice need 3.* file descriptors, limit is "
                     "1000; raise it with ulimit -Hn 3", "--to", DEAD, "--mode",
                     "splice", "--max-connections", "5000",
                     prefix=("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource",
                             "prlimit", "--nofile=256:1000"))

    def test_too_few_descriptors_for_one_connection(self):
        self.refused("not enough file descriptors for one connection in mode splice: needs [0-9]+ "
                     ".*, limit is 30; raise it", "--to", DEAD,
                     prefix=("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource",
                             "prlimit", "--nofile=30:30"))

    def for_any_user(self):
        """A runtime folder and a copy of the program that any user may use."""
        folder = self.folder / "run"
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        self.folder.chmod(0o755)
        program = self.folder / "twinpath-splice"
        program.write_bytes(pathlib.Path(PROGRAM).read_bytes())
        program.chmod(0o755)
        return folder, program

    def test_sockmap_takes_two_capabilities_and_no_more(self):
        folder, program = self.for_any_user()
        for given, status, said in (("+bpf,+net_admin", 0, "mode sockmap (as asked)"),
                                    ("+bpf", 2, "mode sockmap needs CAP_NET_ADMIN: run it as root"),
                                    ("+net_admin", 2, "mode sockmap needs CAP_BPF: run it as root")):
            ran = subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                 f"--inh-caps=-all,{given}", f"--ambient-caps=-all,{given}", "env",
                 f"RUNTIME_DIRECTORY={folder}", str(program), "--listen", "127.0.0.1:0", "--to", DEAD,
                 "--mode", "sockmap", "--duration", "0.1"], capture_output=True, text=True, timeout=20)
            self.assertEqual(status, ran.returncode, ran.stderr)
            self.assertIn(said, ran.stderr)

    def test_without_privileges_sockmap_is_refused_and_auto_works(self):
        folder, program = self.for_any_user()
        plain = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                 "env", f"RUNTIME_DIRECTORY={folder}", str(program), "--listen", "127.0.0.1:0",
                 "--to", DEAD, "--duration", "0.1")
        refused = subprocess.run([*plain, "--mode", "sockmap"], capture_output=True, text=True,
                                 timeout=20)
        self.assertEqual((2, "twinpath-splice: mode sockmap needs CAP_BPF and CAP_NET_ADMIN: run it "
                          "as root, or choose another --mode\n"), (refused.returncode, refused.stderr))
        taken = subprocess.run(plain, capture_output=True, text=True, timeout=20)
        self.assertEqual(0, taken.returncode, taken.stderr)
        self.assertRegex(taken.stderr, r"listening on 127.0.0.1:\d+, mode splice \(auto: .*; sockmap "
                         r"would need CAP_BPF and CAP_NET_ADMIN\)")


main()
