"""A download over TCP that opens as TLS does, between programs on both sides of a crossing."""

import socket
import threading
import time

HANDSHAKE = b"\x16\x03\x01\x00\x05hello"  # a TLS handshake record, which both sides must open with
CHUNK = 1 << 20


def download(crossing, server, size):
    """Bytes a second that come to the device."""
    with crossing.servers:
        listener = socket.create_server((server, 443))
    with crossing.devices:
        client = socket.socket()
    served = threading.Thread(target=_serve, args=(listener, size))
    served.start()
    with listener, client:
        client.settimeout(30)
        client.connect((server, 443))
        client.sendall(HANDSHAKE)
        buffer = bytearray(CHUNK)
        _read_exactly(client, len(HANDSHAKE), buffer)
        began = time.perf_counter()
        _read_exactly(client, size, buffer)
        took = time.perf_counter() - began
        served.join()
    return size / took


def _serve(listener, size):
    connection, _ = listener.accept()
    with connection:
        _read_exactly(connection, len(HANDSHAKE), bytearray(len(HANDSHAKE)))
        connection.sendall(HANDSHAKE)
        chunk = bytes(CHUNK)
        for _ in range(size // CHUNK):
            connection.sendall(chunk)


def _read_exactly(connection, size, buffer):
    view = memoryview(buffer)
    while size:
        got = connection.recv_into(view[:min(size, len(buffer))])
        if not got:
            raise ConnectionError("the download ended early")
        size -= got
