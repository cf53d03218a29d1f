"""make lock: pyproject.toml -> requirements.txt and requirements-dev.txt, hashed, with reasons.

For maintainers; needs `uv` on the path. Nothing else of the project does.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def reasons() -> dict[str, str]:
    """Package name -> the comment beside it (or above it) in pyproject.toml."""
    found, above = {}, ""
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        comment = line.partition("#")[2].strip()
        names = re.findall(r'"([A-Za-z0-9-]+)[\[~=><!";]', line.partition("#")[0])
        if not names:
            above = comment
        for name in names:
            found[name.lower()] = comment or above
    return found


def locked(*arguments: str) -> str:
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--generate-hashes", "--quiet", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def write(name: str, text: str, what: str) -> None:
    why, out = reasons(), [f"# Made by `make lock` from pyproject.toml: {what}.", ""]
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9-]+)==", line)
        if match and match[1].lower() in why:
            out.append(f"# {why[match[1].lower()]}")
        out.append(line)
    (ROOT / name).write_text("\n".join(out) + "\n")


def main() -> None:
    write("requirements.txt", locked("pyproject.toml"), "what the site needs")
    s3 = locked("pyproject.toml", "--extra", "s3", "--constraint", "requirements.txt")
    write("requirements-s3.txt", s3, "the site with uploads in an S3-compatible store")
    # The same versions of what both need, so that tests run what the site runs.
    dev = locked("--group", "dev", "--constraint", "requirements.txt")
    write("requirements-dev.txt", dev, "what tests and tools need besides")


main()
