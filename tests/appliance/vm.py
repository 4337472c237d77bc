# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine by QEMU's software emulation, with an IOMMU and NICs whose other ends are taps of
the caller's network namespace. Its root is the host's own, read-only, so that every installed package
and the build are there; a command is run in it as by a shell. It ends with the caller."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
# In this order: each module may need earlier ones. Modules that are built into the kernel (Debian 13: virtio,
# virtio_pci) or that it no longer has (fscache, vfio_virqfd) are left out.
MODULES = ("virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci netfs fscache 9pnet "
           "9pnet_virtio 9p irqbypass vfio_virqfd vfio vfio_iommu_type1 vfio-pci-core vfio-pci failover "
           "net_failover virtio_net tun").split()
# Modules for each kind of NIC, without those that a NIC bound to vfio-pci must not need.
PATIENCE = 180  # seconds; it answers within a few if the CPUs are idle
# Receive rings of 1,024: QEMU 7.2 stops a tap's queue for good when RSS sends one of its frames to another
# queue whose ring is full.
VIRTIO = "mq=on,vectors=6,rx_queue_size=1024,rss=on,hash=on,iommu_platform=on,disable-legacy=on,ats=on"
# XDP on a virtio NIC needs segments as they were on the wire.
VIRTIO_XDP = VIRTIO + ",guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,csum=off,guest_csum=off"


def kernel():
    """Returns the folder of the kernel to boot. If there is none, tests/appliance/kernel prints how to get it."""
    return pathlib.Path(subprocess.run([HERE / "kernel"], stdout=subprocess.PIPE, text=True,
                                       check=True).stdout.strip())


class Nic:
    """A NIC of the machine at PCI address 0000:00:SLOT.0, and the tap TAP at its other end."""

    def __init__(self, tap, slot, device, queues):
        self.tap, self.slot, self.device, self.queues = tap, slot, device, queues
        self.pci = f"0000:00:{slot:02x}.0"

    def make_tap(self):
        many = ["multi_queue"] if self.queues > 1 else []
        subprocess.run(["ip", "tuntap", "add", "dev", self.tap, "mode", "tap", *many], check=True)
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{self.tap}/disable_ipv6").write_text("1")
        subprocess.run(["ip", "link", "set", self.tap, "txqueuelen", "10000", "up"], check=True)

    def arguments(self):
        driver, _, options = self.device.partition(",")
        queues = f",queues={self.queues}" if self.queues > 1 else ""
        mac = f"02:00:00:00:aa:{self.slot:02x}"
        return ["-netdev", f"tap,id={self.tap},ifname={self.tap},script=no,downscript=no{queues},vhost=off",
                "-device", f"{driver},netdev={self.tap},mac={mac},addr={self.slot:#x}"
                + (f",{options}" if options else "")]


class Machine:
    """Boots, and runs commands one after another. `share` is a folder that both sides may write; in the
    machine it is /run/share, and the working directory of commands."""

    def __init__(self, share, nics, guest="guest.sh", cpus=3, memory_mb=2048):
        self.share, self.number = pathlib.Path(share), 0
        self.make_initramfs(kernel())
        for nic in nics:
            nic.make_tap()
        self.log, self.wire, self.heard = open(self.share / "qemu.log", "w"), None, b""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.share / "commands"))
        listener.listen(1)
        listener.settimeout(PATIENCE)
        share_ = f"local,path={self.share},mount_tag=share,security_model=none"
        root = "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
        # no_timer_check: a busy CPU may be too slow for the kernel's check of its timer.
        append = ("console=ttyS0 quiet panic=-1 intel_iommu=on iommu=pt mitigations=off tsc=reliable no_timer_check "
                  f"twinpath.guest={HERE}/{guest}")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi",
             "-cpu", "max", "-smp", str(cpus), "-m", str(memory_mb), "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-kernel", kernel() / "vmlinuz",
             "-initrd", self.share / "initramfs", "-append", append,
             "-device", "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on",
             "-serial", f"file:{self.share}/console", "-serial", f"unix:{self.share}/commands",
             "-virtfs", root, "-virtfs", share_,
             *[word for nic in nics for word in nic.arguments()]],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.wire = listener.accept()[0]
            self.wait(0, PATIENCE)
        except BaseException:
            self.close()
            raise
        finally:
            listener.close()

    def make_initramfs(self, folder):
        tree = self.share / "initramfs.d"
        (tree / "bin").mkdir(parents=True)
        (tree / "modules").mkdir()
        shutil.copy("/bin/busybox", tree / "bin")
        shutil.copy(HERE / "init.sh", tree / "init")
        os.chmod(tree / "init", 0o755)
        modules = [name for name in MODULES if (folder / "modules" / f"{name}.ko").exists()]
        for name in modules:
            shutil.copy(folder / "modules" / f"{name}.ko", tree / "modules")
        (tree / "modules" / "order").write_text("\n".join(modules))
        names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
        with open(self.share / "initramfs", "wb") as archive:
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=tree, input=names.encode(),
                           stdout=archive, stderr=subprocess.PIPE, check=True)
        shutil.rmtree(tree)

    def wait(self, number, seconds):
        """Exit status of command `number`."""
        end = time.monotonic() + seconds
        while b"\n" not in self.heard:
            self.wire.settimeout(max(0.001, end - time.monotonic()))
            try:
                more = self.wire.recv(4096)
            except TimeoutError:
                more = b""
            if not more:
                raise AssertionError(f"the machine did not answer within {seconds} s: {self.console()}")
            self.heard += more
        line, _, self.heard = self.heard.partition(b"\n")
        answered, status = line.split()
        assert int(answered) == number, f"{line} in answer to command {number}"
        return int(status)

    def console(self):
        """The end of what the machine's kernel printed, and of what QEMU did."""
        return "\n".join((self.share / file).read_text(errors="replace")[-2000:] for file in ("console", "qemu.log"))

    def try_run(self, command, seconds=PATIENCE):
        """(exit status, output) of a shell command in the machine, which is one line."""
        assert "\n" not in command
        self.number += 1
        self.wire.sendall(f"{self.number} {command}\n".encode())
        status = self.wait(self.number, seconds)
        return status, (self.share / f"{self.number}.out").read_text(errors="replace")

    def run(self, command, seconds=PATIENCE):
        """The output of a command, which must succeed."""
        status, output = self.try_run(command, seconds)
        assert status == 0, f"exit status {status} in the machine: {command}\n{output}"
        return output

    def pause(self, seconds):
        """Stops the machine for a while; then its clocks jump."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if self.wire:
            self.wire.close()
