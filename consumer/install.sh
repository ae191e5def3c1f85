#!/bin/sh
# Installs the Debian packages that are missing, and only those:
#
#     sh consumer/install.sh GROUP...      (sh consumer/install.sh --list GROUP... prints their names instead)
#
# The one list of what Relance needs, shared by demo.sh, tests/run.sh and the Dockerfile. Where nothing is
# missing, apt is not touched and no root is needed.
set -eu

# What Debian names after its version, and what it has renamed; a release that is not known is taken for the newest.
case $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) in
bookworm) valkey='' msgpack_dev=libmsgpack-dev runtime_named='libhiredis0.14 libre2-9 libsimdjson14 libssl3 libcurl4 libprotobuf32 libmicrohttpd12' ;;
*) valkey=valkey-server:valkey-server msgpack_dev=libmsgpack-c-dev runtime_named='libhiredis1.1.0 libre2-11 libsimdjson25 libssl3t64 libcurl4t64 libprotobuf32t64 libmicrohttpd12t64 tzdata-legacy' ;;
esac

# gcc's link-time optimization hands its parts to make, and warns without it.
# A row is `package` or `package:command`; the second form is content with the command from wherever it came.
group_build="gcc:gcc g++:g++ cmake:cmake ninja-build:ninja make:make pkg-config:pkg-config libc6-dev
    libssl-dev librdkafka-dev libhiredis-dev libcjson-dev libre2-dev libsimdjson-dev $msgpack_dev libxxhash-dev
    libcurl4-openssl-dev libprotobuf-dev libprotoc-dev libmicrohttpd-dev zlib1g-dev libsnappy-dev liblz4-dev libzstd-dev libisal-dev"
group_runtime="librdkafka1 libcjson1 libxxhash0 zlib1g libsnappy1v5 liblz4-1 libzstd1 libisal2 tzdata ca-certificates $runtime_named"
group_package='dpkg-dev:dpkg-shlibdeps file:file'
group_redis='redis-server:redis-server'
group_test="libcriterion-dev python3:python3 binutils:nm clang-format:clang-format
    clang:clang libclang-rt-dev llvm:llvm-symbolizer shellcheck:shellcheck docker-compose:docker-compose
    python3-confluent-kafka python3-yaml chromium:chromium chromium-driver:chromedriver debootstrap:debootstrap systemd-container:systemd-nspawn git:git zsh:zsh fish:fish prometheus:promtool mandoc:mandoc man-db:man $valkey"
group_kafka='default-jre-headless:java maven:mvn openssl:openssl'
group_bench='default-jdk-headless:javac'

packages_of() {
    case $1 in
    build) echo "$group_build" ;;
    runtime) echo "$group_runtime" ;;
    package) echo "$group_package" ;;
    redis) echo "$group_redis" ;;
    test) echo "$group_test" ;;
    kafka) echo "$group_kafka" ;;
    bench) echo "$group_bench" ;;
    *) echo "install.sh: there is no group '$1'; there are: build runtime package redis test kafka bench" >&2; exit 2 ;;
    esac
}

is_there() {
    package=${1%%:*}
    command=${1#"$package"}
    if [ -n "$command" ] && command -v "${command#:}" >/dev/null 2>&1; then
        return 0
    fi
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed
}

list=no
if [ "${1-}" = --list ]; then
    list=yes
    shift
fi
wanted=
for group; do
    wanted="$wanted $(packages_of "$group")"
done
missing=
for row in $wanted; do
    if [ $list = yes ]; then
        echo "${row%%:*}"
    elif ! is_there "$row"; then
        missing="$missing ${row%%:*}"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "install.sh: these packages are missing, and only root on Debian can install them here:$missing" >&2
    exit 1
fi
echo "install.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A database that the package would start as a service is of no use to us: every server is private to its run.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
# shellcheck disable=SC2086  # a list of words is meant
apt-get install -y -qq --no-install-recommends $missing >/dev/null
