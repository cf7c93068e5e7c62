"""A fresh clone on a bare machine: the README's two commands, in a container with only git and Python (default seccomp, no added
capability), with pieces missing, and on this machine as root and as an ordinary user.

./dev prove bare [container|novenv|root|user]: figures are whole-command seconds; the demo's own time must stay below 2 minutes
after installation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from proof import TOP, Proof

CA_VARIABLES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_INDEX_URL",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
)
IMAGES = {
    "container": "FROM debian:bookworm-slim\nRUN apt-get update && "
    "apt-get install -y --no-install-recommends git python3 python3-venv && apt-get purge -y iproute2 || true\n",
    "novenv": "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends git python3\n",
}


def build(name: str) -> str:
    """The bare image, built once."""
    tag = f"splitbrain-bare:{name}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(IMAGES[name])
        subprocess.run(["docker", "build", "-q", "-t", tag, folder], check=True, stdout=subprocess.DEVNULL)
    return tag


def in_container(name: str, script: str) -> tuple[int, str, float]:
    """Run a script in the bare container with the clone mounted read-only; this network's CA comes by the usual variables."""
    tag = build(name)
    bundle = os.environ.get("SSL_CERT_FILE", "")
    arguments = ["docker", "run", "--rm", "-v", f"{TOP}:/source:ro"]
    if bundle:
        arguments += ["-v", f"{bundle}:/ca.crt:ro"]
        for variable in CA_VARIABLES[:4]:
            arguments += ["-e", f"{variable}=/ca.crt"]
    for variable in CA_VARIABLES[4:]:
        if variable in os.environ:
            arguments += ["-e", variable]
    start = time.monotonic()
    ended = subprocess.run([*arguments, tag, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    return ended.returncode, ended.stdout, time.monotonic() - start


CLONE = "git config --global --add safe.directory '*' && git clone -q /source /tmp/clone && cd /tmp/clone && "


def container() -> dict[str, object]:
    """The demo and a second, timed one after installation."""
    code, output, seconds = in_container(
        "container",
        CLONE + "./dev setup && date +%s >/tmp/t && ./dev demo --quiet; c=$?; echo demo_s=$(( $(date +%s) - $(cat /tmp/t) )); exit $c",
    )
    print("\n".join("    " + line for line in output.splitlines()[-45:]))
    demo_s = next((int(line.split("=")[1]) for line in output.splitlines() if line.startswith("demo_s=")), 999)
    return {"passed": code == 0 and demo_s < 120, "exit": code, "demo_s": demo_s, "with_install_s": round(seconds)}


def novenv() -> dict[str, object]:
    """Without the venv package: one clear sentence and exit 254."""
    code, output, _ = in_container("novenv", CLONE + "./dev demo")
    print("    " + output.strip())
    return {"passed": code == 254 and "python3-venv" in output, "exit": code}


def on_this_machine(user: str | None) -> dict[str, object]:
    """A fresh clone here, as root or as an ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="splitbrain-clone-"))
    try:
        folder.chmod(0o755)
        subprocess.run(["git", "clone", "-q", str(TOP), str(folder / "clone")], check=True)
        run: list[str] = []
        env = dict(os.environ)
        if user is not None:
            subprocess.run(["chown", "-R", user, str(folder)], check=True)
            run = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            env["HOME"] = str(folder)
            python = next((p for p in ("/usr/bin/python3.11", "/usr/bin/python3") if Path(p).exists()), sys.executable)
            env["PYTHON"] = python
        subprocess.run([*run, "./dev", "setup"], cwd=folder / "clone", env=env, check=True)
        start = time.monotonic()
        ended = subprocess.run(
            [*run, "./dev", "demo", "--quiet"], cwd=folder / "clone", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        demo_s = time.monotonic() - start
        print("\n".join("    " + line for line in ended.stdout.splitlines()[-45:]))
        return {"passed": ended.returncode == 0 and demo_s < 120, "exit": ended.returncode, "demo_s": round(demo_s)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """All, or those named."""
    proof = Proof("bare")
    cases = {
        "container": ("bare container, default seccomp, no capability (relay mode)", container),
        "novenv": ("bare container without the venv package", novenv),
        "root": ("this machine, root", lambda: on_this_machine(None)),
        "user": ("this machine, an ordinary user", lambda: on_this_machine("65534")),
    }
    for key in [key for key in cases if key in sys.argv[1:]] or list(cases):
        proof.case(*cases[key])
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
