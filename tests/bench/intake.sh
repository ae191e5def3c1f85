#!/bin/sh
# Intake on real Kafka: sh tests/bench/intake.sh [RECORDS]
#
# Builds the release, fills a topic with Segment's orders of two items, has one process of `relance intake` map them,
# prints what it cost. By default 400,000 records.
exec sh "$(dirname "$0")/release.sh" intake "$@"
