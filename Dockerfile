# shipway's own toolbox: the tasks and the tools that they drive, for linux/amd64 and linux/arm64.
# Every RUN is on the build's own platform; the target's stages only copy, so that no emulation is needed.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS base

FROM --platform=$BUILDPLATFORM ${PYTHON} AS tools
ARG TARGETARCH
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY --from=base /var/lib/dpkg/status /target/status
# apt resolves what the target's base lacks, downloads it for the target, and installs nothing.
RUN --mount=type=secret,id=ca-certificates,target=/etc/ssl/certs/ca-certificates.crt,required=false \
    mkdir -p /target/lists/partial /target/cache/archives/partial /target/root/var/lib/dpkg \
    && printf '%s\n' \
        "APT::Architecture \"${TARGETARCH}\";" "APT::Architectures {\"${TARGETARCH}\";};" \
        'Dir::State::status "/target/status";' 'Dir::State::lists "/target/lists";' \
        'Dir::Cache "/target/cache";' 'APT::Sandbox::User "root";' 'APT::Keep-Downloaded-Packages "true";' \
        'Acquire::Retries "5";' \
        '#clear DPkg::Post-Invoke;' '#clear APT::Update::Post-Invoke;' > /target/apt.conf \
    && export APT_CONFIG=/target/apt.conf \
    # What came stays: the next attempt fetches the rest. A network that fails for a minute ends no release.
    && attempt=0 \
    && until apt-get update -qq && apt-get satisfy -y -qq --no-install-recommends --download-only \
        'ca-certificates, cosign, docker-buildx, docker-cli, git, openssh-client'; do \
        attempt=$((attempt + 1)) && [ "$attempt" -lt 6 ] || exit 1; \
        echo "not all packages could be fetched; once more in $((attempt * 10)) s" >&2; sleep $((attempt * 10)); \
    done \
    && cp /target/status /target/root/var/lib/dpkg/status \
    && for deb in /target/cache/archives/*.deb; do \
        dpkg-deb --extract "$deb" /target/root; \
        dpkg-deb --field "$deb" | sed '1a Status: install ok installed' >> /target/root/var/lib/dpkg/status; \
        echo >> /target/root/var/lib/dpkg/status; \
    done \
    # A checkout that is mounted or made by a CI runner belongs to another user: git would refuse to read it.
    && printf '[safe]\n\tdirectory = *\n' > /target/root/etc/gitconfig \
    && rm -rf /target/root/usr/share/{doc,man,locale}

FROM --platform=$BUILDPLATFORM ${PYTHON} AS wheels
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# A release does not fail because an index was slow to answer for a moment.
ENV UV_CONCURRENT_DOWNLOADS=8 UV_HTTP_RETRIES=8 UV_HTTP_TIMEOUT=60
COPY requirements/uv.txt /requirements/
RUN --mount=type=secret,id=ca-certificates,target=/etc/ssl/certs/ca-certificates.crt,required=false \
    python3 -m venv /uv && /uv/bin/pip install --quiet --no-cache-dir --retries 10 --require-hashes -r /requirements/uv.txt
COPY requirements/dev.txt /requirements/
# From here on once for each platform.
ARG TARGETARCH
# The platform is the oldest C library that the wheels may ask for; the base image's own is newer.
RUN --mount=type=secret,id=ca-certificates,target=/etc/ssl/certs/ca-certificates.crt,required=false \
    case "$TARGETARCH" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) exit 1 ;; esac \
    && SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt /uv/bin/uv pip install --quiet --no-cache \
        --require-hashes --only-binary :all: --python-platform "${machine}-manylinux_2_28" --python-version 3.13 \
        --target /deps --requirement /requirements/dev.txt \
    # Scripts name the builder's Python in their first line.
    && find /deps/bin -type f -exec sed -i '1s|^#!.*python.*$|#!/usr/bin/env python3|' {} +

FROM --platform=$BUILDPLATFORM ${PYTHON} AS app
COPY src /app
RUN mkdir /bin-app && printf '%s\n' '#!/usr/bin/env python3' 'from shipway.cli import main' 'main()' > /bin-app/shipway \
    && chmod 0755 /bin-app/shipway

FROM base
# Before the copies: a linked layer depends on nothing below it, and is put in its place without a builder.
WORKDIR /project
COPY --link --from=tools /target/root/ /
COPY --link --from=wheels /deps /opt/shipway/deps
COPY --link --from=app /bin-app /opt/shipway/bin
COPY --link --from=app /app /opt/shipway/app
ENV PATH=/opt/shipway/bin:/opt/shipway/deps/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin \
    PYTHONPATH=/opt/shipway/app:/opt/shipway/deps PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
# A program that runs and ends has no health to ask for.
HEALTHCHECK NONE
CMD ["shipway", "--list"]
