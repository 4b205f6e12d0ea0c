#!/usr/bin/env python3
"""What runs against a relay: a target that it connects to, and clients that do one thing each.

traffic.py SCENARIO LISTEN TARGET [NUMBER] plays the target at the socket TARGET itself and connects
to the socket LISTEN, where the relay is (or a chain of them). It ends with status 0 and a line of
figures, or says what is wrong.
"""
import hashlib
import os
import select
import socket
import sys
import threading
import time

PATIENCE = 60 * int(os.environ.get("VIADUCT_TEST_FACTOR", "1"))
BLOCK = 64 * 1024


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)  # blocks while the backlog is full; with a time limit it would fail
    client.settimeout(PATIENCE)
    return client


def read_all(stream):
    digest, size = hashlib.sha256(), 0
    while data := stream.recv(BLOCK):
        digest.update(data)
        size += len(data)
    return f"{size} {digest.hexdigest()}".encode()


def read_exactly(stream, size):
    digest, left = hashlib.sha256(), size
    while left > 0:
        data = stream.recv(min(left, BLOCK))
        assert data, "bytes ended early"
        digest.update(data)
        left -= len(data)
    return f"{size} {digest.hexdigest()}".encode()


def write_random(stream, size):
    digest, left, block = hashlib.sha256(), size, os.urandom(BLOCK)
    while left > 0:
        piece = block[: min(left, BLOCK)]
        stream.sendall(piece)
        digest.update(piece)
        left -= len(piece)
    return f"{size} {digest.hexdigest()}".encode()


class Target:
    """Serves every connection with `serve` on a thread of its own."""

    def __init__(self, path, serve):
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(512)
        self.serve, self.path, self.open = serve, path, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            stream.settimeout(PATIENCE)
            self.open.append(stream)
            threading.Thread(target=self.run, args=(stream,), daemon=True).start()

    def run(self, stream):
        try:
            self.serve(stream)
        except OSError:
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)
        for stream in self.open:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def digest_at_end(stream):
    stream.sendall(read_all(stream))
    stream.close()


def echo(stream):
    while data := stream.recv(BLOCK):
        stream.sendall(data)
    stream.close()


def ask(path, question=b"question"):
    """One round; False where the relay ends the connection instead."""
    with connect(path) as client:
        try:
            client.sendall(question)
            answer = b""
            while len(answer) < len(question) and (data := client.recv(BLOCK)):
                answer += data
        except ConnectionError:
            return False
        return answer == question


def in_parallel(count, work):
    failures = []

    def run(index):
        try:
            work(index)
        except Exception as failure:  # shown below
            failures.append(repr(failure))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]


# --- scenarios ---


def checksums(listen, target, mebibytes):
    """Both ways at once, by eight clients."""

    def serve(stream):
        sent = []
        writer = threading.Thread(target=lambda: sent.append(write_random(stream, size)))
        writer.start()
        received = read_exactly(stream, size)
        writer.join()
        stream.sendall(sent[0] + b"|" + received)
        stream.close()

    def client(_):
        with connect(listen) as stream:
            sent = []
            writer = threading.Thread(target=lambda: sent.append(write_random(stream, size)))
            writer.start()
            received = read_exactly(stream, size)
            writer.join()
            report = b""
            while data := stream.recv(BLOCK):
                report += data
            expected = received + b"|" + sent[0]
            assert report == expected, (report, expected)

    size = mebibytes * 1024 * 1024 // 8
    Target(target, serve)
    start = time.monotonic()
    in_parallel(8, client)
    print(f"{2 * mebibytes / (time.monotonic() - start):.0f} MiB/s in both directions together")


def half_close(listen, target, _):
    """The client's end is passed on and the answer comes; then the target's end alone."""
    server = Target(target, digest_at_end)
    with connect(listen) as client:
        expected = write_random(client, 300000)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(BLOCK):
            answer += data
        assert answer == expected, answer
    server.close()

    received = []

    def finish_first(stream):
        stream.sendall(b"last words")
        stream.shutdown(socket.SHUT_WR)
        received.append(read_all(stream))
        stream.close()

    Target(target, finish_first)
    with connect(listen) as client:
        assert client.recv(BLOCK) == b"last words" and client.recv(BLOCK) == b""
        expected = write_random(client, 300000)
    deadline = time.monotonic() + PATIENCE
    while not received and time.monotonic() < deadline:
        time.sleep(0.01)
    assert received == [expected], received


def never_reads(listen, target, mebibytes):
    """The target writes until it is stopped; others are served meanwhile."""
    sent = []

    def serve(stream):
        if stream.recv(1) == b"e":
            stream.sendall(b"e")
            echo(stream)
            return
        stream.settimeout(2)
        total = 0
        try:
            while total < mebibytes * 1024 * 1024:
                total += stream.send(b"x" * BLOCK)
        except TimeoutError:
            pass
        sent.append(total)

    Target(target, serve)
    stopped = connect(listen)
    stopped.sendall(b"w")
    for _ in range(50):
        assert ask(listen, b"e" + os.urandom(1000))
    deadline = time.monotonic() + PATIENCE
    while not sent and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sent and sent[0] < mebibytes * 1024 * 1024, sent
    stopped.close()
    print(f"the writer was stopped after {sent[0] // 1024} KiB")


