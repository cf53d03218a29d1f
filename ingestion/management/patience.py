"""What a command does about the budget of requests: it waits for the next minute, not for tomorrow."""

import time

from django.core.management import BaseCommand, CommandError
from django.utils.timezone import now

from ingestion.services.fetching import BudgetExhausted


def wait_out(spent: BudgetExhausted, command: BaseCommand) -> None:
    """Sleep until the budget has room again. Raises CommandError where the day's is spent."""
    if spent.is_daily:
        raise CommandError(f"{spent} Run the command again then.") from spent
    command.stdout.write(str(spent))
    time.sleep(max(0.0, (spent.retry_at - now()).total_seconds()) + 0.1)
