# SPDX-License-Identifier: BSD-3-Clause
"""A client of the control socket. It sends a thousand policies quickly, and requests that
`twinpath reload` would never send."""
import array
import contextlib
import fcntl
import json
import os
import socket

F_ADD_SEALS, ALL_SEALS = 1033, 15


def connect(path, seconds=60):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(seconds)
    client.connect(str(path))
    return client


def memory(data, seals=ALL_SEALS):
    """A memfd with these bytes."""
    file = os.memfd_create("policy", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(file), "wb") as writer:
        writer.write(data)
    fcntl.fcntl(file, F_ADD_SEALS, seals)
    return file


def ask(path, request, file=None):
    """Returns the program's answer, or None if the program closed the connection without one."""
    with connect(path) as client:
        ancillary = []
        if file is not None:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
        with contextlib.suppress(BrokenPipeError):  # refused already; the answer is there
            client.sendmsg([request], ancillary)
        try:
            answer = client.recv(1 << 16)
        except ConnectionResetError:  # closed before it read all; the answer comes next
            answer = client.recv(1 << 16)
    return json.loads(answer) if answer else None


def reload(path, policy, name="policy"):
    """Returns the answer to a policy, which is a document or raw bytes."""
    data = policy if isinstance(policy, bytes) else json.dumps(policy).encode()
    file = memory(data)
    try:
        return ask(path, json.dumps({"reload": name}).encode(), file)
    finally:
        os.close(file)


def reload_many(path, count, policies, bad=()):
    """Loads `policies` in turn, `count` in all, and after every tenth a bad one, which must be refused.
    Returns how many were refused."""
    rejected = 0
    for i in range(count):
        answer = reload(path, policies[i % len(policies)])
        assert "ok" in answer and answer["ok"]["reloads"] == i + 1, answer
        if bad and i % 10 == 0:
            answer = reload(path, bad[rejected % len(bad)])
            assert set(answer) == {"error", "wrong"} and answer["wrong"], answer
            rejected += 1
    return rejected
