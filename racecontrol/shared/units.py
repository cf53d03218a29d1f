"""Race numbers and how people write them. Times are whole milliseconds everywhere inside."""


def format_ms(ms: int | None) -> str:
    """24318 -> '24.318', 363210 -> '6:03.210', 7200000 -> '2:00:00.000', None -> '–'."""
    if ms is None:
        return "–"
    sign, ms = ("−", -ms) if ms < 0 else ("", ms)
    seconds, thousandths = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{sign}{hours}:{minutes:02}:{seconds:02}.{thousandths:03}"
    if minutes:
        return f"{sign}{minutes}:{seconds:02}.{thousandths:03}"
    return f"{sign}{seconds}.{thousandths:03}"


def format_gap(ms: int | None) -> str:
    """4318 -> '+4.318'; a leader's or unknown gap -> '–'."""
    return "–" if not ms else f"+{format_ms(ms)}"
