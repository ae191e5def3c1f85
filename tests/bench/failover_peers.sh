#!/bin/sh
# The failover of Relance beside that of Kafka Streams and Flink: sh tests/bench/failover_peers.sh [SYSTEM...]
set -eu
cd "$(dirname "$0")/../.."
sh consumer/install.sh build runtime redis test kafka
cmake --preset release -DRELANCE_TESTS=ON >/dev/null
cmake --build --preset release --target relance kafka_tool >/dev/null
RELANCE_BUILD=$PWD/build/release exec python3 tests/bench/failover_peers.py "$@"
