#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# demo-bridge.py SOCKET: lets browsers of this host reach a Unix socket. Prints its port.
import asyncio
import sys


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def on_client(reader, writer):
    try:
        upstream, downstream = await asyncio.open_unix_connection(sys.argv[1])
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, downstream), copy(upstream, writer))


async def main():
    server = await asyncio.start_server(on_client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
