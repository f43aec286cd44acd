"""Listening sockets; imports nothing that reads the environment (see service/__main__.py)."""

import socket


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """A bound socket; with `shared`, all workers may have one. OSError if the address is taken."""
    family, kind, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(address)
    return listener
