"""Events as they are read again: whole, torn at the end, damaged in the middle."""

import pytest

from harness.events import EventLog, read_events


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for name in ("healthy", "fault", "heal"):
        log.emit("phase", {"phase": name})
    log.emit("not-recovered", {"node": "n1"})
    log.close()
    return path


def kinds(path):
    return [event["event"] for event in read_events(path)]


def test_a_torn_last_line_is_dropped(stored):
    stored.write_bytes(stored.read_bytes()[:-5])
    assert kinds(stored) == ["start", "phase", "phase", "phase"]


@pytest.mark.parametrize("damage", [b"{torn", b"[]", b'{"time": 1}', b"\xff\xfe", b'{"time": "x", "event": "phase"}'])
def test_findings_behind_a_damaged_line_are_kept_and_the_damage_is_an_event(stored, damage):
    lines = stored.read_bytes().split(b"\n")
    lines[2] = damage
    stored.write_bytes(b"\n".join(lines))
    assert kinds(stored) == ["start", "phase", "damaged", "phase", "not-recovered"]
    assert read_events(stored)[2]["says"] == "line 3 of events.jsonl is damaged"


def test_no_file_no_events(tmp_path):
    assert read_events(tmp_path / "events.jsonl") == []
