"""Servers of the lab that Debian has no small daemon for: talkers.py KIND ADDRESS:PORT...

  smtp      greets and answers as a mail server does, and drops what it is given
  database  a stranger's database: a fixed answer to whoever opens with anything
  fake_tls  opens as a TLS server does, then carries whatever it is sent, back and in the clear
"""

import asyncio
import sys

IDLE_SECONDS = 600
# A TLS 1.2 record of type handshake, 4 bytes long: a ServerHelloDone (RFC 5246 section 7.4.5).
SERVER_HELLO_DONE = bytes.fromhex("16030300040e000000")


async def smtp(reader, writer):
    writer.write(b"220 mail.internet.test ESMTP lab\r\n")
    in_message = False
    while line := await asyncio.wait_for(reader.readline(), IDLE_SECONDS):
        verb = line.strip().upper()
        if in_message and verb != b".":
            continue
        in_message = verb == b"DATA"
        if verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            return
        writer.write(b"354 go on\r\n" if in_message else b"250 ok\r\n")


async def database(reader, writer):
    while await asyncio.wait_for(reader.read(4096), IDLE_SECONDS):
        writer.write(b"database.office.test: no such user\n")


async def fake_tls(reader, writer):
    await asyncio.wait_for(reader.read(4096), IDLE_SECONDS)
    writer.write(SERVER_HELLO_DONE + b"fake.internet.test: not TLS any more\n")
    while data := await asyncio.wait_for(reader.read(4096), IDLE_SECONDS):
        writer.write(data)
        await writer.drain()


async def talk(conversation, reader, writer):
    try:
        await conversation(reader, writer)
        await writer.drain()
    except (OSError, asyncio.TimeoutError, ValueError):
        pass  # the client is gone or silent, or sent a line without end
    finally:
        writer.close()


async def main(kind, endpoints):
    conversation = {"smtp": smtp, "database": database, "fake_tls": fake_tls}[kind]
    servers = []
    for endpoint in endpoints:
        address, port = endpoint.rsplit(":", 1)
        servers.append(await asyncio.start_server(
            lambda reader, writer: talk(conversation, reader, writer), address.strip("[]"), int(port)))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
