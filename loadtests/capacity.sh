#!/usr/bin/env bash
# loadtests/capacity.py with wrk:  make capacity URL=http://127.0.0.1:3000 ARGS="--task ner --p99-ms 100"
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk > /dev/null || { apt-get update -qq && apt-get install -y --no-install-recommends wrk; }
# shellcheck disable=SC2086
exec "${PYTHON:-python3}" -m loadtests.capacity --url "${URL:-http://127.0.0.1:3000}" ${ARGS:-}
