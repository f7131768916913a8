#!/bin/sh
# Real clients in virtual environments of the tests' own: BUILD/venv has the newest boto3, the AWS CLI
# and pynng; BUILD/venv-query has the last boto3 whose SQS speaks the Query protocol.
set -eu
build=$1
here=$(dirname "$0")
# Another build's environment serves as well: it holds no code of ours.
shared=${TOQUE_VENV:-}
if [ -z "$shared" ] && [ "$(basename "$build")" = asan ] && [ -e "$(dirname "$build")/venv/ready" ]; then
    shared=$(dirname "$build")
fi
if [ -n "$shared" ] && [ -e "$shared/venv/ready" ]; then
    mkdir -p "$build"
    ln -sfn "$(realpath "$shared/venv")" "$build/venv"
    ln -sfn "$(realpath "$shared/venv-query")" "$build/venv-query"
    touch "$build/venv/ready"
    exit 0
fi
make_one() {
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
}
mkdir -p "$build"
make_one "$build/venv" "$here/requirements.txt"
make_one "$build/venv-query" "$here/requirements-query.txt"
touch "$build/venv/ready"
