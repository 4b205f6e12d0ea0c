"""Very many objects of one server: what a call, and each object, costs with few and with many of them."""

import re
import subprocess
import time

from contenders import Contender, NotMeasured, Server
from load import memory_of

STEP_S = 300
FEW = 1000


class Program:
    """A client that is told what to do line by line, and answers with a line of figures."""

    def __init__(self, run, *arguments):
        self.process = subprocess.Popen([*run.command("linux", "bench-objects"), *map(str, arguments)],
                                        env=run.environment(False), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise NotMeasured(self.process.stderr.read().strip() or "bench-objects has ended")
        return {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", line)}

    def step(self, name):
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        """Ends it, and returns what it says then."""
        output, _ = self.process.communicate(timeout=STEP_S)
        return {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", output)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def serve(run):
    address = run.address(Contender("bench-objects", "unix"))
    server = Server(run, run.command("linux", "bench-objects"), address, None, run.environment(False))
    server.wait_until_ready()
    return server


def hold(run, n, n_calls, number_to_repeat):
    """The figures of a client that makes `n` objects, calls random ones, and releases all."""
    with serve(run) as server, Program(run, "hold", server.address, n, n_calls) as client:
        before = memory_of(server.process.pid), memory_of(client.process.pid)
        figures = client.step("make")
        figures["server_bytes"] = (memory_of(server.process.pid) - before[0]) / n
        figures["client_bytes"] = (memory_of(client.process.pid) - before[1]) / n
        calls = [client.step("call") for _ in range(number_to_repeat)]
        figures.update(min(calls, key=lambda call: call["mean_ns"]))
        figures.update(client.step("release"))
        figures.update(client.step("settle"))
        if figures["live"] != 0:
            raise NotMeasured(f"{figures['live']:.0f} objects are still there a minute after their release")
    return figures


def kill(run, n):
    """How long another client waits at most, while the server cleans up behind a client that is killed with `n`."""
    with serve(run) as server, Program(run, "hold", server.address, n, 1) as client:
        client.step("make")
        with Program(run, "probe", server.address) as probe, Program(run, "hold", server.address, 1, 1) as observer:
            time.sleep(0.2)
            started = time.monotonic()
            client.process.kill()
            client.process.wait()
            figures = observer.step("settle")
            if figures["live"] != 0:
                raise NotMeasured(f"{figures['live']:.0f} objects are still there a minute after their holder's death")
            seconds = time.monotonic() - started
            return {**probe.end(), "seconds": seconds}


def measure_objects(run, n, n_calls):
    """Few objects and many; what a call costs more with many is its ratio."""
    few, many = (hold(run, count, n_calls, run.repetitions) for count in (FEW, n))
    return {"objects": n, "few": few, "many": many, "killed": kill(run, n), "ratio": many["mean_ns"] / few["mean_ns"]}
