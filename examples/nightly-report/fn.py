"""Collects what sensors report, and makes a report of it whenever it is time."""

import threading

lock = threading.Lock()
readings = []
report = "No report yet"


def fn(input, headers):
    with lock:
        if "X-Tinyfaas-Schedule" in headers:
            make_report(headers["X-Tinyfaas-Scheduled-For"])
        elif input:
            readings.append(float(input))
            return f"{len(readings)} readings"
        return report


def make_report(time):
    global report
    if readings:
        mean = sum(readings) / len(readings)
        report = f"{time}: {len(readings)} readings, mean {mean:.1f}, from {min(readings)} to {max(readings)}"
        readings.clear()
        print(report)
