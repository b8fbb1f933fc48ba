"""The control socket, without the cost of starting a program for each operation."""

import json
import socket
import struct


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def ask(self, operation, **parameters):
        """The result; an error of the gateway's is an exception."""
        request = json.dumps({"operation": operation, "parameters": parameters}).encode()
        self.socket.sendall(struct.pack(">I", len(request)) + request)
        length, = struct.unpack(">I", self._read(4))
        reply = json.loads(self._read(length))
        if "result" not in reply:
            raise RuntimeError(f"{operation}: {reply['errors']}")
        return reply["result"]

    def _read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise RuntimeError("the daemon hung up")
            data += more
        return data
