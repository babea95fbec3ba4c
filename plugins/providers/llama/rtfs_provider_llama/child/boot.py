"""The child's first lines: its import path, its lifeline, and then the loop.

Started as `python -I -c "..."` with the numbers of two open files: a socket, whose first message says where to import
from, and the pipe that ends this process with its parent. It has no environment worth reading, and no standard input.
"""

from __future__ import annotations

import os
import socket

from rtfs_provider_llama.child.bounds import end_with
from rtfs_provider_llama.child.serve import Serving


def main(connection: int, lifeline: int, parent: int) -> None:
    """Serve the host that started this process, and end with it."""
    end_with(parent, lifeline)
    os.chdir("/")
    Serving(socket.socket(fileno=connection)).run()
