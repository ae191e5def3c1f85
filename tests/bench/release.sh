#!/bin/sh
# Installs what the benches need, builds the release and runs one: sh tests/bench/release.sh NAME [ARGUMENT...]
#
# Each has a script of its own that says what it does and calls this one.
set -eu
name=$1
shift
cd "$(dirname "$0")/../.."
sh consumer/install.sh build runtime redis test kafka
cmake --preset release -DRELANCE_TESTS=ON >/dev/null
cmake --build --preset release --target relance kafka_tool >/dev/null
RELANCE_BUILD=$PWD/build/release exec python3 "tests/bench/$name.py" "$@"
