"""Platforms have one name each, whoever wrote them: settings, people, builders or an index.

Source: `Parse`, `Normalize` and `FormatAll` of github.com/containerd/platforms, by which BuildKit
and buildx name platforms; its lists of systems and machines are those of Go
(`internal/syslist`). A variant that every machine of the kind has is left out (`amd64/v1`,
`arm64/v8`), and `arm` is `arm/v7`. A part that containerd would fill in from the machine that it
runs on has to be written: the same settings mean the same image everywhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

_SYSTEMS = (
    "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 "
    "solaris wasi wasip1 windows zos"
).split()
_MACHINES = (
    "386 amd64 amd64p32 arm arm64 arm64be armbe loong64 mips mips64 mips64le mips64p32 "
    "mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm wasm32"
).split()
_VARIANTS = {
    "amd64": r"v[1-4]",
    "arm": r"v[5-8]",
    "arm64": r"v[89](\.\d+)?",
}
"""Gives what a machine's variant looks like; one that is not listed may have any."""
_MACHINE_NAMES = {
    "aarch64": "arm64",
    "x86-64": "amd64",
    "x86_64": "amd64",
}
_MACHINES_WITH_VARIANT = {
    "armel": ("arm", "v6"),
    "armhf": ("arm", "v7"),
    "i386": ("386", ""),
}
"""Gives machine and variant of a name that says both."""
_VARIANT_NAMES = {
    ("amd64", "v1"): "",
    ("arm", ""): "v7",
    ("arm", "5"): "v5",
    ("arm", "6"): "v6",
    ("arm", "7"): "v7",
    ("arm", "8"): "v8",
    ("arm64", "8"): "",
    ("arm64", "v8"): "",
}
_FORM = re.compile(
    r"[a-z0-9_-]+(\([a-z0-9_.%-]*(\+[a-z0-9_.%-]+)*\))?(/[a-z0-9_.-]+){1,2}", re.IGNORECASE
)
_ESCAPES = str.maketrans(
    {
        "%": "%25",
        "(": "%28",
        ")": "%29",
        "+": "%2B",
        "/": "%2F",
    }
)
"""Gives what containerd writes for characters that separate the parts of a name."""
_EXAMPLE = "linux/amd64"
_OTHER_NAMES = {
    "arm32v5": "arm/v5",
    "arm32v6": "arm/v6",
    "arm32v7": "arm/v7",
    "arm64v8": "arm64",
    "armv5": "arm/v5",
    "armv6": "arm/v6",
    "armv6l": "arm/v6",
    "armv7": "arm/v7",
    "armv7l": "arm/v7",
    "armv8": "arm64",
    "armv8l": "arm64",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "loongarch64": "loong64",
    "mac": "darwin",
    "mips64el": "mips64le",
    "mipsel": "mipsle",
    "osx": "darwin",
    "ppc64el": "ppc64le",
    "win": "windows",
    "x64": "amd64",
    "x86": "386",
}
"""Names that other tools have, and containerd has not: a refusal says what they mean."""


def parse_platform(text: str) -> str:
    """Name the platform that a person wrote; raises ``ValueError`` where there is none like it."""
    if _FORM.fullmatch(text):
        name = normalize_platform(text)
        if _is_known(name):
            return name
    problem = f"{text!r} is not like {_EXAMPLE!r}"
    meant = _guess(text)
    if meant and meant != _EXAMPLE:
        problem += f"; did you mean {meant!r}?"
    raise ValueError(problem)


def parse_platforms(texts: Iterable[str]) -> tuple[str, ...]:
    """Name the platforms that a person listed, each once; raises ``ValueError``."""
    names = dict.fromkeys(map(parse_platform, texts))
    return tuple(names)


def platform_problems(texts: Iterable[str]) -> Iterator[str]:
    """Say of each text that names no platform what is wrong with it."""
    for text in texts:
        try:
            parse_platform(text)
        except ValueError as error:
            yield str(error)


def normalize_platform(text: str) -> str:
    """Name a platform that a program wrote; what containerd does not know stays as it is."""
    system, options, rest = _split(text)
    machine, _, variant = rest.partition("/")
    version, *features = options.split("+")
    return join_platform(
        system,
        machine,
        variant,
        version,
        features,
    )


