"""A process that supervises embedded servers until it is told to stop: what `exam-engine up` does, without the API."""

import sys
from pathlib import Path

from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.embedded.signals import StopRequest
from exam_engine.infra.embedded.supervisor import Supervisor
from exam_engine.infra.errors import EmbeddedServerError


def tell(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        return


def main() -> int:
    with StopRequest() as stop:
        try:
            servers = EmbeddedServers(Path(sys.argv[1]))
            servers.prepare().start()
        except EmbeddedServerError as error:
            sys.exit(str(error))
        supervisor = Supervisor(servers, tell)
        try:
            tell("ready")
            supervisor.watch(stop)
        finally:
            supervisor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
