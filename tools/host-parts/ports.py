# SPDX-License-Identifier: BSD-3-Clause
"""Prints the ports of a profile for tools/host, one line "NAME|QUEUES|DEVICE" for each. DEVICE is the
interface of a net_af_xdp, and for other ports the device as in the profile.

  ports.py PROFILE NAME-IN-ERRORS
"""
import json
import re
import sys

FILE, PROGRAM = sys.argv[1:]


def wrong(what, found, allowed):
    sys.exit(f"{PROGRAM}: {FILE}: {what}: found {json.dumps(found)}, allowed {allowed}")


def read_profile():
    try:
        with open(FILE, encoding="utf-8") as text:
            profile = json.load(text)
    except (OSError, ValueError) as error:
        sys.exit(f"{PROGRAM}: {FILE}: {error}")
    if not isinstance(profile, dict):
        wrong("/", profile, "an object")
    return profile


def interface_of(device, where, arguments, queues):
    """Returns (queues, interface) of a net_af_xdp with these arguments."""
    given = dict(part.partition("=")[::2] for part in arguments.split(","))
    if not given.get("iface"):
        wrong(where, device, "a net_af_xdp with iface=INTERFACE")
    first, count = given.get("start_queue", "0"), given.get("queue_count", "1")
    if not (first.isdecimal() and count.isdecimal()):
        wrong(where, device, "numbers as start_queue and queue_count")
    return max(queues, int(first) + int(count)), given["iface"]


def main():
    profile = read_profile()
    queues = profile.get("queues", 1)
    if type(queues) is not int or not 1 <= queues <= 64:  # a bool is an int, too
        wrong("/queues", queues, "1 to 64")
    ports = profile.get("ports", [])
    if not isinstance(ports, list):
        wrong("/ports", ports, "an array")
    for i, port in enumerate(ports):
        if not isinstance(port, dict):
            wrong(f"/ports/{i}", port, '{"name": NAME, "device": DEVICE}')
        name, device = port.get("name"), port.get("device")
        where = f"/ports/{i}/device"
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", name):
            wrong(f"/ports/{i}/name", name,
                  "1 to 32 letters, digits, '_', '.' or '-', starting with a letter or digit")
        if not isinstance(device, str) or not device or re.search(r"[\x00-\x1f\x7f]", device):
            wrong(where, device, "an interface, a PCI address or a vdev")
        word, _, arguments = device.partition(",")
        wanted = queues
        if re.fullmatch(r"net_af_xdp[a-z0-9_]*", word):
            wanted, word = interface_of(device, where, arguments, queues)
        elif not re.fullmatch(r"(net|eth)_[a-z0-9_]+", word):
            word = device
        if "/" in word or word in (".", ".."):
            wrong(where, device, "an interface, a PCI address or a vdev")
        print(f"{name}|{wanted}|{word}")


main()
