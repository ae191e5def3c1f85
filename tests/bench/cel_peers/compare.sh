#!/bin/sh
# Our bench beside cel-go, Lua 5.4 and SQLite, in one run: sh compare.sh BUILD_DIRECTORY
# Needs go, lua5.4 and libsqlite3-dev; a peer that is not there is left out, with a word about it.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$build/bin/cel_bench" > "$out/relance"
peers=relance
if command -v go > /dev/null && (cd "$here/celgo" && GOFLAGS=-mod=mod go build -o "$out/celgo.bin" .); then
    "$out/celgo.bin" > "$out/cel-go" && peers="$peers cel-go"
else
    echo "cel-go left out: it does not build here" >&2
fi
if command -v lua5.4 > /dev/null; then
    lua5.4 "$here/lua.lua" > "$out/lua" && peers="$peers lua"
else
    echo "Lua left out: lua5.4 is not installed" >&2
fi
if cc -O2 -D_GNU_SOURCE -o "$out/sqlite.bin" "$here/sqlite.c" -lsqlite3; then
    "$out/sqlite.bin" > "$out/sqlite" && peers="$peers sqlite"
else
    echo "SQLite left out: libsqlite3-dev is not installed" >&2
fi
cd "$out"
# shellcheck disable=SC2086  # a list of files is meant
awk -F'\t' '
    FNR == 1 { peer[++peers] = FILENAME }
    { ns[FILENAME, $3] = $1; if (peers == 1) text[++count] = $3 }
    END {
        for (p = 1; p <= peers; p++) printf "%10s", peer[p]
        printf "  ns per evaluation\n"
        for (i = 1; i <= count; i++) {
            for (p = 1; p <= peers; p++) printf "%10s", (peer[p], text[i]) in ns ? ns[peer[p], text[i]] : "-"
            printf "  %s\n", text[i]
        }
    }' $peers
