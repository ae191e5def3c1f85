#!/bin/sh
# Time from a login to the cart that its visitor has filled in another partition, under load:
# sh tests/bench/login.sh [EVENTS_A_SECOND [SECONDS [ENGINES]]]
#
# By default 20,000 events a second for 10 seconds, one engine with two workers; with ENGINES 2, two of one worker.
exec sh "$(dirname "$0")/release.sh" login "$@"
