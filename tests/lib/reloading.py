# SPDX-License-Identifier: BSD-3-Clause
"""The control socket, spoken to without `twinpath reload`: a thousand policies are sent in no time,
and requests that no client of ours would make."""
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


def memory(octets, seals=ALL_SEALS):
    """A memfd that holds them."""
    file = os.memfd_create("policy", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(file), "wb") as writer:
        writer.write(octets)
    fcntl.fcntl(file, F_ADD_SEALS, seals)
    return file


def ask(path, request, file=None):
    """What the program answers; None where it closed the connection."""
    with connect(path) as client:
        ancillary = []
        if file is not None:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
        with contextlib.suppress(BrokenPipeError):  # sent away already; what it said is there
            client.sendmsg([request], ancillary)
        try:
            answer = client.recv(1 << 16)
        except ConnectionResetError:  # closed without reading; what it said comes next
            answer = client.recv(1 << 16)
    return json.loads(answer) if answer else None


def reload(path, policy, name="policy"):
    """The answer to a policy: a document, or octets as they are."""
    octets = policy if isinstance(policy, bytes) else json.dumps(policy).encode()
    file = memory(octets)
    try:
        return ask(path, json.dumps({"reload": name}).encode(), file)
    finally:
        os.close(file)


def reload_many(path, count, policies, bad=()):
    """Puts `policies` into force in turn, `count` in all, and every tenth time a bad one between."""
    rejected = 0
    for i in range(count):
        answer = reload(path, policies[i % len(policies)])
        assert "ok" in answer and answer["ok"]["reloads"] == i + 1, answer
        if bad and i % 10 == 0:
            answer = reload(path, bad[rejected % len(bad)])
            assert set(answer) == {"error", "wrong"} and answer["wrong"], answer
            rejected += 1
    return rejected
