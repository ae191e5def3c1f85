#include "input/feed.h"
#include "host/print.h"
#include "base/str.h"

#include <errno.h>
#include <strings.h>

/* By its name: as events its header would be the first of many dead letters. */
static bool feed_is_csv(const char *path)
{
    const char *point = strrchr(path, '.');
    return point && strcasecmp(point, ".csv") == 0;
}

bool feed_open(struct feed *feed, const char *path, const char *mapping, const struct relance_ruleset *rules,
               struct relance_error *error)
{
    *feed = (struct feed){.path = path};
    if (!mapping && feed_is_csv(path)) {
        relance_error_set(error, RELANCE_INVALID,
                          "%.400s: a file of CSV needs --csv MAPPING, which says what column becomes what",
                          path);
        return false;
    }
    if (!lines_open(&feed->lines, path)) {
        relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!mapping) return true;
    struct relance_error reason;
    feed->csv = csv_map_open(mapping, &feed->lines, rules, &reason);
    if (feed->csv) return true;
    relance_error_set(error, reason.status, "--csv: %.490s", reason.message);
    lines_close(&feed->lines);
    return false;
}

bool feed_next(struct feed *feed, struct relance_record *record)
{
    *record = (struct relance_record){.topic = STR("-"), .timestamp_ms = RELANCE_NEVER};
    if (feed->csv) {
        if (!csv_map_next(feed->csv, &record->value, &record->offset)) return false;
        record->offset--;
        return true;
    }
    do
        if (!lines_next(&feed->lines, &record->value)) return false;
    while (!str_trim(record->value).size);
    record->offset = feed->lines.number;
    return true;
}

double feed_part(const struct feed *feed)
{
    return lines_part(&feed->lines);
}

bool feed_end(struct feed *feed)
{
    if (feed->csv) csv_map_report(feed->csv, feed->path);
    if (!feed->lines.failed) return true;
    print_mistake("%s: %s", feed->path, strerror(errno));
    return false;
}

void feed_close(struct feed *feed)
{
    csv_map_free(feed->csv);
    lines_close(&feed->lines);
}
