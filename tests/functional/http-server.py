#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# http-server.py FOLDER: serves the files of FOLDER on a free port of 127.0.0.1, with validators,
# and some places that misbehave. Writes FOLDER/port when it listens, and FOLDER/log.
import hashlib
import http.server
import os
import sys
import time

FOLDER = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_args):
        pass

    def note(self, status):
        with open(os.path.join(FOLDER, 'log'), 'a') as log:
            log.write(f'{status} {self.path}\n')

    def redirect(self, where):
        self.note(302)
        self.send_response(302)
        self.send_header('Location', where)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def do_GET(self):
        if self.path == '/moved':
            return self.redirect('/calendar.ics')
        if self.path == '/loop':
            return self.redirect('/loop')
        if self.path == '/file':
            return self.redirect('file:///etc/passwd')
        if self.path == '/endless':
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b'x' * 65536)
            except OSError:
                return None
        if self.path == '/silent':
            self.note('silent')
            time.sleep(600)
            return None
        return self.serve_file()

    def serve_file(self):
        try:
            with open(os.path.join(FOLDER, os.path.basename(self.path)), 'rb') as file:
                body = file.read()
        except OSError:
            self.note(404)
            return self.send_error(404)
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        known = self.headers.get('If-None-Match') == etag
        self.note(304 if known else 200)
        self.send_response(304 if known else 200)
        self.send_header('ETag', etag)
        if not known:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if not known:
            self.wfile.write(body)
        return None


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
with open(os.path.join(FOLDER, 'port.new'), 'w') as port:
    port.write(str(server.server_address[1]))
os.rename(os.path.join(FOLDER, 'port.new'), os.path.join(FOLDER, 'port'))
server.serve_forever()
