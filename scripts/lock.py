"""make lock: pyproject.toml -> requirements.txt with hashes and the reason each package is here.

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


def main() -> None:
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--generate-hashes", "--group", "dev", "pyproject.toml", "--quiet"]
    locked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    why, out = reasons(), []
    out.append("# Made by `make lock` from pyproject.toml; the only file that is installed.\n")
    for line in locked.splitlines():
        match = re.match(r"([A-Za-z0-9-]+)==", line)
        if match and match[1].lower() in why:
            out.append(f"# {why[match[1].lower()]}")
        out.append(line)
    (ROOT / "requirements.txt").write_text("\n".join(out) + "\n")


main()
