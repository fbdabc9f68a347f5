#!/usr/bin/env python3
"""A web server whose answers are deliberately strange, for holding two clients beside each other.

    strange_server.py [CERTIFICATE KEY]     (PEM files; with them there is HTTPS as well)

It listens on loopback only, at ports that the operating system chooses, and prints them, a line each:

    http 41234
    https 41235

What it answers goes by the path of the request: strange_answers.py has them all, and `/` lists them. What it
was sent it remembers byte by byte. A line on stdin asks for that: it waits until every connection has ended,
prints what each of them received as a line of JSON (a list of objects with `tls` and, in Latin-1, `bytes`, in
the order in which they came), and forgets it, together with all it counted. It ends when stdin does.
"""

import json
import select
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

import strange_answers

# Seconds. A client that says nothing for so long has gone; no test waits for it.
PATIENCE = 20


class Gone(Exception):
    """The client closed or reset its connection, or fell silent."""


class Request:
    """A request as it came: the head's bytes, and what they mean."""

    def __init__(self, head):
        self.head = head
        lines = head.split(b"\r\n")
        words = lines[0].split(b" ")
        self.method = words[0].decode("latin-1")
        self.target = words[1].decode("latin-1") if len(words) > 1 else "/"
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if colon:
                self.fields.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
        # A proxy is given the whole URL.
        target = self.target
        if target.startswith(("http://", "https://")):
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, encoding="latin-1"))

    def field(self, name):
        """The value of the first such field, or None."""
        return next((value for key, value in self.fields if key == name), None)


class Connection:
    """One connection: what it receives is remembered, what it sends is up to the answers."""

    def __init__(self, server, sock, tls):
        self.server = server
        self.sock = sock
        self.tls = tls
        self.received = bytearray()
        self.consumed = 0
        self.port = None

    # -- what the answers use

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def send_slowly(self, data, piece=1, seconds=0.02):
        """A piece at a time."""
        for at in range(0, len(data), piece):
            self.send(data[at : at + piece])
            time.sleep(seconds)

    def visits(self, key):
        """How often this was called with `key` since the server last forgot."""
        return self.server.visits(key)

    def reset(self):
        """A RST instead of a FIN."""
        sock = self.sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Below TLS: not even its goodbye is sent.
        socket.close(sock.detach())
        raise Gone

    def cut(self):
        """Ends the sending side at once: under TLS without its goodbye."""
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_WR)
        except OSError as error:
            raise Gone from error

    def body(self, request):
        """Reads the request's body, however it is framed; what it holds."""
        if "chunked" in (request.field("transfer-encoding") or "").lower():
            whole = bytearray()
            while True:
                size = int(self.line().split(b";")[0], 16)
                if size == 0:
                    while self.line():
                        pass
                    return bytes(whole)
                whole += self.take(size)
                self.line()
        return self.take(int(request.field("content-length") or 0))

    def more(self, seconds):
        """Waits so long for more than what has been consumed; whether there is any."""
        if len(self.received) > self.consumed:
            return True
        if self.tls and self.sock.pending():
            return True
        return bool(select.select([self.sock], [], [], seconds)[0])

    def tunnel(self, port):
        """Carries bytes to and from a port of the loopback until one side ends."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as far:
            far.settimeout(PATIENCE)
            other = {far: self.sock, self.sock: far}
            while True:
                ready, _, _ = select.select(list(other), [], [], PATIENCE)
                for sock in ready:
                    data = sock.recv(65536)
                    if not data:
                        return
                    other[sock].sendall(data)
                if not ready:
                    return

    # -- how it reads

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.received += data

    def take(self, count):
        while len(self.received) - self.consumed < count:
            self.fill()
        taken = bytes(self.received[self.consumed : self.consumed + count])
        self.consumed += count
        return taken

    def until(self, mark):
        at = self.received.find(mark, self.consumed)
        while at < 0:
            self.fill()
            at = self.received.find(mark, self.consumed)
        return self.take(at + len(mark) - self.consumed)

    def line(self):
        return self.until(b"\r\n")[:-2]

    def request(self):
        return Request(self.until(b"\r\n\r\n"))

    def live(self):
        """Answers requests until an answer says that this is the end."""
        try:
            if self.tls:
                self.sock.do_handshake()
            elif self.sock.recv(1, socket.MSG_PEEK) == b"\x16":
                # TLS where there is none.
                self.fill()
                self.send(strange_answers.whole(b"not here\n", status=b"400 Bad Request"))
                return self.goodbye()
            while strange_answers.answer(self, self.request()):
                pass
            self.goodbye()
        except (Gone, OSError, ValueError):
            pass
        finally:
            self.sock.close()

    def goodbye(self):
        """A FIN, and then everything that still comes: unread bytes would turn it into a RST."""
        if self.tls:
            # Sends its goodbye; the client's own may never come.
            try:
                self.sock.setblocking(False)
                self.sock.unwrap()
            except (OSError, ValueError):
                pass
            self.sock.settimeout(PATIENCE)
        self.cut()
        while True:
            self.fill()


class Server:
    """Its listeners, and what came in through them."""

    def __init__(self, certificate=None, key=None):
        self.lock = threading.Lock()
        self.connections = []
        self.threads = []
        self.counts = {}
        self.probes = {}
        self.gathering = threading.Condition()
        self.waiting = 0
        self.ports = {"http": self.listen(None)}
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.ports["https"] = self.listen(context)

    def listen(self, context):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        threading.Thread(target=self.accept, args=(listener, context), daemon=True).start()
        return listener.getsockname()[1]

    def accept(self, listener, context):
        while True:
            sock, peer = listener.accept()
            if self.is_probe(peer):
                sock.close()
                continue
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            connection = Connection(self, sock, bool(context))
            connection.port = listener.getsockname()[1]
            thread = threading.Thread(target=connection.live, daemon=True)
            with self.lock:
                self.connections.append(connection)
                self.threads.append(thread)
            thread.start()

    def visits(self, key):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]

    def gather(self, count, seconds):
        """Waits until `count` callers wait here; whether they all came in time."""
        with self.gathering:
            self.waiting += 1
            self.gathering.notify_all()
            return self.gathering.wait_for(lambda: self.waiting >= count, seconds)

    def is_probe(self, peer):
        with self.lock:
            probe = self.probes.pop(peer, None)
        if probe:
            probe.set()
        return bool(probe)

    def catch_up(self):
        """Returns once every connection made before has been accepted: each queue is first in, first out."""
        for port in self.ports.values():
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                accepted = threading.Event()
                with self.lock:
                    self.probes[sock.getsockname()] = accepted
                sock.connect(("127.0.0.1", port))
                accepted.wait(PATIENCE)

    def forget(self):
        """What came in, once every connection has ended."""
        self.catch_up()
        with self.lock:
            threads = list(self.threads)
        for thread in threads:
            thread.join(PATIENCE + 10)
        with self.lock:
            seen = [{"tls": c.tls, "bytes": c.received.decode("latin-1")} for c in self.connections]
            self.connections.clear()
            self.threads.clear()
            self.counts.clear()
            self.waiting = 0
        return seen


def main():
    server = Server(*sys.argv[1:3])
    for scheme, port in server.ports.items():
        print(scheme, port)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(server.forget()), flush=True)


if __name__ == "__main__":
    main()
