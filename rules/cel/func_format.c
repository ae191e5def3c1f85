/* string.format(list): the clauses %s %d %f %e %b %o %x %X %%, as cel-spec's string extension defines them.
 *
 * %s writes any value as CEL writes it, maps with their keys in order; %f and %e write six digits after the
 * point unless told otherwise; %b takes bools too, %x also strings and bytes. */
#include "cel/func.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "cel/digits.h"

#include <math.h>

enum { PRECISION_MAX = 1000 };

struct format {
    struct machine *m;
    struct buffer out;      /* bounded: a shared value may be written over and over */
    struct cel_value error; /* CEL_UNSET: none */
};

static void put_text(struct format *f, str s)
{
    text_put(f->m, &f->out, s);
}

/* Is there no sense in going on? */
static bool has_ended(const struct format *f)
{
    return f->out.failed || f->error.kind != CEL_UNSET || machine_ended(f->m);
}

static void format_fail(struct format *f, char clause, const char *what)
{
    f->error = cel_fail(f->m->frame, CEL_ERROR_ARGUMENT, "%%%c does not take %s", clause, what);
}

static const char *kind_text(uint8_t kind)
{
    static const char *const texts[] = {
        [CEL_NULL] = "null",
        [CEL_BOOL] = "a bool",
        [CEL_INT] = "an int",
        [CEL_UINT] = "a uint",
        [CEL_DOUBLE] = "a double",
        [CEL_STRING] = "a string",
        [CEL_BYTES] = "bytes",
        [CEL_DURATION] = "a duration",
        [CEL_TIMESTAMP] = "a timestamp",
        [CEL_LIST] = "a list",
        [CEL_MAP] = "a map",
        [CEL_RECORD] = "a record",
        [CEL_TYPE] = "a type",
        [CEL_OPTIONAL] = "an optional",
    };
    return texts[kind];
}

/* ---- %s */

static void format_string(struct format *f, struct cel_value v);

static void format_list(struct format *f, const struct cel_list *list)
{
    put_text(f, STR("["));
    for (size_t i = 0; i < list->count && !has_ended(f); i++) {
        if (i) put_text(f, STR(", "));
        format_string(f, list->items[i]);
    }
    put_text(f, STR("]"));
}

/* The key's own text, for ordering and writing. */
static struct cel_value key_text(struct format *f, struct cel_value key)
{
    struct buffer text;
    if (key.kind == CEL_STRING) return key;
    if (!machine_room(f->m, 1, BUFFER_MIN)) return cel_string((str){"", 0});
    buffer_init(&text, f->m->frame->scratch);
    cel_print(key, &text);
    return cel_string(buffer_str(&text));
}

static void format_map(struct format *f, const struct cel_map *map)
{
    struct sort_pair *pairs = machine_alloc(f->m, 2 * map->count * sizeof *pairs);
    if (!pairs || !machine_spend(f->m, map->count)) {
        f->error = machine_exhausted(f->m);
        return;
    }
    for (size_t i = 0; i < map->count; i++)
        pairs[i] = (struct sort_pair){key_text(f, map->entries[i].key), map->entries[i].value};
    if (f->m->over) f->error = machine_exhausted(f->m);
    sort_pairs(f->m, pairs, pairs + map->count, map->count);
    put_text(f, STR("{"));
    for (size_t i = 0; i < map->count && !has_ended(f); i++) {
        if (i) put_text(f, STR(", "));
        put_text(f, cel_text(pairs[i].key));
        put_text(f, STR(": "));
        format_string(f, pairs[i].value);
    }
    put_text(f, STR("}"));
}

static void format_container(struct format *f, struct cel_value v)
{
    if (machine_enter(f->m)) {
        if (v.kind == CEL_LIST)
            format_list(f, v.as.list);
        else
            format_map(f, v.as.map);
    }
    machine_leave(f->m);
}

static void format_string(struct format *f, struct cel_value v)
{
    machine_spend(f->m, 1);
    switch (v.kind) {
    case CEL_NULL: put_text(f, STR("null")); return;
    case CEL_LIST:
    case CEL_MAP: format_container(f, v); return;
    case CEL_STRING:
    case CEL_BYTES: put_text(f, cel_text(v)); return;
    case CEL_TYPE: put_text(f, cel_type_name(f->m->frame->scratch, v.as.type)); return;
    default:
        if (!cel_print(v, &f->out)) format_fail(f, 's', kind_text(v.kind));
    }
}

/* ---- numbers */

static void put_radix(struct format *f, uint64_t u, unsigned radix, bool upper)
{
    char text[64], *at = text + sizeof text;
    do
        *--at = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % radix];
    while (u /= radix);
    buffer_put(&f->out, at, (size_t)(text + sizeof text - at));
}

