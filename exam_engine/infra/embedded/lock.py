"""The lock of a data folder. Every process we start inherits its descriptor, so it stays held while any of them lives.

Without that, a killed supervisor let a second Valkey open the same append-only file.
"""

import errno
import fcntl
import os
import time
from pathlib import Path

from exam_engine.infra.errors import EmbeddedServerError

FILE_NAME = "lock"


class FolderLock:
    """An exclusive, inheritable lock on a data folder."""

    def __init__(self, data_folder: Path) -> None:
        self.path = data_folder / FILE_NAME
        self.descriptor = -1

    def take(self, wait_seconds: float = 0.0) -> bool:
        """Try to take the lock, for a while if asked; tell whether it is ours."""
        if self.descriptor < 0:
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise EmbeddedServerError(
                        f"the file {self.path} cannot be locked ({error.strerror}); "
                        "put the data on a local disk (EXAM_DATA_FOLDER)"
                    ) from error
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.02)
            else:
                return True

    def leave(self) -> None:
        """Close our descriptor; the lock falls when the last process that inherited it ends."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
