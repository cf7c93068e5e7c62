"""The report says how late operations went out."""

from harness.report import markdown
from harness.results import cannot_judge


def test_lag_is_in_the_report(tmp_path):
    lag = '{"time":9,"event":"lag","invocations":1549,"abandoned":2,"lag_max_ns":5441194,"lag_p99_ns":3499657}\n'
    (tmp_path / "events.jsonl").write_text('{"time":1,"event":"phase","phase":"healthy"}\n' + lag)
    page = markdown(tmp_path, cannot_judge("x", "nothing"))
    assert "Scheduling lag of 1549 operations: 99 % below 3.5 ms, worst 5.4 ms; 2 calls outlived their deadline." in page
