"""Small programs that stand in for tools, for tests that only need them to be there."""

from __future__ import annotations

import sys
from pathlib import Path

SERVER = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/v2/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_HEAD = do_GET
    def log_message(self, *_): pass
address = json.load(open(sys.argv[2]))["http"]["addr"]
http.server.HTTPServer(("127.0.0.1", int(address.rpartition(":")[2])), Handler).serve_forever()
"""
COSIGN = """
import pathlib, sys
if "generate-key-pair" in sys.argv:
    pathlib.Path("cosign.key").write_text("key")
    pathlib.Path("cosign.pub").write_text("pub")
elif "signing-config" in sys.argv:
    pathlib.Path(sys.argv[-1]).write_text("{}")
elif "--help" in sys.argv:
    print(OFFERS)
"""


def install(folder: Path, name: str, code: str) -> Path:
    """Put a Python program named ``name`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\n{code}", encoding="utf-8")
    path.chmod(0o755)
    return path
