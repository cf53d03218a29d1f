"""How big each table is, what a row costs, and how long it stays."""

from django.core.management.base import BaseCommand

from racecontrol import growth


class Command(BaseCommand):
    help = "Rows, bytes (with indexes) and bytes a row of each table, and how long rows are kept."

    def add_arguments(self, parser):
        parser.add_argument("--all", action="store_true", help="Empty tables, too.")

    def handle(self, *, all: bool, **options):
        found = growth.sizes()
        line = "{:<34} {:>10} {:>12} {:>12} {:>9}  {}"
        self.stdout.write(line.format("table", "rows", "kB", "of it index", "B a row", "kept"))
        for size in found:
            if size.rows or all:
                a_row = "" if size.per_row is None else f"{size.per_row:.0f}"
                self.stdout.write(
                    line.format(
                        size.table, f"{size.rows:,}", f"{size.total / 1024:,.0f}",
                        f"{size.indexes / 1024:,.0f}", a_row, growth.kept(size.table),
                    )
                )  # fmt: skip
        total = sum(size.total for size in found)
        self.stdout.write(f"{total / 2**20:,.1f} MB in {len(found)} tables")
