#!/bin/sh
# ShopMix on real Kafka and Redis: sh tests/bench/shopmix.sh [EVENTS [CUSTOMERS]]
#
# Builds the release, fills a topic, runs the engine to its end with one worker and with two, compares the
# actions with the exact answer, prints what it cost. By default 5,000,000 events of 500,000 customers.
set -eu
cd "$(dirname "$0")/../.."
sh consumer/install.sh build runtime redis test kafka
cmake --preset release -DRELANCE_TESTS=ON >/dev/null
cmake --build --preset release --target relance kafka_tool >/dev/null
RELANCE_BUILD=$PWD/build/release exec python3 tests/bench/shopmix.py "$@"