def comes_and_goes(listen, target, _):
    """A target that is not there, comes, goes and comes."""
    for _ in range(3):
        start = time.monotonic()
        assert not ask(listen), "an answer from nobody"
        assert time.monotonic() - start < PATIENCE / 2
        server = Target(target, echo)
        for _ in range(20):
            assert ask(listen), "no answer from a target that is there"
        with connect(listen) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            server.close()
            try:
                assert client.recv(1) == b"", "the target is gone, and the client is not told"
            except ConnectionError:
                pass


def leave_in_the_middle(listen, target, count):
    """Either side goes while much is on its way to it; who comes next is served."""

    def serve(stream):
        if stream.recv(1) == b"e":
            stream.sendall(b"e")
            echo(stream)
        stream.sendall(b"x" * BLOCK * 64)

    server = Target(target, serve)
    for number in range(count):
        with connect(listen) as client:
            client.sendall(b"w" if number % 2 else b"e")
            if number % 2:
                read_exactly(client, 10 * BLOCK)
                continue
            assert client.recv(1) == b"e"
            server.open[-1].shutdown(socket.SHUT_RD)  # and what is sent to it is an error
            try:
                client.sendall(b"x" * BLOCK * 64)
            except ConnectionError:
                pass
    assert ask(listen, b"e" + os.urandom(1000))


def descriptors_are_closed(listen, target, _):
    """Those that are sent with bytes, few of them or many, reach nobody and are not kept."""
    Target(target, echo)
    with connect(listen) as client:
        for size in (10, 100 * BLOCK, 10):
            reading, writing = os.pipe()
            writer = threading.Thread(target=write_random, args=(client, size - 5))
            socket.send_fds(client, [b"first"], [writing])
            os.close(writing)
            writer.start()
            read_exactly(client, size)
            writer.join()
            assert select.select([reading], [], [], PATIENCE)[0] and os.read(reading, 1) == b""
            os.close(reading)


def restarts(listen, target, _):
    """Who comes while the target restarts waits and is served."""
    assert (server := Target(target, echo)) and ask(listen)
    server.close()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(ask(listen)))
    waiting.start()
    time.sleep(0.3)
    Target(target, echo)
    waiting.join()
    assert answers == [True], answers


def far(listen, target, port):
    """A target elsewhere that does not answer holds up nobody but its own clients; then it answers."""
    address = (os.environ["FAR_HOST"], port)
    with socket.socket() as server:
        server.bind(address)
        server.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(address)
        time.sleep(0.2)
        stopped = [connect(listen) for _ in range(5)]
        for client in stopped:
            client.sendall(b"question")
        Target(target, echo)
        start = time.monotonic()
        for _ in range(20):
            assert ask(listen + ".near"), "another relay does not answer"
        assert time.monotonic() - start < PATIENCE / 20, "another relay was held up"

        server.listen(64)
        for _ in crowd + stopped:  # in whichever order the system lets them in
            stream, _ = server.accept()
            threading.Thread(target=echo, args=(stream,), daemon=True).start()
        for client in stopped:
            answer = b""
            while len(answer) < 8:
                data = client.recv(8)
                assert data, "the connection that took its time has failed"
                answer += data
            client.close()


class FarTarget:
    """Serves an address of this machine that does not count as its own."""

    def __init__(self, address):
        self.socket = socket.create_server(address)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(stream,), daemon=True).start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def far_comes_and_goes(listen, target, port):
    """A target elsewhere that is not there, comes while a client waits, goes and comes."""
    address = (os.environ["FAR_HOST"], port)
    for _ in range(2):
        assert not ask(listen + ".short"), "an answer from nobody"
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(ask(listen + ".patient")))
        waiting.start()
        time.sleep(0.3)
        server = FarTarget(address)
        waiting.join()
        assert answers == [True], "who waited was not served"
        for _ in range(5):
            assert ask(listen + ".short"), "no answer from a target that is there"
        server.close()
    assert not ask(listen + ".short"), "an answer from nobody"


def come_and_leave(listen, target, count):
    """Clients that leave before anything is accepted or said; then one that stays."""
    Target(target, echo)
    for _ in range(count):
        connect(listen).close()
    assert ask(listen)


def idle(listen, target, count):
    """Opens and uses `count` streams, then keeps them until a line comes on standard input."""
    Target(target, echo)
    clients = [connect(listen) for _ in range(count)]
    for client in clients:
        client.sendall(b"x" * 1000)
    for client in clients:
        left = 1000
        while left > 0:
            left -= len(client.recv(left))
    print("open", flush=True)
    sys.stdin.readline()


def waits(listen, target, _):
    """A client that stays until a line comes on standard input, or its end."""
    with connect(listen):
        sys.stdin.readline()


def is_disconnected(listen, target, _):
    """An idle client is disconnected."""
    Target(target, echo)
    with connect(listen) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x" and client.recv(1) == b""


def is_refused(listen, target, uid):
    """Another user is kept out, though it can reach the socket."""
    Target(target, echo)
    assert ask(listen)
    os.setgid(uid)
    os.setuid(uid)
    assert not ask(listen), "another user was let in"


def is_let_in_by_group(listen, target, gid):
    """Another user is let in for a supplementary group."""
    Target(target, echo)
    os.setgroups([gid, gid + 1])
    os.setgid(gid + 2)
    os.setuid(gid)
    assert ask(listen), "a member of the group was kept out"


if __name__ == "__main__":
    scenario = globals()[sys.argv[1]]
    number = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    try:
        scenario(sys.argv[2], sys.argv[3], number)
    except AssertionError as failure:
        sys.exit(f"{sys.argv[1]}: {failure}")
