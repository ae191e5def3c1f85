#!/bin/sh
# From an empty clone to a running shop: installs what is missing, builds, runs `relance demo "$@"`.
# Needs Debian 12 or 13 with a shell and root, or the packages already there; nothing else and no configuration.
set -eu

home=$(cd "$(dirname "$0")/.." && pwd)
build=$home/build/release

sh "$home/consumer/install.sh" build redis
if [ ! -e "$build/build.ninja" ]; then
    echo "demo.sh: configuring"
    cmake -S "$home" --preset release >/dev/null
fi
echo "demo.sh: building"
ninja -C "$build" --quiet relance
exec "$build/bin/relance" demo "$@"
