"""FolderLock: one training at a time writes into a folder."""
from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAME = ".training"


class FolderInUse(RuntimeError):
    """Another training writes into the folder; the message names its process."""


class FolderLock:
    """Context manager: while it lasts, nobody else gets a lock of the folders; FolderInUse if somebody has one.

    The lock is the system's on the file ``.training`` in the folder (flock, which NFS carries between machines), so it ends with the
    process that holds it, however that dies: a file that is left behind locks nothing. Where the folder cannot be written, or its file
    system or the operating system (Windows) has no such locks, there is none.

    Args:
        folders: each once, if they are there or can be made.
        name: who asks, for the message.
    """

    def __init__(self, folders: Iterable[str | os.PathLike], name: str) -> None:
        self.folders, self.name = list(dict.fromkeys(Path(os.path.realpath(f)) for f in folders)), name
        self.held: list[tuple[Path, int]] = []

    def __enter__(self) -> FolderLock:
        try:
            for folder in self.folders:
                self._take(folder)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        while self.held:
            path, file = self.held.pop()
            try:
                path.unlink()                             # before it is free: who gets the lock of a file that is gone tries again
            except OSError:
                pass
            os.close(file)

    def _take(self, folder: Path) -> None:
        try:
            import fcntl
        except ImportError:                               # a system without them
            return
        path = folder / NAME
        for _ in range(100):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError:
                return                                    # whoever writes into it will tell why that is impossible
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"{self.name}: {_holder(file)} trains into {os.fspath(folder)!r}; let it end, or take another folder"
                os.close(file)
                raise FolderInUse(message) from None
            except OSError:                               # a file system without locks
                os.close(file)
                return
            if _same(file, path):
                break
            os.close(file)                                # its holder has just removed it
        else:
            raise FolderInUse(f"{self.name}: other trainings begin in {os.fspath(folder)!r} all the time; take another folder")
        self.held.append((path, file))
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}).encode(), 0)
        except OSError:                                   # a full disk: the message will not name this process
            pass


def _same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:                                       # it is somebody else's
        pass
    return True


def _holder(file: int) -> str:
    """The process that holds the lock, as it wrote itself down."""
    try:
        holder = json.loads(os.pread(file, 1000, 0))
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder["since"]))
        if holder["host"] != socket.gethostname():
            return f"process {holder['pid']} on {holder['host']}, since {since},"
        return f"{'process' if _lives(holder['pid']) else 'a process that was forked by'} {holder['pid']}, since {since},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
