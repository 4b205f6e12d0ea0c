"""Runs contenders: a server process and clients, fresh for each repetition, interleaved.

What counts is the fastest repetition: the machine's speed changes between repetitions, and other load only ever makes
it slower. Results are kept, so that rows which look at another figure of the same measurement cost nothing.
"""

import dataclasses
import itertools
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_S = 20
RUN_S = 120
# Calls between Linux processes: so many times as many repetitions, as much shorter. The kernel's sends are slower for
# as long as what a process may have in memory stands unluckily, seconds at times; so both contenders have a lucky one.
SHORTER = 4


class NotMeasured(Exception):
    """Why a row has no figure."""


@dataclasses.dataclass(frozen=True)
class Contender:
    program: str  # bench-call or bench-raw
    scheme: str  # unix, pipe, shm, ring, spin
    server: str = "linux"
    client: str = "linux"

    def uses_wine(self):
        return "windows" in (self.server, self.client)


def cpus():
    return sorted(os.sched_getaffinity(0))


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    """A server of the contender; it ends when its standard input does."""

    def __init__(self, run, command, address, cpu, env):
        self.address = address
        self.log = run.work / f"server-{run.next_number()}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*run.pinned(cpu), *command, "serve", address], stdin=subprocess.PIPE, stdout=log,
                stderr=subprocess.STDOUT, env=env)

    def wait_until_ready(self):
        end = time.monotonic() + START_S
        while "ready" not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise NotMeasured(f"the server of {self.address} does not start: {self.text().strip()}")
            time.sleep(0.01)

    def text(self):
        return self.log.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Run:
    """One run of the benchmark: its folder, its options, and what was measured so far."""

    def __init__(self, repetitions, calls, seconds, linux_tree, windows_tree):
        self.repetitions = repetitions
        self.calls = calls
        self.seconds = seconds
        self.linux = Path(linux_tree)
        self.windows = Path(windows_tree)
        self.prefix = self.windows / "wineprefix"
        self.work = Path(tempfile.mkdtemp(prefix="viaduct-bench."))
        self.numbers = itertools.count()
        self.results = {}
        self.wine_ran = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.wine_ran:
            self.stop_wine()
        shutil.rmtree(self.work, ignore_errors=True)

    def next_number(self):
        return next(self.numbers)

    def pinned(self, cpu):
        return [] if cpu is None else ["taskset", "-c", str(cpu)]

    def environment(self, spins):
        env = dict(os.environ, VIADUCT_RUNTIME_DIR=str(self.work), VIADUCT_SHARED_MEMORY="0",
                   XDG_CACHE_HOME=str(self.work / "cache"))
        env.pop("VIADUCT_BENCH_NO_SPIN", None)
        if not spins:
            env["VIADUCT_BENCH_NO_SPIN"] = "1"
        return env

    def wine(self):
        return [str(ROOT / "tests/run_wine"), "--prefix", str(self.prefix)]

    def stop_wine(self):
        """A Wine server is one process tree: where its first program is pinned, all of it is."""
        subprocess.run([*self.wine(), "--stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90,
                       check=False)

    def command(self, system, program):
        if system == "linux":
            path, command = self.linux / "bin" / program, []
        else:
            path, command = self.windows / "bin" / f"{program}.exe", self.wine()
            self.wine_ran = True
        if not path.exists():
            raise NotMeasured(f"{path} is not built")
        return [*command, str(path)]

    def address(self, contender):
        number = self.next_number()
        if contender.scheme in ("unix", "shm", "spin"):
            return f"{contender.scheme}:{self.work}/{number}.sock"
        return f"{contender.scheme}:viaduct-bench-{os.getpid()}-{number}"

    def serve(self, contender, cpu, env):
        server = Server(self, self.command(contender.server, contender.program), self.address(contender), cpu, env)
        try:
            server.wait_until_ready()
        except BaseException:
            server.__exit__()
            raise
        return server

    def once(self, contender, workload, two_cpus, spins):
        """One repetition: the figures that the client prints."""
        env = self.environment(spins)
        name, *arguments = workload
        client_cpu, server_cpu = cpus()[-1], cpus()[0 if two_cpus else -1]
        with self.serve(contender, server_cpu, env) as server:
            command = self.command(contender.client, contender.program)
            done = subprocess.run(
                [*self.pinned(client_cpu), *command, name, server.address, *map(str, arguments)], env=env,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=RUN_S, check=False)
            figures = {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", done.stdout)}
            if done.returncode != 0 or not figures:
                raise NotMeasured(f"{contender.program} over {server.address}: {(done.stderr or server.text()).strip()}")
        return figures

    def copies(self, size, n):
        """Repetitions of copying and reading so many bytes, on the CPU that clients have."""
        if ("copies", size) not in self.results:
            command = [*self.pinned(cpus()[-1]), *self.command("linux", "bench-raw"), "copies", str(n), str(size)]
            repetitions = []
            for _ in range(self.repetitions):
                done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=True)
                repetitions.append({key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", done.stdout)})
            self.results["copies", size] = repetitions
        return self.results["copies", size]

    def compare(self, contenders, workload, two_cpus, spins):
        """The repetitions of each contender, which take turns."""
        key = (tuple(contenders), workload, two_cpus, spins)
        if key not in self.results:
            if two_cpus and len(cpus()) < 2:
                raise NotMeasured("this machine has one CPU")
            n_repetitions = self.repetitions
            if any(contender.uses_wine() for contender in contenders):
                self.stop_wine()
            elif workload[0] == "call":
                workload = ("call", max(workload[1] // SHORTER, 1))
                n_repetitions *= SHORTER
            repetitions = [[] for _ in contenders]
            for i in range(n_repetitions):
                order = list(enumerate(contenders))
                for index, contender in order if i % 2 == 0 else reversed(order):
                    repetitions[index].append(self.once(contender, workload, two_cpus, spins))
            self.results[key] = repetitions
        return self.results[key]

    def clients_once(self, contender, n_clients):
        """Calls of each of so many client processes within the same time; nobody is pinned."""
        env = self.environment(True)
        milliseconds = int(self.seconds * 1000)
        with self.serve(contender, None, env) as server:
            command = self.command(contender.client, contender.program)
            clients = [
                subprocess.Popen([*command, "clients", server.address, str(milliseconds)], env=env,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(n_clients)
            ]
            try:
                for client in clients:
                    if client.stdout.readline().strip() != "ready":
                        raise NotMeasured(f"a client of {server.address} does not start")
                for client in clients:
                    client.stdin.write("\n")
                    client.stdin.flush()
                lines = [client.stdout.readline() for client in clients]
            finally:
                for client in clients:
                    client.stdin.close()
                    try:
                        client.wait(self.seconds + START_S)
                    except subprocess.TimeoutExpired:
                        client.kill()
                        client.wait()
                    client.stdout.close()
        counts = [int(line.partition("=")[2] or 0) for line in lines]
        if 0 in counts:
            raise NotMeasured(f"a client of {contender.program} failed")
        return counts


def best(repetitions, figure="mean_ns"):
    return min(repetition[figure] for repetition in repetitions)


def median(values):
    return statistics.median(values)
