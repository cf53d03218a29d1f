"""What can be wrong with an answer of the timing site."""

from racecontrol.shared.errors import RaceError, SourceUnavailable

EXCERPT_CHARS = 400


class UnexpectedPage(RaceError):
    """A page is not what it should be. Names the page, the part that was looked for, and shows it.

    `page` is the kind of page (race_result), `selector` the part, `excerpt` what stood there.
    """

    code = "unexpected_page"
    status = 502

    def __init__(self, *, page: str, selector: str, excerpt: str = "", why: str = "is missing"):
        self.page, self.selector, self.why = page, selector, why
        self.excerpt = " ".join(excerpt.split())[:EXCERPT_CHARS]
        shown = f" It reads: {self.excerpt[:120]}" if self.excerpt else ""
        super().__init__(f"LiveRC {page} page: {selector} {why}.{shown}")


class BotCheck(SourceUnavailable):
    """The site asked for a proof that we are human: stop calling it for a while."""

    code = "bot_check"
