#!/bin/sh
# Makes a Debian package of Relance, for the release of this machine, and says where it is:
#
#     sh consumer/package/make.sh
set -eu

home=$(cd "$(dirname "$0")/../.." && pwd)
build=$home/build/release

sh "$home/consumer/install.sh" build package
cmake -S "$home" --preset release >/dev/null
ninja -C "$build" --quiet
cpack --config "$build/CPackConfig.cmake" -B "$home/build" | sed -n 's/^CPack: - package: \(.*\) generated\.$/\1/p'
