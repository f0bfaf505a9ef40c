"""A machine of the test: qemu with the image of make-image, a disk of its own, and a channel for scripts."""

import base64
import os
import select
import shutil
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """What a test says when something is not as it must be."""


class Machine:
    """One machine. Its disk is an overlay in `folder` and stays there, so that it can be booted again.

    Times are seconds of this machine's clock. The emulator is slow: what takes a second on hardware takes ten here.
    """

    def __init__(self, image, folder, payload, memory_mib=2048, accel="tcg", note=lambda text: None):
        self.image, self.folder, self.payload = image, folder, payload
        self.memory_mib, self.accel, self.note = memory_mib, accel, note
        self.process = self.channel = None
        self.token = 0
        self.unread = b""
        os.makedirs(folder, exist_ok=True)
        self.disk = os.path.join(folder, "disk.qcow2")
        self.console = os.path.join(folder, "console.log")
        if not os.path.exists(self.disk):
            backing = os.path.abspath(os.path.join(image, "disk.ext4"))
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", backing, self.disk], check=True)

    # ---- power ------------------------------------------------------------------------------------------------------
    def boot(self, arguments="", timeout=240):
        """Powers on and waits until scripts are taken; the seconds that took."""
        began = time.monotonic()
        path = os.path.join(self.folder, "channel")
        if os.path.exists(path):
            os.unlink(path)
        tcg = "tcg,thread=multi" if self.accel == "tcg" else self.accel
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", tcg, "-cpu", "max", "-smp", "2", "-m", str(self.memory_mib),
             "-nodefaults", "-display", "none", "-no-reboot",
             "-kernel", os.path.join(self.image, "vmlinuz"), "-initrd", os.path.join(self.image, "initrd.img"),
             "-append", f"root=/dev/vda ro console=ttyS0 quiet panic=-1 mitigations=off {arguments}",
             "-drive", f"file={self.disk},if=virtio,format=qcow2,cache=writeback",
             "-drive", f"file={self.payload},if=virtio,format=raw,readonly=on",
             "-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net,romfile=",
             "-device", "virtio-rng-pci",
             "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
             "-device", "virtio-serial-pci", "-chardev", f"socket,id=channel,path={path},server=on,wait=off",
             "-device", "virtserialport,chardev=channel,name=vm.channel"],
            stdin=subprocess.DEVNULL, stdout=open(os.path.join(self.folder, "qemu.log"), "ab"), stderr=subprocess.STDOUT)
        deadline = began + timeout
        while True:
            self._alive()
            try:
                self.channel = socket.socket(socket.AF_UNIX)
                self.channel.connect(path)
                break
            except OSError:
                self.channel.close()
                if time.monotonic() > deadline:
                    raise Failure("qemu made no channel") from None
                time.sleep(0.1)
        self.unread = b""
        for line in self._lines(deadline, "the machine did not boot"):
            if line == "ready":
                break
        return time.monotonic() - began

    def cut_power(self):
        """Ends the machine between two instructions; what it had not written to its disk is gone."""
        self.process.send_signal(signal.SIGKILL)
        self._ended(10)

    def power_off(self, timeout=120):
        """Shuts it down as an administrator does; the seconds that took."""
        began = time.monotonic()
        self.run("systemctl poweroff --no-block")
        self._ended(timeout)
        return time.monotonic() - began

    def close(self):
        if self.process and self.process.poll() is None:
            self.cut_power()

    def remove(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- scripts ----------------------------------------------------------------------------------------------------
    def run(self, script, timeout=120, fail=True):
        """Runs bash text as root inside; what it printed. With fail=False (status, output)."""
        self.token += 1
        self.channel.sendall(f"{self.token} {base64.b64encode(script.encode()).decode()}\n".encode())
        output = []
        try:
            for line in self._lines(time.monotonic() + timeout, "a script took too long"):
                if line.startswith("| "):
                    output.append(line[2:])
                    self.note(line[2:])
                elif line.startswith(f"end {self.token} "):
                    status = int(line.split()[2])
                    break
        except Failure as failure:
            raise Failure(f"{failure}; it had printed:\n" + "\n".join(output[-40:])) from None
        text = "\n".join(output)
        if not fail:
            return status, text
        if status:
            raise Failure("\n".join(output[-60:]) or f"a script ended with {status}: {script.strip().splitlines()[-1]}")
        return text

    # ---- below ------------------------------------------------------------------------------------------------------
    def _alive(self):
        if self.process.poll() is not None:
            raise Failure(f"qemu ended with {self.process.returncode}: {self._tail('qemu.log')}{self._tail('console.log')}")

    def _ended(self, timeout):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the machine did not power off in {timeout} s:\n{self._tail('console.log')}") from None
        finally:
            self.channel.close()

    def _tail(self, name, count=25):
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return "\n".join(file.read()[-20000:].decode(errors="replace").splitlines()[-count:])
        except OSError:
            return ""

    def _lines(self, deadline, complaint):
        while True:
            while b"\n" in self.unread:
                line, self.unread = self.unread.split(b"\n", 1)
                yield line.decode(errors="replace").rstrip("\r")
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure(f"{complaint}; the end of its console:\n{self._tail('console.log')}")
            if select.select([self.channel], [], [], min(left, 2))[0]:
                try:
                    data = self.channel.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    self._alive()
                    raise Failure("the channel closed")
                self.unread += data
            else:
                self._alive()
