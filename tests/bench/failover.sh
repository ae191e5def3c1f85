#!/bin/sh
# Time from kill -9 to the next action, by restart and by takeover: sh tests/bench/failover.sh [CUSTOMERS]
exec sh "$(dirname "$0")/release.sh" failover "$@"
