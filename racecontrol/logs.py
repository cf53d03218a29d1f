"""How every process logs: one line an event to the console, as JSON or for a person's eyes."""

import sys
from typing import Any

import structlog

from racecontrol.shared.log_masks import mask_addresses

# Before a line is written, whether structlog or a library's logging made it.
ALWAYS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    mask_addresses,
]


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *ALWAYS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logging_to_console(*, line: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `line`: "json", or "console" for a person."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": ALWAYS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    mask_addresses,  # the words of a fault may hold the address that was asked
                    structlog.processors.JSONRenderer(),
                ],
            },
            "console": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": ALWAYS,
                "processor": structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": line}},
        "root": {"handlers": ["console"], "level": level},
    }
