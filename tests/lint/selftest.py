#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Shows that each check of tools/lint finds its violations: puts one violation at a time into a small
tree without others, and expects the check to fail and to name the file.

  selftest.py PATH-TO-LINT
"""
import pathlib
import subprocess
import sys
import tempfile

SPDX = "// SPDX-License-Identifier: BSD-3-Clause\n"
DUAL = "/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */\n"
PAGE = '.\\" SPDX-License-Identifier: BSD-3-Clause\n.TH A 1\n.SH NAME\na \\- something\n'
NOTE = "<!-- SPDX-License-Identifier: BSD-3-Clause -->\n# A note: `of` two\n"

CLEAN = {
    "LICENSE": "BSD\n",
    ".clang-format": (pathlib.Path(__file__).resolve().parents[2] / ".clang-format").read_text("utf-8"),
    "src/policy/a.h": DUAL + '#include <linux/types.h>\n\n#include "b.h"\n',
    "src/policy/b.h": DUAL,
    "src/config/a.cc": SPDX + '#include "src/policy/a.h"\n\n#include <vector>\n',
    "src/telemetry/a.cc": SPDX + '#include "src/policy/a.h"\n',
    "src/dpdk/a.cc": SPDX + '#include <rte_eal.h>\n\n#include "src/config/a.h"\n',
    "src/xdp/a.cc": SPDX + '#include <bpf/libbpf.h>\n\n#include "src/telemetry/a.h"\n',
    "src/kernel/a.cc": SPDX + '#include "src/kernel/a.h"\n\n#include <sys/socket.h>\n',
    "src/engine/a.h": SPDX + '#include "src/policy/a.h"\n',
    "src/engine/README.md": NOTE + "\n| file | what |\n|---|---|\n| `a` | `src/engine/*.h` |\n",
    "src/doctor/a.cc": SPDX + '#include "src/kernel/a.h"\n',
    "src/explain/a.cc": SPDX + '#include "src/engine/a.h"\n',
    "src/parity/a.cc": SPDX + '#include "src/telemetry/a.h"\n',
    "bpf/a.h": DUAL + '#include "src/policy/a.h"\n',
    "README.md": NOTE * 100,
    "src/config/deep/long.cc": SPDX * 400,
    **{f"src/config/deep/b{i}.cc": SPDX for i in range(19)},
    "src/splice/a.cc": SPDX + '#include <bpf/libbpf.h>\n\n#include "src/config/a.h"\n',
    "apps/a/main.cc": SPDX + "int main() { exit(0); }\n",
    "apps/a/a.1": PAGE,
    "apps/a/long.7": PAGE + "A sentence.\n" * (400 - PAGE.count("\n")),
    "apps/a/README.md": NOTE + "[a](main.cc) [b](..) [c](#a-note-of-two) [d](https://none) `[e](none)`\n\n"
                               "    [f](none)\n\n```\n[g](none)\n```\n[h](../../apps/a/README.md#a-note-of-two)\n",
    "tools/t": "#!/bin/bash\n# SPDX-License-Identifier: BSD-3-Clause\necho \"$1\"\n",
}

# check, file, what is in it
PLANTED = [
    ("format", "src/config/c.cc", SPDX + "int   f( );\n"),
    ("format", "bpf/c.bpf.c", DUAL + "int\tf ( ) ;\n"),
    ("format", "src/config/c.cc", SPDX + '#include "src/policy/b.h"\n#include "src/policy/a.h"\n'),
    ("shell", "tools/c", "#!/bin/sh\n# SPDX-License-Identifier: BSD-3-Clause\nrm $1\n"),
    ("shell", "tests/c.sh", "# shellcheck shell=bash\ncd $HOME/x\n"),
    ("spdx", "src/config/c.cc", "int f();\n"),
    ("spdx", "src/config/d.cc", "// SPDX-License-Identifier: MIT\n"),
    ("spdx", "src/policy/c.h", SPDX),
    ("spdx", "tools/c", "#!/bin/sh\necho\n"),
    ("top", "NOTES.md", "<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"),
    ("layers", "src/policy/c.h", DUAL + "#include <stdint.h>\n"),
    ("layers", "src/policy/c.h", DUAL + '#include "src/config/a.h"\n'),
    ("layers", "src/config/c.cc", SPDX + '#include "src/telemetry/a.h"\n'),
    ("kernel", "src/config/c.cc", SPDX + "int F() { return socket(AF_NETLINK, 3, 0); }\n"),
    ("kernel", "apps/d.cc", SPDX + "long F() { return syscall(SYS_capget, 0, 0); }\n"),
    ("kernel", "src/dpdk/c.cc", SPDX + "int F() { return ioctl(3, SIOCETHTOOL, 0); }\n"),
    ("layers", "src/telemetry/c.cc", SPDX + '#include "src/config/a.h"\n'),
    ("layers", "src/dpdk/c.cc", SPDX + '#include "src/xdp/a.h"\n'),
    ("layers", "src/xdp/c.cc", SPDX + '#include "src/dpdk/a.h"\n'),
    ("layers", "src/xdp/c.cc", SPDX + '#include "apps/a/a.h"\n'),
    ("layers", "src/xdp/c.cc", SPDX + "#include <rte_mbuf.h>\n"),
    ("layers", "apps/a/c.cc", SPDX + "#include <rte_mbuf.h>\n"),
    ("layers", "src/dpdk/c.cc", SPDX + "#include <bpf/libbpf.h>\n"),
    ("layers", "src/splice/c.cc", SPDX + '#include "src/xdp/a.h"\n'),
    ("layers", "apps/a/c.cc", SPDX + "#include <bpf/bpf.h>\n"),
    ("layers", "src/kernel/c.cc", SPDX + '#include "src/policy/a.h"\n'),
    ("layers", "src/kernel/c.cc", SPDX + "#include <bpf/bpf.h>\n"),
    ("layers", "src/kernel/c.cc", SPDX + "#include <rte_eal.h>\n"),
    ("layers", "src/engine/c.cc", SPDX + '#include "src/control/a.h"\n'),
    ("layers", "src/engine/c.h", SPDX + '#include "src/kernel/a.h"\n'),
    ("layers", "src/config/c.cc", SPDX + '#include "src/kernel/a.h"\n'),
    ("layers", "src/control/c.cc", SPDX + '#include "src/config/a.h"\n'),
    ("layers", "src/doctor/c.cc", SPDX + '#include "src/dpdk/a.h"\n'),
    ("layers", "src/explain/c.cc", SPDX + '#include "src/kernel/a.h"\n'),
    ("layers", "src/parity/c.cc", SPDX + '#include "src/xdp/a.h"\n'),
    ("layers", "src/dpdk/deep/c.cc", SPDX + '#include "src/splice/a.h"\n'),
    ("layers", "src/novel/c.cc", SPDX + '#include "src/policy/a.h"\n'),
    ("layers", "bpf/c.bpf.c", DUAL + '#include "src/config/a.h"\n'),
    ("size", "src/config/c.cc", SPDX * 401),
    ("size", "tests/c.py", "# SPDX-License-Identifier: BSD-3-Clause\n" * 401),
    ("size", "tools/c", "#!/bin/bash\n" * 401),
    ("size", "apps/a/a.1", PAGE + "A sentence.\n" * 400),
    ("size", "apps/c/c.5", PAGE + "A sentence.\n" * 400),
    ("size", "apps/c/c.7", PAGE + "A sentence.\n" * 400),
    ("size", "tools/c.8", PAGE + "A sentence.\n" * 400),
    ("size", "README.md", NOTE * 101),
    ("exit", "src/config/c.cc", SPDX + "void f() { exit(1); }\n"),
    ("exit", "src/dpdk/c.cc", SPDX + 'void f() {\n  rte_exit(1, "no");\n}\n'),
    ("exit", "src/xdp/c.cc", SPDX + "void f() { std::abort(); }\n"),
    ("man", "apps/c/main.cc", SPDX + "int main() {}\n"),
    ("man", "apps/a/a.1", PAGE + ".NOSUCHMACRO\n"),
    ("man", "apps/a/format.5", PAGE + ".NOSUCHMACRO\n"),
    ("man", "tools/c.8", PAGE + ".NOSUCHMACRO\n"),
    ("links", "apps/README.md", NOTE + "See [this](a/none.cc).\n"),
    ("links", "apps/README.md", NOTE + "See [this](../../none).\n"),
    ("links", "apps/README.md", NOTE + "See [this] and [that][].\n\n[this]: none\n"),
    ("links", "apps/README.md", NOTE + "See [this](#none), or [this](a/README.md#none).\n"),
    ("readmes", "src/engine/README.md", NOTE + "\n| file | what |\n|---|---|\n| `b` | none |\n"),
    ("readmes", "src/config/README.md", NOTE + "\n| file | what |\n|---|---|\n| `deep/` | all but a |\n"),
    ("readmes", "src/config/README.md", NOTE + "See `src/config/b.cc`.\n"),
]


def run(lint, files, *checks):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        result = subprocess.run([lint, "--root", folder, *checks], capture_output=True, text=True,
                                check=False)
        return result.returncode, result.stdout + result.stderr


def run_commits(lint, messages, *options):
    """Runs the check `commits` on a repository with these commits, the first of them the base."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=no"]
        subprocess.run([*git, "init", "-q"], check=True)
        for message in messages:
            subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
        root = subprocess.run([*git, "rev-list", "--max-parents=0", "HEAD"], check=True,
                              capture_output=True, text=True).stdout.strip()
        result = subprocess.run([lint, "--root", folder, *(options or ["--commits-after", root]), "commits"],
                                capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr


GOOD = "x" * 72 + "\n\nThis says why.\n"
# What the commits say, options, the exit status, what is printed.
COMMITS = [
    (["the base, " + "which is long " * 9, GOOD], [], 0, "commits: 1 commits, no violations"),
    (["base", "x" * 73 + "\n\nThis says why.\n"], [], 1, "subject of 73 characters"),
    (["base", "x" * 40 + "\n" + "y" * 40 + "\n\nThis says why.\n"], [], 1, "subject of 81 characters"),
    (["base", "x"], [], 1, "no body"),
    (["base", "x\n\nSigned-off-by: a <a@b>\n", GOOD], [], 1, "no body"),
    (["base", "x"], ["--commits-after", "0" * 40], 0, "not checked: this clone's history"),
]


def main():
    lint = sys.argv[1]
    failures = 0
    status, output = run(lint, CLEAN)
    if status != 0:
        failures += 1
        print(f"the clean tree is not clean:\n{output}")
    for check, name, text in PLANTED:
        status, output = run(lint, {**CLEAN, name: text}, check)
        if status != 1 or not any(line.startswith(("apps/c" if name == "apps/c/main.cc" else name) + ":")
                                  for line in output.splitlines()):
            failures += 1
            print(f"{check}: not found in {name} (status {status}): {text!r}\n{output}")
    for folder, file in (("tests/deep", "c{}.cc"), ("dpdk-conf/policies", "p{}.json")):
        full = {f"{folder}/{file.format(i)}": SPDX for i in range(20)}
        for files, expected, what in ((full, 0, ""),
                                      ({**full, f"{folder}/{file.format(20)}": SPDX}, 1,
                                       f"{folder}:1: 21 files; at most 20")):
            status, output = run(lint, {**CLEAN, **files}, "size")
            if status != expected or what not in output:
                failures += 1
                print(f"size: a folder of {len(files)} files: status {status}\n{output}")
    for messages, options, expected, what in COMMITS:
        status, output = run_commits(lint, messages, *options)
        if status != expected or what not in output:
            failures += 1
            print(f"commits: status {status}, wanted {expected} and '{what}': {messages}\n{output}")
    status, output = run(lint, CLEAN, "commits")
    if status != 0 or "not a git clone" not in output:
        failures += 1
        print(f"commits: outside a clone, status {status}\n{output}")
    print(f"{len(PLANTED) + len(COMMITS)} planted violations, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
