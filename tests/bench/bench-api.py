# SPDX-License-Identifier: GPL-2.0-or-later
# bench-api.py SOCKET [PATH [CLIENTS [REQUESTS]]] : what a GET takes with so many clients at once, each
# on a connection of its own; prints milliseconds as JSON.
import http.client, json, socket, statistics, sys, threading, time

path = sys.argv[2] if len(sys.argv) > 2 else "/v1/domains"
clients = int(sys.argv[3]) if len(sys.argv) > 3 else 50
requests = int(sys.argv[4]) if len(sys.argv) > 4 else 20
times, errors, size = [], [], 0


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


def client():
    global size
    connection = Unix("localhost")
    for _ in range(requests):
        begun = time.monotonic()
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
        times.append((time.monotonic() - begun) * 1000)
        size = len(body)
        if reply.status != 200:
            errors.append(reply.status)


threads = [threading.Thread(target=client) for _ in range(clients)]
begun = time.monotonic()
for t in threads:
    t.start()
for t in threads:
    t.join()
times.sort()
print(json.dumps({"clients": clients, "requests": len(times), "errors": len(errors), "bytes": size,
                  "median_ms": round(statistics.median(times), 1), "p95_ms": round(times[int(len(times) * .95)], 1),
                  "per_second": round(len(times) / (time.monotonic() - begun))}))
