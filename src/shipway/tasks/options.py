"""This decorator gives each task its options, with their lines of help, and its way to fail."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from invoke.exceptions import Exit
from invoke.tasks import task as invoke_task

from shipway.errors import ShipwayError
from shipway.tasks.output import mask, print_json

P = ParamSpec("P")

HELP = {
    "dry_run": "print what would be done, ready for copy and paste, and do nothing",
    "json": "print one JSON document on standard output",
    "push": (
        "build every platform and push under the staging tag; without it, load for this machine"
    ),
    "platform": "build this platform alone, under a staging tag of its own",
    "digest_file": (
        "file that says what was pushed: written by `build`, read by `merge` "
        "(repeatable, or a folder)"
    ),
    "due": "for the release that is due, not for the present branch",
    "check_reproducible": "build twice without cache and compare; nothing is pushed",
    "delete": "delete them; without it they are only shown",
    "release": "also try what a release needs: history, tags, remote, push",
    "image": (
        "image in a registry, such as ghcr.io/owner/name:v1.2.3; "
        "`shipway` takes it without the flag"
    ),
    "identity": (
        "exact identity of the signature; "
        "the release workflow of the image's repository if not given"
    ),
    "issuer": "issuer of that identity; GitHub Actions if not given",
    "key": "public key (file or KMS address) of the signature, in place of an identity",
    "repository": "owner/name on GitHub that the image is built from",
    "ref": "branch or tag that the workflow ran on, such as refs/heads/main",
    "commit": (
        "full hash of the commit that the workflow ran on; "
        "the one that the image names if not given"
    ),
    "trigger": "event that started the workflow, such as push",
    "trusted_root": "trusted root of a private Sigstore (cosign 3)",
    "no_transparency_log": "the signature is in no transparency log",
    "predicate": "print the predicate of this type that the attestation manifest IMAGE holds",
    "policy": (
        "TOML file with limits of one's own: "
        "licenses, severity, exceptions, builders, platforms, maximum-age"
    ),
    "scanner": "pip-audit, grype or trivy (repeatable); all that are installed if not given",
    "format_": "table, spdx or cyclonedx",
    "diff": "image to compare with",
    "version": "the release that is meant: v1.2.3",
    "until": "stop after this stage",
    "as_": "release this level, whatever the commits say: major, minor or patch; with --because",
    "because": "why; it stands in the changelog and the notes",
    "keep": "leave the local remotes up for a look",
    "working_tree": "take along what is not committed",
    "suite": "Debian release that the tools come from: trixie or sid",
    "purge": "delete what was downloaded and built, too",
}


def task(function: Callable[P, None]) -> Any:  # Any: Invoke's Task is not typed as a callable
    """Make a task, which ends the program with an error's exit status instead of a traceback."""

    @functools.wraps(function)
    def body(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except ShipwayError as error:
            if kwargs.get("json"):
                print_json(error.document | {"error": _describe(error)})
            text = mask(f"shipway: {error}")
            raise Exit(text, code=error.status) from error
        except KeyboardInterrupt:
            raise Exit("shipway: interrupted", code=130) from None

    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    repeatable = [name for name in names if "Sequence" in function.__annotations__[name]]
    return invoke_task(
        body,
        name=function.__name__.rstrip("_"),
        help={name: HELP[name] for name in names},
        auto_shortflags=False,
        iterable=repeatable,
    )


def _describe(error: ShipwayError) -> dict[str, str | int]:
    return {
        "status": error.status,
        "message": error.message,
        "hint": error.hint,
    }
