#!/usr/bin/env bash
# Make an environment for each peer: loadtests/peers/install.sh [FOLDER [PEER...]]
# FOLDER is .venv/peers by default. Installs wrk and a Java runtime (TorchServe) where they lack.
# A peer that does not install is named and left out: the benchmark goes on without it.
set -uo pipefail
cd "$(dirname "$0")"
folder=$(realpath -m "${1:-../../.venv/peers}")
shift || true
python=${PYTHON:-python3}

needed=()
command -v wrk > /dev/null || needed+=(wrk)
command -v java > /dev/null || needed+=(default-jre-headless)
if ((${#needed[@]})); then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${needed[@]}" > /dev/null \
    || { echo "install ${needed[*]} by hand: apt-get could not" >&2; exit 1; }
fi

for requirements in requirements/*.txt; do
  name=$(basename "$requirements" .txt)
  [[ $# -eq 0 || " $* " == *" $name "* ]] || continue
  [[ $folder/$name/ready -nt $requirements ]] && continue
  echo "making $folder/$name"
  rm -rf "${folder:?}/$name"
  "$python" -m venv "$folder/$name" \
    && "$folder/$name/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" \
    && touch "$folder/$name/ready" \
    || { echo "could not install $name" >&2; rm -rf "${folder:?}/$name"; }
done
