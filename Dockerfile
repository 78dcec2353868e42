# The warehouse's image: the locked environment and this project, run by uid 10001 on a read-only root filesystem.
# Any base with Python 3.11 to 3.13 and its venv module serves: the official Python image, or a Debian with python3-venv.
# Production pins the base by digest: --build-arg BASE_IMAGE=docker.io/library/python@sha256:…
ARG BASE_IMAGE=docker.io/library/python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE}
WORKDIR /opt/vru
COPY requirements-bootstrap.lock requirements.lock ./
# First what changes least. One stage: nothing is left of the tools that built it, and copying a gigabyte of it costs half a minute.
# A machine whose TLS is intercepted passes its own bundle: --secret id=ca_bundle,src=FILE. It leaves no trace in the image.
# Compiled here, because at run time nothing may be written beside the code and every start would compile it all again.
RUN --mount=type=secret,id=ca_bundle \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle SSL_CERT_FILE=/run/secrets/ca_bundle; fi; \
    python3 -m venv .bootstrap \
    && .bootstrap/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements-bootstrap.lock \
    && python3 -m venv .venv \
    && .bootstrap/bin/uv pip install --quiet --no-cache --python .venv/bin/python --compile-bytecode --require-hashes \
        -r requirements.lock \
    && rm -rf .bootstrap

ENV PATH=/opt/vru/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    TZ=UTC \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/vru \
    VRU_HOME=/var/lib/vru
RUN groupadd --gid 10001 vru \
    && useradd --uid 10001 --gid vru --no-create-home --home-dir /var/lib/vru --shell /usr/sbin/nologin vru \
    && install -d -o vru -g vru -m 0750 /var/lib/vru
COPY . .
# A clone made under a strict umask must still be readable to uid 10001.
RUN find . -path ./.venv -prune -o -exec chmod a+rX {} + \
    && .venv/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check \
        --no-index --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q -x '/\.venv/' .
ARG CODE_VERSION=unknown
LABEL org.opencontainers.image.title="vru-warehouse" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${CODE_VERSION}"
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/vru/.venv/bin/vru"]
CMD ["--help"]
