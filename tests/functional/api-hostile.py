# SPDX-License-Identifier: GPL-2.0-or-later
# What nobody well-meaning sends: api-hostile.py SOCKET PID. The server was started with room for
# 40 connections, 2 s for a request and 4 readers of events; a line per check, and an exception at
# the first that fails.
import json, os, socket, sys, time

path, pid = sys.argv[1], int(sys.argv[2])


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)  # waits while the queue is full
    s.settimeout(60)
    return s


def read_all(s):
    data = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece
    except (ConnectionResetError, BrokenPipeError):
        return data


def ask(text, body=b""):
    s = connect()
    try:
        s.sendall(text.encode() + body)
    except (ConnectionResetError, BrokenPipeError):
        pass
    reply = read_all(s)
    s.close()
    return reply


def status(reply):
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.") else 0


def head(method, target, *headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    return "\r\n".join(lines) + "\r\n\r\n"


def fine():
    assert status(ask(head("GET", "/v1/whoami"))) == 200


def memory_kib():
    with open(f"/proc/{pid}/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))


def check(what, condition, detail=""):
    if not condition:
        raise SystemExit(f"FAIL: {what}: {detail!r}")
    fine()
    print("ok:", what, flush=True)


# Two requests on one connection.
s = connect()
for _ in range(2):
    s.sendall(b"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reply = b""
    while not reply.endswith(b"}"):
        piece = s.recv(65536)
        assert piece, "the connection is closed between requests"
        reply += piece
s.close()

JSON = "Content-Type: application/json"
for what in ["GARBAGE\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x00\x01\x02\r\n\r\n",
             "GET /\r\nHost\r\n\r\n", "GET http://[ HTTP/1.1\r\n\r\n"]:
    reply = ask(what)
    check(f"malformed {what[:12]!r}", status(reply) in (0, 400, 404, 421, 505), reply)

for body in ["", "[]", "{", '{"a":' * 2000, '{"operation": 5}', '"x"', "{}\x00", "\xff\xfe"]:
    data = body.encode("latin-1")
    reply = ask(head("POST", "/v1/jobs", JSON, f"Content-Length: {len(data)}"), data)
    check(f"body {body[:12]!r}", status(reply) == 400 and b'"error"' in reply, reply)

reply = ask(head("POST", "/v1/jobs", "Content-Type: text/plain", "Content-Length: 2"), b"{}")
check("a form of another page", status(reply) == 415, reply)
reply = ask(head("POST", "/v1/jobs", JSON, "Origin: https://evil.example", "Content-Length: 2"), b"{}")
check("another origin", status(reply) == 403, reply)
reply = ask(head("DELETE", "/v1/jobs/abcd", "Sec-Fetch-Site: cross-site"))
check("another site", status(reply) == 403, reply)
reply = ask("GET /v1/domains HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
check("another name", status(reply) == 421, reply)

for target in ["/../../etc/passwd", "/..%2f..%2fetc/passwd", "/v1/profiles/..%2f..%2fpasswd",
               "/v1/snapshots/../../x", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
               "/v1/domains/%00"]:
    reply = ask(head("GET", target))
    check(f"traversal {target}", status(reply) in (400, 404) and b"root:" not in reply, reply)
reply = ask(head("PUT", "/v1/profiles/..%2f..%2fx", JSON, "If-None-Match: *", "Content-Length: 13"),
            b'{"text": "a"}')
check("a profile elsewhere", status(reply) in (400, 404, 422), reply)

reply = ask(head("GET", "/" + "a" * 3000))
check("a long path", status(reply) in (404, 414), reply)
reply = ask(head("GET", "/v1/whoami", *[f"X-{i}: y" for i in range(200)]))
check("many headers", status(reply) == 431, reply)
reply = ask(head("POST", "/v1/jobs", JSON, "Content-Length: 99999999999"), b"{" * 4096 + b"\r\n")
check("a length that is a lie", status(reply) in (0, 408, 413), reply)

before = memory_kib()
s = connect()
sent = 0
try:
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    while sent < 64 << 20:
        s.sendall(b"y" * 65536)
        sent += 65536
except (ConnectionResetError, BrokenPipeError, socket.timeout):
    pass
s.close()
check("a header without end", sent < 64 << 20, sent)
s = connect()
sent = 0
try:
    s.sendall(head("POST", "/v1/jobs", JSON, "Transfer-Encoding: chunked").encode())
    while sent < 256 << 20:
        s.sendall(b"10000\r\n" + b"z" * 65536 + b"\r\n")
        sent += 65536
except (ConnectionResetError, BrokenPipeError, socket.timeout):
    pass
s.close()
check("a body without end", sent < 256 << 20, sent)
check("memory after that", memory_kib() - before < 64 << 10, memory_kib() - before)

# Slow and half requests are cut; the server tells nobody to wait for them.
half = [connect() for _ in range(3)]
half[0].sendall(b"GET /v1/who")
half[1].sendall(head("POST", "/v1/jobs", JSON, "Content-Length: 100").encode() + b'{"oper')
begun = time.monotonic()
for s in half:
    read_all(s)
    s.close()
check("half requests", time.monotonic() - begun < 40)
s = connect()
begun = time.monotonic()
try:
    for c in head("GET", "/v1/whoami") * 100:
        s.sendall(c.encode())
        time.sleep(0.1)
    cut = False
except (ConnectionResetError, BrokenPipeError):
    cut = True
check("a byte now and then", cut and time.monotonic() - begun < 40)

idle = []
for _ in range(500):
    s = connect()
    idle.append(s)
fine()
check("500 idle connections", True)
for s in idle:
    s.close()

# Readers of events: one that does not read is dropped, and no more than so many are let in.
readers = []
for _ in range(4):
    s = connect()
    s.sendall(head("GET", "/v1/events").encode())
    assert b"200" in s.recv(12)
    readers.append(s)
reply = ask(head("GET", "/v1/events"))
check("too many readers", status(reply) == 503, reply)
for s in readers:
    s.close()
os.kill(pid, 0)
