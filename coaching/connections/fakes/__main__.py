"""The stand-ins as a small process of the demo: `python -m coaching.connections.fakes PORT`.

No Django is loaded: a fifth of the memory. With faults and more words: `manage.py fake_providers`.
"""

import signal
import sys

from coaching.connections.fakes import FakeProviders
from racecontrol.shared.leash import Leash


def main() -> None:
    fakes = FakeProviders(port=int(sys.argv[1]), is_asking=True)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: fakes.stop())
    Leash().hold()
    sys.stdout.write(f"Strava, Oura and intervals.icu stand-ins at {fakes.origin}/\n")
    sys.stdout.flush()
    fakes.serve_forever()


main()
