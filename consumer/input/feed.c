#include "input/feed.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/print.h"
#include "json/json.h"

#include <errno.h>
#include <strings.h>

enum { HEADERS_MAX = 256 };

/* By its name: as events its header would be the first of many dead letters. */
static bool feed_is_csv(const char *path)
{
    const char *point = strrchr(path, '.');
    return point && strcasecmp(point, ".csv") == 0;
}

static void feed_bad_row(void *context, const struct relance_mapped *mapped, int64_t line)
{
    const struct feed *feed = context;
    if (feed->listener) feed->listener->dead(feed->listener->context, mapped->reason, mapped->sentence, line);
}

bool feed_open(struct feed *feed, const char *path, struct relance_mapping *mapping,
               const struct feed_listener *listener, struct relance_error *error)
{
    struct relance_csv csv;
    *feed = (struct feed){.path = path, .mapping = mapping, .listener = listener};
    if (!mapping && feed_is_csv(path)) {
        relance_error_set(error, RELANCE_INVALID,
                          "%.400s: a file of CSV needs --mapping FILE, which says what column becomes what",
                          path);
        return false;
    }
    if (!lines_open(&feed->lines, path)) {
        relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
        return false;
    }
    arena_init(&feed->arena, 0);
    feed->is_csv = mapping && relance_mapping_csv(mapping, &csv);
    if (!feed->is_csv) return true;
    struct relance_error reason;
    if (rows_open(&feed->rows, &feed->lines, mapping, feed_bad_row, feed, &reason) == RELANCE_OK) return true;
    relance_error_set(error, reason.status, "%.200s: %.400s", path, reason.message);
    feed_close(feed);
    return false;
}

/* ---- a line that is a record with key and headers */

/* The bytes that a member stands for. */
static struct relance_str bytes_of(struct feed *feed, const struct json *node)
{
    struct buffer text;
    if (!node || node->kind == JSON_NULL) return (struct relance_str){0};
    if (node->kind == JSON_STRING) return node->text.data ? node->text : STR("");
    buffer_init(&text, &feed->arena);
    json_write(node, &text);
    ensure(!text.failed);
    return buffer_str(&text);
}

static bool is_record(const struct json *root)
{
    if (!root || root->kind != JSON_OBJECT || !json_member(root, "value")) return false;
    for (const struct json *member = root->child; member; member = member->next)
        if (!str_equal(member->key, STR("key")) && !str_equal(member->key, STR("headers")) &&
            !str_equal(member->key, STR("value")))
            return false;
    const struct json *headers = json_member(root, "headers");
    return !headers || (headers->kind == JSON_OBJECT && headers->count <= HEADERS_MAX);
}

static void take_record(struct feed *feed, const struct json *root, struct relance_foreign *record)
{
    const struct json *headers = json_member(root, "headers");
    size_t count = headers ? headers->count : 0;
    struct relance_header *list = ARENA_ARRAY(&feed->arena, struct relance_header, count + 1);
    ensure(list);
    for (const struct json *header = headers ? headers->child : NULL; header; header = header->next)
        list[record->header_count++] = (struct relance_header){header->key, bytes_of(feed, header)};
    record->headers = list;
    record->key = bytes_of(feed, json_member(root, "key"));
    record->value = bytes_of(feed, json_member(root, "value"));
}

/* Most lines are values: those that begin otherwise are not even parsed here. */
static void unwrap(struct feed *feed, struct relance_foreign *record)
{
    struct relance_str text = str_trim(record->value);
    if (!str_starts_with(text, STR("{"))) return;
    text = str_trim(str_slice(text, 1, text.size));
    if (!str_starts_with(text, STR("\"key\"")) && !str_starts_with(text, STR("\"headers\"")) &&
        !str_starts_with(text, STR("\"value\"")))
        return;
    struct source source = {.name = str_of(feed->path), .text = record->value};
    struct diagnostics diag;
    arena_reset(&feed->arena);
    diag_init(&diag, &feed->arena);
    const struct json *root = json_parse(&feed->arena, &source, &diag);
    if (!diag.error_count && is_record(root)) take_record(feed, root, record);
}

/* ---- records */

static bool next_line(struct feed *feed, struct relance_str *value, int64_t *line)
{
    do
        if (!lines_next(&feed->lines, value)) return false;
    while (!str_trim(*value).size);
    *line = feed->lines.number;
    return true;
}

static void tell(const struct feed *feed)
{
    const struct feed_listener *to = feed->listener;
    const struct relance_mapped *mapped = &feed->mapped;
    if (!to) return;
    if (mapped->kind == RELANCE_UNREADABLE)
        to->dead(to->context, mapped->reason, mapped->sentence, feed->line);
    if (mapped->unmapped) to->passed(to->context, mapped, feed->line);
    if (mapped->fields_invalid) to->misfits(to->context, mapped, feed->line);
    for (size_t i = 0; i < mapped->count; i++)
        if (!mapped->items[i].event.size)
            to->dead(to->context, mapped->items[i].reason, mapped->items[i].sentence, feed->line);
}

static bool next_record(struct feed *feed)
{
    struct relance_foreign record = {.topic = STR("-")};
    bool found = feed->is_csv ? rows_next(&feed->rows, &record.value, &feed->line)
                              : next_line(feed, &record.value, &feed->line);
    if (!found) return false;
    if (!feed->is_csv) unwrap(feed, &record);
    record.offset = feed->line;
    feed->next = 0;
    ensure(relance_mapping_map(feed->mapping, &record, &feed->mapped) == RELANCE_OK);
    tell(feed);
    return true;
}

bool feed_next(struct feed *feed, struct relance_record *record)
{
    *record = (struct relance_record){.topic = STR("-"), .timestamp_ms = RELANCE_NEVER};
    if (!feed->mapping) return next_line(feed, &record->value, &record->offset);
    do {
        while (feed->next == feed->mapped.count)
            if (!next_record(feed)) return false;
        record->value = feed->mapped.items[feed->next++].event;
    } while (!record->value.size);
    record->offset = feed->line;
    return true;
}

/* What stands behind the first "customer", without reading what is around it. */
static struct relance_str customer_in(struct relance_str line)
{
    static const char member[] = "\"customer\"";
    enum { LOOKED = 512 }; /* bytes: it stands in front */
    const char *found = memmem(line.data, line.size < LOOKED ? line.size : LOOKED, member, sizeof member - 1);
    if (!found) return (struct relance_str){0};
    const char *at = found + sizeof member - 1, *end = line.data + line.size;
    while (at < end && (*at == ' ' || *at == ':'))
        at++;
    if (at == end || *at != '"') return (struct relance_str){0};
    const char *quote = memchr(at + 1, '"', (size_t)(end - at - 1));
    return quote ? (struct relance_str){at + 1, (size_t)(quote - at - 1)} : (struct relance_str){0};
}

bool feed_ahead(struct feed *feed, struct relance_str *customer)
{
    struct relance_str line;
    if (feed->mapping) return false;
    do
        if (!lines_ahead(&feed->lines, &line)) return false;
    while (!str_trim(line).size);
    *customer = customer_in(line);
    return true;
}

double feed_part(const struct feed *feed)
{
    return lines_part(&feed->lines);
}

bool feed_end(struct feed *feed)
{
    if (feed->is_csv) rows_report(&feed->rows, feed->path);
    if (!feed->lines.failed) return true;
    print_mistake("%s: %s", feed->path, strerror(errno));
    return false;
}

void feed_close(struct feed *feed)
{
    rows_free(&feed->rows);
    arena_free(&feed->arena);
    lines_close(&feed->lines);
}
