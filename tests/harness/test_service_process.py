"""A service's end: was it ours, or its own?"""

import asyncio
import os

import pytest

from harness.clusters.service_process import ServiceProcess


def wait_without_reaping(pid):
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize(("script", "ours", "code"), [("exit 3", False, 3), ("exec sleep 60", True, -9)])
def test_an_end_just_before_the_kill_is_the_services_own(tmp_path, script, ours, code):
    seen = []

    async def whole():
        process = ServiceProcess(["/bin/sh", "-c", script], {}, str(tmp_path), "", tmp_path / "log", lambda ended: seen.append(ended))
        if not ours:  # it ends, and the loop does not get to hear of it before the kill
            wait_without_reaping(process.pid)
        await process.kill()
        process.close()
        return process.expected

    assert asyncio.run(whole()) is ours
    assert seen == [code]
