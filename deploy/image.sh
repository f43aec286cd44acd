#!/usr/bin/env bash
# Build the image of the service from a Bento, and its SBOM beside it:  make image
#   DEVICE=cpu|cuda   PYTHON=interpreter with bentoml   TAG=sluice:latest   OUT=build
#   DOCKER_BUILD_FLAGS="--network host ..." goes to docker build as it is
set -euo pipefail
cd "$(dirname "$0")/.."
device=${DEVICE:-cpu} python=${PYTHON:-.venv/full/bin/python} out=${OUT:-build}
suffix=$([ "$device" = cuda ] && echo .cuda || true)
tag=${TAG:-sluice:latest${suffix/./-}}
revision=$(git rev-parse HEAD 2> /dev/null || echo unknown)
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT

version=$("$python" -c 'import service; print(service.__version__)')
BENTOML_HOME=$store BENTOML_DO_NOT_TRACK=True "$python" -m bentoml build --version "$version"
# shellcheck disable=SC2086
docker build ${DOCKER_BUILD_FLAGS:-} --file "deploy/Dockerfile$suffix" --tag "$tag" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
  "$store/bentos/sluice/$version/src"

mkdir -p "$out"
container=$(docker create "$tag")
docker cp "$container:/opt/sluice/sbom.cdx.json" "$out/sbom-$device.cdx.json"
docker rm "$container" > /dev/null
echo "$tag, $(docker image inspect --format '{{.Size}}' "$tag") bytes; SBOM in $out/sbom-$device.cdx.json"
