"""Runs a program after having said so to the proxy, and says so again when it ended: `announce.py ADDRESS POINT ARGV…`.

What the proxy answers is told in git's own words.
"""

from __future__ import annotations

import http.client
import subprocess
import sys


def announce(address: str, path: str) -> str:
    """What went wrong, in git's words; empty when nothing did."""
    connection = http.client.HTTPConnection(address, timeout=300)
    try:
        connection.request("POST", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return "fatal: the remote end hung up unexpectedly"
    finally:
        connection.close()
    if status == 401:
        return "fatal: Authentication failed for 'https://github.com/acme/app.git/'"
    return (
        ""
        if status < 300
        else f"fatal: unable to access 'https://github.com/acme/app.git/': The requested URL returned error: {status}"
    )


def main(address: str, point: str, *argv: str) -> None:
    """Run it."""
    for path in (f"/point/{point}", f"/point/{point}/done"):
        problem = announce(address, path)
        if problem:
            print(problem, file=sys.stderr)
            sys.exit(128)
        if not path.endswith("/done"):
            code = subprocess.run(argv, check=False).returncode
            if code:
                sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
