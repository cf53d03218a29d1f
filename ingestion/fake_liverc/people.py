"""The drivers and tracks of this small world. All names are invented."""

from random import Random

from ingestion.fake_liverc.facts import Formula, Racer, Track

FIRST = [
    "Alder",
    "Brindle",
    "Corvin",
    "Dario",
    "Elke",
    "Fenn",
    "Gisla",
    "Harlan",
    "Idris",
    "Jory",
    "Kester",
    "Linnea",
    "Merrik",
    "Nadia",
    "Orson",
    "Perrin",
    "Quill",
    "Rosalind",
    "Soren",
    "Tamsin",
    "Ulric",
    "Vesper",
    "Wendel",
    "Xanthe",
    "Yorick",
    "Zelda",
    "Anouk",
    "Bastian",
    "Clio",
    "Dorrit",
    "Emrys",
    "Freya",
    "Gunnar",
    "Hollis",
    "Imre",
    "Juno",
    "Kaspar",
    "Leopold",
    "Maren",
    "Nico",
]
LAST = [
    "Ashgrove",
    "Bellwether",
    "Coldbrook",
    "Draycott",
    "Eastlake",
    "Farrowdale",
    "Gantry",
    "Hollin",
    "Ironside",
    "Jessamy",
    "Kettleby",
    "Larkspur",
    "Marchbank",
    "Netherby",
    "O'Dell",
    "Pennyfeather",
    "Quarles",
    "Ravenhurst",
    "Silverton",
    "Thackeray",
    "Underhill",
    "Vantongeren",
    "Westmoor",
    "Yarrow",
    "Zimmeraker",
    "Brackenridge",
    "Carrowmore",
    "D'Arcy",
    "Fenwicke",
    "Núñez",
]

HOW_MANY = 150


def paddock(seed: int) -> list[Racer]:
    """Everybody who races. Two of them share a name, as happens at real tracks."""
    rng = Random(f"{seed}/paddock")
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    rng.shuffle(names)
    names = names[:HOW_MANY]
    names[0], names[1] = "Perrin O'Dell", "Juno D'Arcy"
    names[9] = names[3]
    ids = rng.sample(range(120_000, 740_000), HOW_MANY)
    tags = rng.sample(range(1_000_000, 9_999_999), HOW_MANY)
    return [
        Racer(
            id=ids[n], name=name, transponder=str(tags[n]), skill=round(rng.gauss(1.06, 0.045), 4)
        )
        for n, name in enumerate(names)
    ]


NITRO = Formula(
    "1/8 Nitro Buggy", 4101, 37_400, 420_000, {"A": 1_800_000, "B": 1_200_000, "C": 900_000},
    cars=12, moving_up=4, skips_first_lap=True,
)  # fmt: skip
ELECTRIC = Formula(
    "1/8 Electric Buggy", 4102, 36_100, 420_000, {"A": 480_000, "B": 480_000}, cars=10, legs=3
)
JUNIOR = Formula("Junior", 4103, 48_500, 300_000, {"A": 480_000}, cars=12)
TWO_WHEEL = Formula(
    "2-Wheel Drive Buggy", 4201, 22_300, 300_000, {"A": 360_000, "B": 360_000, "C": 360_000},
    cars=10,
)  # fmt: skip
STOCK = Formula(
    "ISTC - 21.5T", 4202, 15_400, 300_000, {"A": 300_000, "B": 300_000}, cars=10, legs=3
)
TRUGGY = Formula(
    "1/8 Nitro Truggy", 4104, 38_900, 300_000, {"A": 900_000, "B": 600_000}, cars=10, moving_up=3
)

DEMO = "redgum"

TRACKS = (
    Track(
        DEMO, "Redgum Flat Off Road Raceway", "12 Saleyards Road", "Wagga Wagga", "NSW", "2650",
        "Australia", "AU", "Australia/Sydney", "http://redgumflat.example", "Redgum Grand Prix",
        "Yesterday", 0, has_video=True, is_featured=True,
    ),
    Track(
        "trs", "Tin Roof Speedway", "4410 Gantry Lane", "Boise", "ID", "83702", "United States", "US",
        "America/Boise", "http://tinroof.example", "Points Series #4", "3 hours ago", 1,
    ),
    Track(
        "kiln", "The Kiln Indoor Circuit", "Unit 6, Foundry Street", "Sheffield", "", "S3 8GG",
        "United Kingdom", "GB", "Europe/London", "", "Wednesday club \"carpet\" night", "2 months ago",
        is_short=True,
    ),
    Track(
        "kiesgrube", "RC-Arena Kiesgrube", "Am Steinbruch 9", "Kassel", "", "34117", "Germany", "DE",
        "Europe/Berlin", "http://kiesgrube.example", "Herbstlauf & Grillfest", "last week", is_short=True,
    ),
    Track(
        "cobblepeak", "Cobble Peak RC Park", "77 Rimu Road", "Hamilton", "", "3204", "New Zealand", "NZ",
        "Pacific/Auckland", "", "Test", "3 hours ago", 1,
    ),
    Track(
        "prairie", "Prairie Dust RC", "900 Grain Elevator Rd", "Regina", "SK", "S4P 3Y2", "Canada", "CA",
        "America/Regina", "http://prairiedust.example", "", "last year",
    ),
    Track(
        "saltmarsh", "Saltmarsh Raceway", "2 Cais do Sal", "Aveiro", "", "3800", "Portugal", "PT",
        "Europe/Lisbon", "", "Taça de Inverno", "2 months ago",
    ),
    Track(
        "highveld", "HIGHVELD RC RACEWAY", "Plot 14, Windpump Road", "Pretoria", "", "0001", "South Africa",
        "ZA", "Africa/Johannesburg", "highveld example", "Shootout Round 2", "last week", has_video=True,
    ),
    Track(
        "kawabe", "川辺サーキット", "3-14 Minato", "Nagoya", "", "460-0001", "Japan", "JP", "Asia/Tokyo",
        "", "第3戦", "1 minute ago", 2, is_short=True,
    ),
    Track(
        "nordlys", "Nordlys RC Hall", "Hamngatan 3", "Luleå", "", "972 31", "Sweden", "SE",
        "Europe/Stockholm", "", "Practice", "Yesterday", 1, is_short=True, has_events=False,
    ),
    Track(
        "cedarhollow", "Cedar Hollow RC Speedway", "118 Mill Pond Rd", "Raleigh", "NC", "27601",
        "United States", "US", "America/New_York", "http://cedarhollow.example", "Fall Brawl",
        "3 months ago", is_featured=True,
    ),
    Track(
        "cedarhollow2", "Cedar Hollow RC Speedway", "118 Mill Pond Rd", "Raleigh", "NC", "27601",
        "United States", "US", "America/New_York", "", "Oval night", "3 months ago", is_short=True,
    ),
)  # fmt: skip
