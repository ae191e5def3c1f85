#!/bin/sh
# CartAbandon on real Kafka and Redis: sh tests/bench/cart_abandon.sh [EVENTS [CUSTOMERS]]
#
# Builds the release, fills a topic, runs the engine to its end with one worker and with two, compares the
# actions with the exact answer, prints what it cost. By default 5,000,000 events of 1,000,000 customers.
exec sh "$(dirname "$0")/release.sh" cart_abandon "$@"