static void put_hex_bytes(struct format *f, str s, bool upper)
{
    machine_touch(f->m, 2 * s.size);
    for (size_t i = 0; i < s.size && !has_ended(f); i++) {
        unsigned char byte = (unsigned char)s.data[i];
        const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
        buffer_put(&f->out, (const char[]){digits[byte >> 4], digits[byte & 15]}, 2);
    }
}

static void format_radix(struct format *f, char clause, struct cel_value v)
{
    unsigned radix = clause == 'b' ? 2 : clause == 'o' ? 8 : 16;
    bool upper = clause == 'X';
    if (v.kind == CEL_BOOL && clause == 'b') return put_radix(f, v.as.b, 2, false);
    if ((v.kind == CEL_STRING || v.kind == CEL_BYTES) && radix == 16)
        return put_hex_bytes(f, cel_text(v), upper);
    if (v.kind == CEL_UINT) return put_radix(f, v.as.u, radix, upper);
    if (v.kind != CEL_INT) return format_fail(f, clause, kind_text(v.kind));
    if (v.as.i < 0) buffer_put_char(&f->out, '-');
    put_radix(f, v.as.i < 0 ? 0 - v.as.u : v.as.u, radix, upper);
}

static void format_decimal(struct format *f, struct cel_value v)
{
    bool word = v.kind == CEL_DOUBLE && !isfinite(v.as.d);
    if (v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE || word)
        cel_print(v, &f->out);
    else
        format_fail(f, 'd', kind_text(v.kind));
}

static void format_point(struct format *f, char clause, struct cel_value v, int precision)
{
    if (!cel_is_number(v)) return format_fail(f, clause, kind_text(v.kind));
    double d = v.kind == CEL_DOUBLE ? v.as.d : v.kind == CEL_INT ? (double)v.as.i : (double)v.as.u;
    if (!isfinite(d)) return cel_print_double(d, &f->out);
    char text[320 + PRECISION_MAX];
    if (!machine_touch(f->m, 8 * sizeof text)) return;
    buffer_put(&f->out, text, digits_format(d, clause, precision, text, sizeof text));
}

/* ---- the text with its clauses */

/* ".3" at *at; 6 where none is written, -1 when malformed. */
static int read_precision(str format, size_t *at)
{
    if (*at >= format.size || format.data[*at] != '.') return 6;
    int precision = 0;
    size_t begin = ++*at;
    for (; *at < format.size && format.data[*at] >= '0' && format.data[*at] <= '9'; ++*at)
        if ((precision = precision * 10 + format.data[*at] - '0') > PRECISION_MAX) return -1;
    return *at > begin ? precision : -1;
}

static void format_clause(struct format *f, char clause, struct cel_value v, int precision)
{
    switch (clause) {
    case 's': format_string(f, v); break;
    case 'd': format_decimal(f, v); break;
    case 'f':
    case 'e': format_point(f, clause, v, precision); break;
    case 'b':
    case 'o':
    case 'x':
    case 'X': format_radix(f, clause, v); break;
    default: f->error = cel_fail(f->m->frame, CEL_ERROR_ARGUMENT, "format has no clause %%%c", clause);
    }
}

struct cel_value string_format(struct machine *m, const struct cel_value *a)
{
    struct format f = {.m = m};
    size_t used = m->frame->scratch->used;
    buffer_init_bounded(&f.out, m->frame->scratch, m->used_max > used ? m->used_max - used : 1);
    str format = cel_text(a[0]);
    const struct cel_list *list = a[1].as.list;
    size_t next = 0;
    for (size_t at = 0; at < format.size && !has_ended(&f); at++) {
        machine_touch(m, 2);
        if (format.data[at] != '%') {
            buffer_put_char(&f.out, format.data[at]);
            continue;
        }
        at++;
        if (at < format.size && format.data[at] == '%') {
            buffer_put_char(&f.out, '%');
            continue;
        }
        int precision = read_precision(format, &at);
        if (precision < 0 || at >= format.size)
            return cel_fail(m->frame, CEL_ERROR_ARGUMENT,
                            "format ends within a clause, or its precision is wrong");
        if (next >= list->count)
            return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "format has more clauses than there are arguments");
        format_clause(&f, format.data[at], list->items[next++], precision);
        m->over = m->frame->scratch->used > m->used_max;
        if (m->over) return machine_exhausted(m);
    }
    if (f.error.kind != CEL_UNSET) return f.error;
    m->over = f.out.over;
    if (f.out.failed) return machine_exhausted(m);
    return cel_string((str){f.out.data ? f.out.data : "", f.out.size});
}
