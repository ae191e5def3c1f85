#!/bin/sh
# The failover of Relance beside that of Kafka Streams and Flink: sh tests/bench/failover_peers.sh [SYSTEM...]
exec sh "$(dirname "$0")/release.sh" failover_peers "$@"
