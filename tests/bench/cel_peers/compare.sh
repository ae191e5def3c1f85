#!/bin/sh
# Our bench beside cel-go, Lua 5.4 and SQLite, in one run: sh compare.sh BUILD_DIRECTORY [ROUNDS]
#
# Each round runs one after the other, so that a machine whose speed drifts is unfair to none; printed is the
# median of the rounds, and how many times our time cel-go takes, the median of the rounds too. Needs go, lua5.4
# and libsqlite3-dev; a peer that is not there is left out, with a word about it.
set -eu
build=$(cd "$1" && pwd)
rounds=${2:-7}
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
peers=relance
if command -v go > /dev/null && (cd "$here/celgo" && GOFLAGS=-mod=mod go build -o "$out/celgo.bin" .); then
    peers="$peers cel-go"
else
    echo "cel-go left out: it does not build here" >&2
fi
if command -v lua5.4 > /dev/null; then
    peers="$peers lua"
else
    echo "Lua left out: lua5.4 is not installed" >&2
fi
if cc -O2 -D_GNU_SOURCE -o "$out/sqlite.bin" "$here/sqlite.c" -lsqlite3; then
    peers="$peers sqlite"
else
    echo "SQLite left out: libsqlite3-dev is not installed" >&2
fi

measure() {
    case $1 in
    relance) "$build/bin/cel_bench" 3 ;;
    cel-go) "$out/celgo.bin" ;;
    lua) lua5.4 "$here/lua.lua" ;;
    sqlite) "$out/sqlite.bin" ;;
    esac
}
round=0
while [ $((round += 1)) -le "$rounds" ]; do
    for peer in $peers; do
        measure "$peer" | sed "s/^/$peer\t$round\t/"
    done
done > "$out/times"

awk -F'\t' -v peers="$peers" -v rounds="$rounds" '
    function median(values, count,    i, j, held) {
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                held = values[j]; values[j] = values[j - 1]; values[j - 1] = held
            }
        return values[int((count + 1) / 2)]
    }
    { ns[$1, $5, $2] = $3; if ($1 == "relance" && $2 == 1) text[++count] = $5 }
    $1 == "relance" && $4 > most { most = $4 }
    END {
        names = split(peers, peer, " ")
        for (p = 1; p <= names; p++) printf "%10s", peer[p]
        printf "%10s  ns per evaluation, %d rounds, %g allocations of ours\n", "cel-go/us", rounds, most
        for (i = 1; i <= count; i++) {
            for (p = 1; p <= names; p++) {
                for (r = 1; r <= rounds; r++) values[r] = ns[peer[p], text[i], r]
                printf "%10s", values[1] == "" ? "-" : median(values, rounds)
            }
            for (r = 1; r <= rounds; r++) values[r] = ns["cel-go", text[i], r] / ns["relance", text[i], r]
            printf "%10.1f  %s\n", median(values, rounds), text[i]
        }
    }' "$out/times"
