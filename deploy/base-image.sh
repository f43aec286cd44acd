#!/usr/bin/env bash
# Make local stand-ins for images that cannot be pulled: an engine without a registry builds and
# runs everything here with them. Where a registry can be reached, none of this is needed.
#   deploy/base-image.sh        python:3.11-slim, haproxy and prometheus, from Debian packages
set -euo pipefail
cd "$(dirname "$0")"
. ./images.env
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v mmdebstrap > /dev/null || apt-get install -y --no-install-recommends mmdebstrap
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  bookworm "$work/base.tar"
cp /etc/ssl/certs/ca-certificates.crt "$work/"

docker build --quiet --tag "$PYTHON_IMAGE" --file - "$work" << 'DOCKERFILE'
FROM scratch
ADD base.tar /
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
DOCKERFILE

# stand_in IMAGE PACKAGE USER ENTRYPOINT [FOLDER that is the user's: a volume takes its owner over]
stand_in() {
  local folder=${5:-}
  docker build --quiet --network host --tag "$1" - << DOCKERFILE
FROM $PYTHON_IMAGE
RUN apt-get update && apt-get install -y --no-install-recommends $2 && rm -rf /var/lib/apt/lists/*
RUN mkdir -p ${folder:-/tmp} && { [ -z "$folder" ] || chown $3 "$folder"; }
USER $3
ENTRYPOINT ["$4"]
DOCKERFILE
}
stand_in "$HAPROXY_IMAGE" haproxy haproxy /usr/sbin/haproxy
stand_in "$PROMETHEUS_IMAGE" prometheus prometheus /usr/bin/prometheus /prometheus
