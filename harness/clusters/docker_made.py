"""What a run makes on Docker: a network of its own, and for each node a volume and a container with a fixed address.

Why it exists  addresses that stay the same through kill and start are what cuts rely on; data on a volume is what survives them.
Relies on      198.18.0.0/15 (kept for benchmarks, routed nowhere) for subnets; labels on everything, so that all of it can be found again.
"""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Mapping
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from harness.clusters.docker_engine import LABEL, RUN, Engine, explanation, own_labels
from harness.clusters.docker_helper import remove
from harness.clusters.docker_images import CONF, DATA
from harness.errors import SetupError
from harness.target import Node, Service

SUBNETS = 512
TRIES = 24
FIRST_HOST = 11
LOG_OPTIONS = {"type": "json-file", "config": {"max-size": "16m", "max-file": "2"}}


class Made:
    """One run's network and containers."""

    def __init__(self, engine: Engine, run_id: str, owner_pid: int, image: str) -> None:
        self._engine, self._run_id, self._owner_pid, self._image = engine, run_id, owner_pid, image
        self.network, self.subnet = f"sb-{run_id}", ""
        self.bridge = f"sb-{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"  # an interface's name has 15 letters at most

    def container(self, node: Node) -> str:
        """The container's name."""
        return f"sb-{self._run_id}-{node.name}"

    def address(self, node: Node) -> str:
        """The node's fixed address."""
        return f"{self.subnet.rpartition('.')[0]}.{FIRST_HOST + node.index}"

    def make_network(self) -> None:
        """A bridge network on a subnet that is free. SetupError if none is."""
        dice = random.Random(self._run_id)
        said = ""
        for number in dice.sample(range(SUBNETS), TRIES):
            start = f"198.{18 + number // 256}.{number % 256}"
            pool = IPAMPool(subnet=f"{start}.0/24", gateway=f"{start}.1")
            try:
                self._engine.api.create_network(
                    self.network,
                    driver="bridge",
                    ipam=IPAMConfig(pool_configs=[pool]),
                    options={"com.docker.network.bridge.name": self.bridge},
                    labels=own_labels(self._run_id, self._owner_pid, "network"),
                    check_duplicate=True,
                )
            except APIError as error:
                said = explanation(error)
                if "overlap" not in said.lower():
                    raise
                continue
            self.subnet = f"{start}.0"
            return
        raise SetupError(f"no subnet of 198.18.0.0/15 is free: {said}", "nothing was started", "splitbrain heal; docker network prune")

    def make_node(self, node: Node, service: Service) -> None:
        """A node's volume and container, not started."""
        api, name = self._engine.api, self.container(node)
        volume = f"{name}-data"
        api.create_volume(volume, labels=own_labels(self._run_id, self._owner_pid, "volume"))
        endpoint = api.create_endpoint_config(ipv4_address=self.address(node), aliases=[node.name])
        api.create_container(
            self._image,
            command=list(service.argv)[1:],
            entrypoint=list(service.argv)[:1],
            name=name,
            hostname=node.name,
            working_dir=DATA,
            environment=dict(service.env),
            user=service.user,
            labels={**own_labels(self._run_id, self._owner_pid, "node"), f"{LABEL}.node": node.name},
            networking_config=api.create_networking_config({self.network: endpoint}),
            host_config=api.create_host_config(network_mode=self.network, binds=[f"{volume}:{DATA}"], log_config=LOG_OPTIONS),
        )

    def write_conf(self, node: Node, service: Service) -> None:
        """The service's files, below its conf folder."""
        files = {f"{CONF}/{name}": content.encode() for name, content in service.files.items()}
        if files:
            self._engine.api.put_archive(self.container(node), "/", archive(files))

    def describe(self) -> dict[str, Any]:
        """For events and the report."""
        return {"name": self.network, "subnet": f"{self.subnet}/24", "bridge": self.bridge}


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar of files by absolute path, readable for every user."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def unpack(data: bytes) -> bytes:
    """The first file of a tar."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for entry in tar:
            file = tar.extractfile(entry) if entry.isfile() else None
            if file is not None:
                return file.read()
    raise IsADirectoryError(21, "not a file")


def remove_run(engine: Engine, run_id: str) -> tuple[int, list[str]]:
    """Remove everything with a run's label: (how many things, what could not be, in words)."""
    api, wanted = engine.api, {"label": [f"{RUN}={run_id}"]}
    done, left = 0, []
    containers = [(each["Id"], each["Names"][0].lstrip("/")) for each in api.containers(all=True, filters=wanted)]
    for ident, name in containers:
        try:
            if _is_helper(api, ident):
                api.stop(ident, timeout=10)  # its agent heals first
            done += remove(engine, ident)
        except APIError as error:
            if error.status_code != 404:
                left.append(f"container {name}: {explanation(error)}")
    for network in api.networks(filters=wanted):
        try:
            api.remove_network(network["Id"])
            done += 1
        except APIError as error:
            if error.status_code != 404:
                left.append(f"network {network['Name']}: {explanation(error)}")
    for volume in api.volumes(filters=wanted)["Volumes"] or ():
        try:
            api.remove_volume(volume["Name"])
            done += 1
        except APIError as error:
            if error.status_code != 404:
                left.append(f"volume {volume['Name']}: {explanation(error)}")
    return done, left


def _is_helper(api: Any, ident: str) -> bool:
    found = api.inspect_container(ident)
    return bool(found["State"]["Running"]) and bool(found["Config"]["Labels"].get(f"{LABEL}.role") == "helper")
