#!/usr/bin/env python3
"""Stands in for what serves HTTP on a Unix socket, as Docker's engine does: http_server.py PATH.

GET gives /_ping an "OK" and /stream 200 lines in chunks; POST gives back what was sent.
"""
import http.server
import os
import socketserver
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "a client"

    def log_message(self, *arguments):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Api-Version", "1.43")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.path.endswith("/stream"):
            self.answer(b"OK")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(200):
            line = f"line {number}\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
Server(sys.argv[1], Handler).serve_forever()
