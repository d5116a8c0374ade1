"""Run commands in copies of a process that has loaded the libraries: a night of eight commands would load them 8 times.

Only what is installed is loaded before; the code of the checkout is not, and each command is a process of its own with
the folder, the environment and the streams of the step that runs it. Run as a script it serves the socket it is given.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

OURS = ("core", "monitoring", "training", "registry", "review", "stages", "scripts")
LIBRARIES = (
    *("apprise", "github", "great_expectations", "jinja2", "markdown_it", "mlflow", "pandas", "pathspec"),
    *("pyarrow.dataset", "requests", "rich.console", "scipy.stats", "skops.io", "tenacity", "typer"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store"),
    *("sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "sklearn.compose", "sklearn.preprocessing"),
)


@contextlib.contextmanager
def warm() -> Iterator[Path]:
    """The socket of such a process, which ends with the block; it has loaded everything when the block begins."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))  # short: a socket's path has at most 107 bytes
    place = folder / "socket"
    # What registry/store.py and the workflows set before they load MLflow, which reads it then.
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, __file__, str(place)], env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert "ready\n" == process.stdout.readline(), "the libraries could not be loaded"
        yield place
    finally:
        process.terminate()
        process.communicate()
        shutil.rmtree(folder)


def serve(place: Path) -> None:
    """Load the libraries, then run each command that is asked for in a copy of this process."""
    for name in LIBRARIES:
        importlib.import_module(name)
    loaded = [name for name in OURS if name in sys.modules]
    assert not loaded, f"{loaded} must come from the checkout"
    # A copy has only the thread that makes it: another one could leave a lock behind that nobody opens again.
    assert threading.active_count() == 1, threading.enumerate()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        client, _ = server.accept()
        if os.fork() == 0:
            server.close()
            run(client)
        client.close()


def run(client: socket.socket) -> None:
    """Become the command that a client asks for (its streams come with the question), and tell it the exit code."""
    code = 1
    try:
        data, streams, _, _ = socket.recv_fds(client, 1 << 20, 3)
        while not data.endswith(b"\0"):
            data += client.recv(1 << 20)
        asked = json.loads(data[:-1])
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["folder"])
        sys.path.insert(0, asked["env"]["GITHUB_WORKSPACE"])
        sys.argv = ["mlops", *asked["words"]]
        runpy.run_module("scripts", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        client.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
