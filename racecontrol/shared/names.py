"""Names of people as a person would write them: timing pages shout, and some drivers are McKay."""

import re

# The letter after these stands large: O'Dell, McKay, Smith-Jones.
LARGE = re.compile(r"(^|[\s\-'’.(])(mc)?(\w)")


def format_name(name: str) -> str:
    """'IDRIS O'DELL-MCKAY' -> 'Idris O'Dell-McKay'; a name with small letters stays as it is."""
    if not name.isupper():
        return name
    return LARGE.sub(
        lambda found: f"{found[1]}{(found[2] or '').title()}{found[3].upper()}", name.lower()
    )
