#!/bin/sh
# Time from a lone event to its committed action in a reader's hands: sh tests/bench/latency.sh [ROUNDS]
exec sh "$(dirname "$0")/release.sh" latency "$@"
