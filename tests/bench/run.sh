#!/bin/sh
# Installs what the benches need, builds the release and runs them:
#
#     sh tests/bench/run.sh [WORKLOAD]... [OPTION]...    the table; --help names workloads and options
#     sh tests/bench/run.sh NAME.py [ARGUMENT]...        one of the others: adoption.py failover.py failover_peers.py intake.py
#                                                        login.py scrape.py versus.py
#
# tests/bench/README.md says what is measured.
set -eu
case ${1-} in
*.py) name=$1 && shift ;;
*) name=run.py ;;
esac
cd "$(dirname "$0")/../.."
sh consumer/install.sh build runtime redis test kafka bench
cmake --preset release -DRELANCE_TESTS=ON >/dev/null
cmake --build --preset release --target relance kafka_tool cart_stream shop_stream >/dev/null
RELANCE_BUILD=$PWD/build/release exec python3 "tests/bench/$name" "$@"