def _split(text: str) -> tuple[str, str, str]:
    """Give the system, what stands in parentheses behind it, and the machine with its variant."""
    system, _, machine = text.partition("/")
    system, _, options = system.partition("(")
    options = options.removesuffix(")")
    return system, options, machine


def describe_platform(
    system: str, machine: str, variant: str, version: str, features: Sequence[str]
) -> str:
    """Name the platform that an index or an image's configuration describes part by part."""
    return join_platform(
        system,
        machine,
        variant,
        version.translate(_ESCAPES),
        [feature.translate(_ESCAPES) for feature in features],
    )


def join_platform(
    system: str, machine: str, variant: str, version: str, features: Iterable[str]
) -> str:
    """Write a platform in the form of containerd: `linux/arm/v7`, `windows(10.0.17763)/amd64`."""
    system = system.lower()
    if system == "macos":
        system = "darwin"
    machine, variant = _normalize_machine(machine.lower(), variant.lower())
    distinct_features = set(features)
    options = version
    for feature in sorted(distinct_features):
        options += f"+{feature}"
    if options:
        system += f"({options})"
    name = f"{system}/{machine}"
    if variant:
        name += f"/{variant}"
    return name


def _normalize_machine(machine: str, variant: str) -> tuple[str, str]:
    if machine in _MACHINES_WITH_VARIANT:
        return _MACHINES_WITH_VARIANT[machine]
    machine = _MACHINE_NAMES.get(machine, machine)
    written = (machine, variant)
    variant = _VARIANT_NAMES.get(written, variant)
    return machine, variant


def _is_known(name: str) -> bool:
    """Tell whether Go has such a system and machine, and the machine such a variant."""
    system, _, rest = _split(name)
    machine, _, variant = rest.partition("/")
    if system not in _SYSTEMS:
        return False
    if machine not in _MACHINES:
        return False
    form = _VARIANTS.get(machine)
    if not form or not variant:
        return True
    return bool(re.fullmatch(form, variant))


def _guess(text: str) -> str:
    """Find the platform that a person may have meant, empty where nothing comes near."""
    words: list[str] = []
    for word in re.split(r"[/\\\s]+", text.lower()):
        other_name = _OTHER_NAMES.get(word, word)
        words += filter(None, other_name.split("/"))
    if not words:
        return ""
    joined = "/".join(words)
    swapped = "/".join(reversed(words))
    beginning, _, last = joined.rpartition("/")
    attempts = (
        joined,
        swapped,
        f"linux/{joined}",
        f"{joined}/amd64",
        f"{beginning}/v{last}",
    )
    for attempt in attempts:
        name = normalize_platform(attempt)
        if _FORM.fullmatch(name) and _is_known(name):
            return name
    return _find_near(joined)


def _find_near(text: str) -> str:
    usual_names = [f"linux/{machine}" for machine in _MACHINES]
    near = difflib.get_close_matches(
        text,
        usual_names,
        n=1,
    )
    for name in near:
        return normalize_platform(name)
    return ""


def match_platforms(wanted: Iterable[str], there: Iterable[str]) -> tuple[list[str], list[str]]:
    """Give the platforms that are wanted and not there, and those that nobody wants.

    Each stands for one other. A wanted one that names no version of its system takes any.
    """
    missing = sorted(wanted)
    # One that takes any version is asked last, or it would take what another one needs.
    missing.sort(key=_takes_any_version)
    surplus: list[str] = []
    for name in sorted(there):
        for platform in missing:
            if _fits(platform, name):
                missing.remove(platform)
                break
        else:
            surplus.append(name)
    missing.sort()
    return missing, surplus


def _takes_any_version(wanted: str) -> bool:
    return "(" not in wanted


def _fits(wanted: str, name: str) -> bool:
    """Tell whether a platform is the wanted one; `10.0.17763` is also `10.0.17763.1`."""
    wanted_system, wanted_version, wanted_machine = _split(wanted)
    system, version, machine = _split(name)
    if wanted_system != system:
        return False
    if wanted_machine != machine:
        return False
    if not wanted_version:
        return True
    dotted = f"{version}."
    return dotted.startswith(f"{wanted_version}.")


def platform_word(name: str) -> str:
    """Write a platform as a word that tags and names of files may have: `linux-arm-v7`."""
    word = re.sub(
        r"[^a-z0-9]+",
        "-",
        name,
    )
    return word.strip("-")
