"""How long the server draws, and how heavy a page of charts becomes."""

import gzip
import statistics
import time

from bench.figures import Figure


def run() -> list[Figure]:
    import django

    django.setup()
    from racecontrol.shared.charts import Series, line_chart

    rows = []
    for cars, laps, target_ms in ((12, 47, 20), (24, 150, 80)):
        series = [
            Series(f"Driver {car}", [(n, 24_000 + car * 90 + n * 37 % 400) for n in range(1, laps)])
            for car in range(cars)
        ]
        spent = []
        for _ in range(7):
            start = time.perf_counter()
            chart = line_chart(series, title="Lap times")
            spent.append((time.perf_counter() - start) * 1000)
        measured = statistics.median(spent)
        weight = len(gzip.compress(chart.svg.encode())) / 1000
        rows.append(
            Figure(
                f"{cars} cars, {laps} laps, drawn wide and narrow", measured, "ms", target_ms,
                note=f"{weight:.0f} kB gzipped, both drawings",
            )
        )  # fmt: skip
    return rows
