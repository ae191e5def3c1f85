#!/bin/sh
# Time from kill -9 to the next action, by restart and by takeover: sh tests/bench/failover.sh [CUSTOMERS]
set -eu
cd "$(dirname "$0")/../.."
sh consumer/install.sh build runtime redis test kafka
cmake --preset release -DRELANCE_TESTS=ON >/dev/null
cmake --build --preset release --target relance kafka_tool >/dev/null
RELANCE_BUILD=$PWD/build/release exec python3 tests/bench/failover.py "$@"
