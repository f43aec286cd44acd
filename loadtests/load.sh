#!/usr/bin/env bash
# Run loadtests/locustfile.py and keep its report with the machine and the command:  make load
#   URL=http://127.0.0.1:3000  SHAPE=steady|ramp|spike|soak  USERS=20  MINUTES=2  CHECK=1  OUT=build
set -euo pipefail
cd "$(dirname "$0")/.."
url=${URL:-http://127.0.0.1:3000} shape=${SHAPE:-steady} out=${OUT:-build}
environment=.venv/locust
if [ ! -e "$environment/ready" ]; then
  "${PYTHON:-python3}" -m venv "$environment"
  "$environment/bin/python" -m pip install -q --disable-pip-version-check locust==2.47.0
  touch "$environment/ready"
fi
mkdir -p "$out"
report=$out/load-$shape-$(date -u +%Y%m%dT%H%M%SZ)
command=("$environment/bin/locust" -f loadtests/locustfile.py --host "$url" --headless
  --only-summary --html "$report.html" --csv "$report")
{
  echo "command:  SLUICE_LOAD_SHAPE=$shape SLUICE_LOAD_USERS=${USERS:-20} SLUICE_LOAD_MINUTES=${MINUTES:-2} ${command[*]}"
  echo "machine:  $(uname -srm), $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
  echo "revision: $(git rev-parse HEAD 2> /dev/null || echo unknown)"
} > "$report.txt"
status=0
SLUICE_LOAD_SHAPE=$shape SLUICE_LOAD_USERS=${USERS:-20} SLUICE_LOAD_MINUTES=${MINUTES:-2} \
  SLUICE_LOAD_CHECK=${CHECK:-1} "${command[@]}" 2>&1 | tee -a "$report.txt" || status=$?
echo "report: $report.html"
exit "$status"
