#include "delivery/meta.h"
#include "base/ensure.h"
#include "host/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum meta_type { META_NUMBER, META_HASH, META_TEXT };

static const struct meta_row {
    struct relance_str name;
    enum meta_type type;
    size_t at;
} meta_rows[] = {
#define META_ROW(TYPE, field, prose) {{#field, sizeof #field - 1}, META_##TYPE, offsetof(struct meta, field)},
    META_TABLE(META_ROW)
#undef META_ROW
};
enum { META_ROWS = sizeof meta_rows / sizeof *meta_rows };

static void *meta_field(const struct meta *meta, const struct meta_row *row)
{
    return (char *)(uintptr_t)meta + row->at;
}

void meta_clear(struct meta *meta)
{
    for (size_t i = 0; i < META_ROWS; i++) {
        void *field = meta_field(meta, &meta_rows[i]);
        if (meta_rows[i].type == META_TEXT)
            ((struct buffer *)field)->size = 0;
        else
            memset(field, 0, sizeof(int64_t));
    }
    meta->offset = meta->last_offset = -1;
}

void meta_free(struct meta *meta)
{
    for (size_t i = 0; i < META_ROWS; i++)
        if (meta_rows[i].type == META_TEXT) buffer_free(meta_field(meta, &meta_rows[i]));
}

/* Numbers may be negative here: clocks before 1970, and the clock before the first event, the least there is. */
static bool meta_number(struct relance_str text, int64_t *out)
{
    char copy[TEXT_NUMBER_SIZE], *end;
    if (!text.size || text.size >= sizeof copy) return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return !errno && !*end;
}

static bool meta_take_field(void *field, enum meta_type type, struct relance_str value)
{
    switch (type) {
    case META_NUMBER: return meta_number(value, field);
    case META_HASH: return text_hex(value, field);
    case META_TEXT:
        ((struct buffer *)field)->size = 0;
        buffer_put_str(field, value);
        return true;
    }
    return false;
}

bool meta_take(struct meta *meta, struct relance_str name, struct relance_str value)
{
    for (size_t i = 0; i < META_ROWS; i++)
        if (str_equal(name, meta_rows[i].name))
            return meta_take_field(meta_field(meta, &meta_rows[i]), meta_rows[i].type, value);
    return true;
}

void meta_each(const struct meta *meta, meta_visit *visit, void *context)
{
    for (size_t i = 0; i < META_ROWS; i++) {
        void *field = meta_field(meta, &meta_rows[i]);
        char text[TEXT_NUMBER_SIZE];
        struct relance_str value = {text, 0};
        switch (meta_rows[i].type) {
        case META_NUMBER: value.size = text_put_int(text, *(int64_t *)field); break;
        case META_TEXT: value = buffer_str(field); break;
        case META_HASH:
            value.size = (size_t)snprintf(text, sizeof text, "%016" PRIx64, *(uint64_t *)field);
            break;
        }
        visit(context, meta_rows[i].name, value);
    }
}

size_t meta_field_count(void)
{
    return META_ROWS;
}

void meta_set_text(struct buffer *field, const char *text)
{
    field->size = 0;
    buffer_put(field, text, strlen(text));
}

void meta_make_stamp(char out[STAMP_SIZE])
{
    uint64_t random[2];
    ensure(getrandom(random, sizeof random, 0) == sizeof random);
    snprintf(out, STAMP_SIZE, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}
