#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Programs that people use work through twinpath-splice, in each mode, over IPv4 and IPv6: curl and
nginx, iperf3, and TLS with openssl.

  programs_test.py TWINPATH_SPLICE
"""
import hashlib
import json
import os
import pathlib
import socket
import subprocess

from splice_lab import LOOPBACK, MODES, SpliceTest, main, text
from wait import wait_for

FAMILIES = (socket.AF_INET, socket.AF_INET6)
NGINX = """daemon off; master_process off; user root; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  client_max_body_size 1g;
  server {{
    listen 127.0.0.1:8081; listen [::1]:8081; root {folder};
    location /put {{ dav_methods PUT; client_body_in_file_only on; }}
  }}
}}
"""


def listens(port):
    """Whether a server listens. Does not connect, because iperf3 would treat that as a client."""
    return any(f":{port:04X} " in line and " 0A " in line for table in ("tcp", "tcp6") for line in
               pathlib.Path(f"/proc/net/{table}").read_text().splitlines())


class Programs(SpliceTest):
    def each(self, port):
        """The program, forwarding to `port`, in each mode and family."""
        for mode in MODES:
            for family in FAMILIES:
                program = self.running("--to", text(LOOPBACK[family], port), "--mode", mode,
                                       listen=text(LOOPBACK[family], 0))
                yield program
                program.stop()

    def background(self, *command, port, **options):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        wait_for(f"{command[0]} on port {port}", lambda: listens(port))
        return process

    def test_curl_and_nginx(self):
        web = self.folder / "web"
        web.mkdir()
        for name, size in (("small", 100), ("large", 40 << 20)):
            (web / name).write_bytes(os.urandom(size))
        (web / "nginx.conf").write_text(NGINX.format(folder=web))
        self.background("nginx", "-c", str(web / "nginx.conf"), port=8081,
                        stderr=subprocess.DEVNULL)
        for program in self.each(8081):
            base = f"http://{text(*program.address)}"
            for name in ("small", "large"):
                got = subprocess.run(["curl", "-sSf", "-g", f"{base}/{name}"], capture_output=True,
                                     timeout=60)
                self.assertEqual(0, got.returncode, got.stderr)
                self.assertEqual(hashlib.sha256((web / name).read_bytes()).digest(),
                                 hashlib.sha256(got.stdout).digest())
            many = subprocess.run(["curl", "-sSf", "--parallel", "--parallel-max", "20",
                                   "-o", str(self.folder / "got_#1"), f"{base}/small?[1-200]"],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(0, many.returncode, many.stderr)
            for n in range(1, 201):
                self.assertEqual((web / "small").read_bytes(),
                                 (self.folder / f"got_{n}").read_bytes())

    def test_iperf3(self):
        self.background("iperf3", "-s", "-p", "5201", port=5201)
        for program in self.each(5201):
            for way in ([], ["-R"]):
                run = subprocess.run(
                    ["iperf3", "-c", program.address[0], "-p", str(program.address[1]), "-n",
                     "100M", "-P", "4", "-J", *way], capture_output=True, text=True, timeout=60)
                self.assertEqual(0, run.returncode, run.stdout)
                result = json.loads(run.stdout)
                # It ends when everything is sent, even if bytes are still on the way.
                self.assertGreaterEqual(result["end"]["sum_sent"]["bytes"], 100e6)
                self.assertGreaterEqual(result["end"]["sum_received"]["bytes"], 20e6)
                wait_for("iperf3 to be ready again",
                         lambda: program.totals()["open"] == 0)

    def test_tls_by_openssl(self):
        key, certificate = str(self.folder / "key.pem"), str(self.folder / "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", certificate, "-days", "2", "-subj", "/CN=splice"], check=True,
                       capture_output=True, timeout=60)
        (self.folder / "page").write_bytes(os.urandom(3 << 20))
        self.background("openssl", "s_server", "-key", key, "-cert", certificate, "-accept",
                        "*:4433", "-HTTP", "-quiet", port=4433, cwd=self.folder,
                        stderr=subprocess.DEVNULL)
        for program in self.each(4433):
            asked = subprocess.run(
                ["openssl", "s_client", "-connect", text(*program.address), "-CAfile", certificate,
                 "-verify_return_error", "-quiet", "-ign_eof"], input=b"GET /page HTTP/1.0\r\n\r\n",
                capture_output=True, timeout=60)
            self.assertIn(b"verify return:1", asked.stderr)
            self.assertEqual((self.folder / "page").read_bytes(), asked.stdout)


main()
