#!/bin/sh
# Every test, from nothing: installs what is missing, builds, runs, and closes with `N passed, N failed`.
#
#     sh tests/run.sh              all stages
#     sh tests/run.sh unit lint    some of them; `sh tests/run.sh --help` names them
#
# What a stage does is told in tests/support/run.py.
set -eu
cd "$(dirname "$0")/.."
sh consumer/install.sh build runtime redis test kafka
exec python3 tests/support/run.py "$@"
