"""A host with very many classes: its start, its look-ups, its memory."""

import contextlib
import json
import re
import signal
import subprocess
import time

from contenders import NotMeasured, median
from load import memory_of

MANY = 100000
FEW = 100
# Stamps settle in 2 s (core/os/stamp.h); the host has time for a slow machine to read every manifest.
SETTLE_S = 2.2
READ_S = 120
MIB = 1 << 20


def write_manifests(folder, n):
    folder.mkdir()
    for i in range(n):
        (folder / f"Bench.Class{i:06}.json").write_text(json.dumps({
            "component": f"../components/component{i:06}.so", "classes": [{
                "clsid": f"{{6e710ce2-04ce-46d5-ba6b-{i:012x}}}", "progid": f"Bench.Class{i:06}",
                "description": f"Class {i} of the benchmark"}]}, indent=4))


class Registry:
    """Folders with so many manifests, one to register in, and the index that a host has made of them."""

    def __init__(self, run, n):
        self.run = run
        self.folder = run.work / f"classes-{n}"
        self.folder.mkdir(exist_ok=True)
        self.n = n
        self.address = f"unix:{self.folder}/host.sock"
        self.config = self.folder / "host.json"
        self.cache = self.folder / "cache"
        if not self.config.exists():
            self.make()

    def make(self):
        (self.folder / "registered").mkdir()
        write_manifests(self.folder / "manifests", self.n)
        self.config.write_text(json.dumps({
            "listen": [self.address], "cache_directory": str(self.cache),
            "component_directories": [str(self.folder / "registered"), str(self.folder / "manifests")]}))
        time.sleep(SETTLE_S)
        end = time.monotonic() + READ_S
        with self.host():
            while not list(self.cache.glob("*.index")):
                if time.monotonic() > end:
                    raise NotMeasured("the host has made no index")
                time.sleep(0.1)

    @contextlib.contextmanager
    def host(self):
        with open(self.folder / "host.log", "ab") as log:
            host = subprocess.Popen([*self.run.command("linux", "viaductd"), "--config", str(self.config)],
                                    env=self.run.environment(True), stdout=log, stderr=log)
        try:
            yield host
        finally:
            host.send_signal(signal.SIGTERM)
            host.wait(60)

    def client(self, name, *arguments, **options):
        command = [*self.run.command("linux", "bench-classes"), name, self.address, *map(str, arguments)]
        return subprocess.Popen(command, env=self.run.environment(True), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def figure(self, client, name, text=None):
        output, errors = client.communicate(text, timeout=120)
        found = re.search(rf"{name}=([0-9.]+)", output)
        if client.returncode or not found:
            raise NotMeasured(errors.strip() or (self.folder / "host.log").read_text(errors="replace").strip())
        return float(found.group(1))

    def class_name(self, i):
        return f"Bench.Class{i:06}"

    def start_ms(self):
        """From the start of viaductd until a client that is there already knows where a class is."""
        with self.client("first", self.class_name(self.n // 2)) as client:
            client.stdout.readline()
            before = time.monotonic_ns()
            with self.host():
                return (self.figure(client, "at_ns", "\n") - before) / 1e6

    def find_ns(self, n_calls):
        with self.host(), self.wait_for_start():
            with self.client("find", n_calls, FEW, self.n // FEW) as client:
                return self.figure(client, "mean_ns")

    @contextlib.contextmanager
    def wait_for_start(self):
        end = time.monotonic() + 20
        while not (self.folder / "host.sock").exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(1)  # the keeper looks at all files once
        yield

    def memory_and_registration(self):
        """Bytes of an idle host, and milliseconds that one registration takes."""
        with self.host() as host, self.wait_for_start():
            bytes_of_host = memory_of(host.pid)
            first = self.n + self.run.next_number() * 10
            with self.client("register", 5, first) as client:
                return bytes_of_host, self.figure(client, "p50_ns") / 1e6


def size_of(run):
    return MANY if run.calls >= 1000 else 300


def measure_start(run):
    """The starts in milliseconds, and a note."""
    registry = Registry(run, size_of(run))
    times = [registry.start_ms() for _ in range(run.repetitions)]
    size, registration_ms = registry.memory_and_registration()
    note = (f"{registry.n} classes: median {median(times):.0f} ms, the host has {size / MIB:.0f} MiB, "
            f"registering one more takes {registration_ms:.0f} ms")
    return times, note


def measure_find(run):
    """Nanoseconds of a look-up among few and among many classes, in each repetition."""
    few, many = Registry(run, FEW), Registry(run, size_of(run))
    n_calls = max(run.calls // 5, FEW)
    pairs = [(few.find_ns(n_calls), many.find_ns(n_calls)) for _ in range(run.repetitions)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
