"""What a process runs that hosts a session for a test: ``python hosting.py FOLDER``, until its input ends."""

import sys
from pathlib import Path

from tests.unit.live.markets import session_config, walk
from workbench.live import LiveSession
from workbench.live.process.control_server import ControlServer


def main() -> None:
    session = LiveSession(session_config(walk(500), speed=1.0)).start()
    server = ControlServer(session, Path(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    session.stop()
    server.close()


if __name__ == "__main__":
    main()
