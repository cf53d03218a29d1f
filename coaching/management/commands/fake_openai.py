"""A model server for development: real HTTP, behaviour by model name. Nothing it says is coaching."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coaching.llm.fake_openai import BEHAVIOURS, PREFIX, FakeOpenAI


class Command(BaseCommand):
    help = "Run the fake model server (development only): LLM_BASE_URL=http://127.0.0.1:8099/v1"

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8099)

    def handle(self, *, port, **options):
        if settings.PRODUCTION:
            raise CommandError("The fake model server is for development.")
        fake = FakeOpenAI(port=port)
        for name, words in BEHAVIOURS.items():
            self.stdout.write(f"  {PREFIX}{name:18} {words}")
        self.stdout.write(self.style.SUCCESS(f"listening: {fake.base_url}"))
        try:
            fake.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("stopped")
