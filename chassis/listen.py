"""Binding to an address, and saying clearly why it cannot be done."""

from __future__ import annotations

import errno
import os
import socket
import stat

import grpc.aio

from chassis.config import ConfigError


class ListenError(ConfigError):
    """The server cannot listen where it was told to; the text names the address and the mend."""


def prepare(listen: str) -> None:
    """Refuses an address that somebody serves on, before gRPC does worse than refuse.

    gRPC deletes an existing socket file without asking who listens there, so a living one must be found first; a
    dead one (left by a killed process) is free to take. For tcp, a bind of our own tells a taken port from a
    wrong host. Raises ListenError.
    """
    if listen.startswith("unix:"):
        _prepare_unix(listen.removeprefix("unix:"))
    else:
        _prepare_tcp(listen)


def _prepare_unix(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise ListenError(f"Cannot listen on unix:{path}: there is no folder {folder}; create it first.")
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"Cannot listen on unix:{path}: a file of that name exists; choose another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except OSError:
            return
    raise ListenError(
        f"Cannot listen on unix:{path}: another server serves there; stop it or set PIPELINE_LISTEN to another path."
    )


def _prepare_tcp(listen: str) -> None:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        infos = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise ListenError(
            f"Cannot listen on {listen}: the host {host} is not known here; set PIPELINE_LISTEN to an address of "
            "this machine, for example 127.0.0.1:50051."
        ) from None
    family, kind, protocol, _, address = infos[0]
    with socket.socket(family, kind, protocol) as probe:
        # As gRPC does: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise ListenError(f"Cannot listen on {listen}: {_why(error, port)}") from None


def _why(error: OSError, port: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; stop what uses it or set PIPELINE_LISTEN to another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} needs more rights than this process has; choose one above 1024."
    return "that address is not one of this machine; set PIPELINE_LISTEN to one that is, or to 127.0.0.1:50051."


def bind(server: grpc.aio.Server, listen: str) -> str:
    """Binds `server` and returns the address for clients on this machine. Raises ListenError."""
    prepare(listen)
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        port = 0
    if not port:
        raise ListenError(f"Cannot listen on {listen}: it was taken a moment ago; set PIPELINE_LISTEN to another.")
    if listen.startswith("unix:"):
        return listen
    host = listen.rpartition(":")[0]
    return f"{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}"  # noqa: S104 - compared, not bound
