/* From rows to events: a mapping is an event as JSON in which "${Column}" stands for a cell, and what has to
 * be known of the columns besides (rules/README.md, "Trying rules with a shop's export").
 *
 *     {"time": "%d.%m.%Y %H:%M", "tz": "Europe/Berlin", "group": "${Order}",
 *      "columns": {"Price": {"number": ","}},
 *      "event": {"type": "purchase", "customer": "${Customer}", "time": "${Date}", "order": "${Order}",
 *                "items": [{"product": "${Sku}", "price": "${Price}"}]}}
 *
 * One row is one event; with `group`, rows that follow each other and have the same one are one event, and
 * each of them adds its elements to the event's lists. A cell that is empty leaves its member out. A row
 * without customer, type or time, or with a time that is none, is left out, counted, and told at the end. */
#ifndef CONSUMER_INPUT_CSV_MAP_H
#define CONSUMER_INPUT_CSV_MAP_H

#include "input/csv.h"
#include <relance/ruleset.h>
#include <stdio.h>

struct csv_map;

/* `mapping`: a file, or the text itself where it begins with {. Reads the header from `lines`, which are
 * borrowed; zones come from `rules`. NULL: error->message says why. */
struct csv_map *csv_map_open(const char *mapping, struct lines *lines, const struct relance_ruleset *rules,
                             struct relance_error *error);
/* The next event as JSON, valid until the next call, and the line (from 1) where it begins. */
bool csv_map_next(struct csv_map *map, struct relance_str *event, int64_t *line);
/* Says on standard error what of the file has been left out: a line for each column and reason. */
void csv_map_report(const struct csv_map *map, const char *path);
void csv_map_free(struct csv_map *map);

#endif
