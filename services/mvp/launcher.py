"""The child's side of the sandbox: fences itself off, then runs a program and ends all of its descendants.

Run as a script with the standard library only, never imported by a server:

    python -I -S launcher.py < REQUEST      (the JSON of `sandbox._request`)

It reports through the file descriptor `report_fd`, one JSON object a line: first what it fenced off, last how the
program ended and what it used. Levels, strongest first; which one works is probed by `sandbox.Sandbox.probe`:

- "namespaces": own mount (a fresh root with the interpreter, system libraries and the project only), process,
  network, IPC and host-name namespaces
- "network": own network namespace; files are shared with the host
- "limits": resource limits and a process group only

Exit codes: the program's own, 128 + signal, or 125 when the fence could not be built (nothing was run then).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

NOBODY = 65534
SETUP_FAILED = 125
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Builds the fence that the request names, runs the program, reports."""
    request = json.load(sys.stdin)
    os.set_inheritable(request["report_fd"], False)
    report = os.fdopen(request["report_fd"], "w", encoding="utf-8", buffering=1)
    try:
        fence = _unshare(request["level"])
    except OSError as error:
        _say(report, {"setup_error": f"{error.strerror or error}"})
        sys.exit(SETUP_FAILED)
    if request["level"] != "namespaces":
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        sys.exit(_supervise(request, report, fence, own_processes=False))
    child = os.fork()
    if child == 0:
        sys.exit(_supervise(request, report, fence, own_processes=True))
    # The child is the first process of its own process namespace: when it ends, the kernel ends all others in it.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    sys.exit(_code(status))


def _unshare(level: str) -> list[str]:
    """Enters new namespaces; returns what is fenced off. Raises OSError where the host does not allow it."""
    if level == "limits":
        return []
    flags = CLONE_NEWNET
    fence = ["network"]
    if level == "namespaces":
        flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
        fence = ["network", "files", "processes"]
    uid, gid = os.getuid(), os.getgid()
    if uid != 0:
        flags |= CLONE_NEWUSER
    if _libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _loopback_up()
    return fence


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack_from("16sh", fcntl.ioctl(probe, SIOCGIFFLAGS, name + bytes(16)))[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))


def _supervise(request: dict[str, Any], report: Any, fence: list[str], *, own_processes: bool) -> int:
    """Fences off files, drops privileges, runs the program and waits until it and its descendants are gone."""
    try:
        if own_processes:
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            _new_root(request)
        user = _drop_privileges(request, own_root=own_processes)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        if own_processes:
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # changing the user clears it
        os.chdir(request["project"])
    except OSError as error:
        _say(report, {"setup_error": f"{error.strerror or error}"})
        return SETUP_FAILED
    _say(report, {"fence": fence, "user": user, "limits": sorted(request["limits"])})
    program = os.fork()
    if program == 0:
        _run(request)

    def end(*_: object) -> None:
        _kill_descendants(program, own_processes=own_processes)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    status = int(signal.SIGKILL)  # what it is when `end` reaped the program
    while True:
        try:
            pid, ended = os.wait()
        except ChildProcessError:
            break
        if pid == program:
            status = ended
            end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    _say(
        report,
        {
            "exit": _code(status),
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "memory_peak_bytes": used.ru_maxrss * 1024,
        },
    )
    return _code(status)


def _new_root(request: dict[str, Any]) -> None:
    """A fresh root in memory: system and interpreter read-only, a copy of the project, devices, /proc and /tmp."""
    root = Path(request["root"])
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", MS_NOSUID | MS_NODEV, f"mode=755,size={request['disk_bytes']}")
    for source in (*SYSTEM_FOLDERS, *request["readable"], *DEVICES):
        _bind(source, root)
    for folder, mode in (("proc", 0o755), ("tmp", 0o1777), ("project", 0o755)):
        (root / folder).mkdir(exist_ok=True)
        (root / folder).chmod(mode)
    _mount("proc", str(root / "proc"), "proc", MS_NOSUID | MS_NODEV)
    shutil.copytree(request["project"], root / "project", dirs_exist_ok=True)
    os.chdir(root)
    if _libc.pivot_root(b".", b".") != 0:
        raise OSError(ctypes.get_errno(), "pivot_root: " + os.strerror(ctypes.get_errno()))
    _check(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")
    request["project"] = "/project"


def _bind(source: str, root: Path) -> None:
    """Shows `source` read-only at the same place below `root`; links are made anew, what is missing is left out."""
    target = root / source.lstrip("/")
    if os.path.lexists(target) or not os.path.lexists(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.islink(source):
        target.symlink_to(os.readlink(source))
        return
    if os.path.isdir(source):
        target.mkdir()
    else:
        target.touch()
    _mount(source, str(target), None, MS_BIND | MS_REC)
    kept = 0 if source.startswith("/dev/") else MS_NODEV
    # Some hosts lock flags of a mount that a user namespace inherits; the program cannot write there in any case.
    _libc.mount(b"none", str(target).encode(), None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | kept, None)


def _drop_privileges(request: dict[str, Any], *, own_root: bool) -> str:
    """As root: becomes nobody where the interpreter stays readable. Returns who runs the program, in words."""
    if os.getuid() != 0:
        return "the server's user"
    if not own_root and not _world_readable(request["readable"]):
        return "root (the interpreter is readable for root only)"
    for folder, folders, files in os.walk(request["project"]):
        for name in (".", *folders, *files):
            os.chown(os.path.join(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    return "nobody"


def _world_readable(paths: list[str]) -> bool:
    """True when every folder on the way to `paths` lets everybody through."""
    folders = {parent for path in paths for parent in (Path(path).resolve(), *Path(path).resolve().parents)}
    return all(folder.stat().st_mode & 0o001 for folder in folders if folder.exists())


def _run(request: dict[str, Any]) -> NoReturn:
    """Sets the limits and becomes the program."""
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores them, and that would be inherited
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        for name, value in request["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        os.execve(request["argv"][0], request["argv"], request["environment"])  # noqa: S606  no shell is meant
    except (OSError, ValueError) as error:
        print(f"cannot start {request['argv'][0]}: {error}", file=sys.stderr, flush=True)  # noqa: T201  the program's log
    os._exit(SETUP_FAILED)


def _kill_descendants(program: int, *, own_processes: bool) -> None:
    """Ends everything below this process, also what left the process group."""
    if own_processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # as the first process of the namespace this means all others
        return
    for _ in range(64):
        children = _children(os.getpid())
        if not children:
            return
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break


def _children(root: int) -> list[int]:
    """All descendants of a process, read from /proc."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(fields[1]) if fields[0] != "Z" else 0
    found, frontier = set[int](), {root}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return sorted(found)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    code = _libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, data.encode() or None)
    _check(code, f"mount of {target}")


def _check(code: int, what: str) -> None:
    if code != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0), "prctl")


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _say(report: Any, line: dict[str, Any]) -> None:
    report.write(json.dumps(line) + "\n")
    report.flush()


if __name__ == "__main__":
    main()
