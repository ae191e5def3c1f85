#!/bin/sh
# What it costs an engine to be scraped: sh tests/bench/scrape.sh [EVENTS [ROUNDS]]
#
# Builds the release, fills a topic, lets an engine work through it in turn without a listener and scraped 50 times a
# second by 20 clients, prints the median of the ratios. By default 1,500,000 events and 7 rounds.
exec sh "$(dirname "$0")/release.sh" scrape "$@"
