/* CloudEvents 1.0 as Kafka's binding has them:
 *
 *     binary       attributes in headers `ce_NAME`, `content-type` that of the value; the value is the data
 *     structured   {"specversion": "1.0", "type": …, …, "data": …}; or a list of those, a batch
 *
 * Expressions read attributes and extensions as texts of `ce`, which holds `content-type` as `datacontenttype`, and the
 * data as `data`, which is `record`, too. Data that are no JSON object are absent. A record whose headers have no
 * `ce_specversion` is structured, whatever its content type: that is known by its own `specversion`. */
#include "mapping/format.h"

#include "base/limits.h"
#include "cel/encode.h"

static const struct cel_value absent = {.kind = CEL_ABSENT};

static bool equal_ignoring_case(str a, str lower)
{
    if (a.size != lower.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if ((a.data[i] >= 'A' && a.data[i] <= 'Z' ? a.data[i] + ('a' - 'A') : a.data[i]) != lower.data[i])
            return false;
    return true;
}

static const struct relance_header *find_header(const struct relance_foreign *record, str name)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (equal_ignoring_case(record->headers[i].name, name)) return &record->headers[i];
    return NULL;
}

/* "application/json; charset=utf-8", "application/vnd.shop+json"; no type at all. */
static bool is_json_type(str type)
{
    const char *end = type.size ? memchr(type.data, ';', type.size) : NULL;
    if (end) type.size = (size_t)(end - type.data);
    type = str_trim(type);
    for (size_t i = 0; i < 2; i++) {
        const str known[] = {STR("/json"), STR("+json")};
        if (type.size >= 5 && equal_ignoring_case(str_slice(type, type.size - 5, type.size), known[i]))
            return true;
    }
    return type.size == 0;
}

static bool open_event(struct format_run *run, str value, str *json)
{
    const struct relance_header *type = find_header(run->record, STR("content-type"));
    run->in_headers = find_header(run->record, STR("ce_specversion"));
    bool foreign = run->in_headers &&
                   ((type && !is_json_type(type->value)) || str_starts_with(str_trim(value), STR("[")));
    *json = foreign ? STR("{}") : value;
    return true;
}

/* ---- attributes */

static void push_attribute(struct coercion *c, str name, str text)
{
    coerce_push(c, cel_string(name));
    coerce_push(c, cel_string(text));
}

static bool read_headers(struct format_run *run, struct coercion *c)
{
    size_t base = c->stack_count;
    for (size_t i = 0; i < run->record->header_count; i++) {
        const struct relance_header *header = &run->record->headers[i];
        str name = header->name, text = header->value;
        bool prefixed = name.size > 3 && equal_ignoring_case(str_slice(name, 0, 3), STR("ce_"));
        if (prefixed) name = str_slice(name, 3, name.size);
        if (equal_ignoring_case(name, STR("content-type"))) name = STR("datacontenttype"), prefixed = true;
        if (prefixed && text.data && utf8_valid(name) && utf8_valid(text)) push_attribute(c, name, text);
    }
    run->ce = coerce_take_map(c, base);
    return true;
}

/* A list or a text is no object: its type says so to whoever asks what did not fit. */
static struct cel_value read_data(struct shape_reader *reader, const struct shape *shape)
{
    const uint32_t *from = reader->c.scan.next;
    struct cel_value data = shape_read(reader, shape);
    if (data.kind == CEL_ABSENT) coerce_misfit(&reader->c, STR("data"), shape_type(shape), from);
    return data;
}

/* Data in base64 are read where they are JSON. */
static struct cel_value read_base64(struct shape_reader *reader, const struct shape *shape)
{
    struct scan_value v = scan_value(&reader->c.scan);
    struct buffer bytes;
    buffer_init(&bytes, reader->c.values);
    bool decoded = v.kind == SCAN_STRING && base64_decode(v.text, &bytes);
    reader->c.no_memory |= bytes.failed;
    return decoded && !bytes.failed ? shape_read_text(reader, shape, buffer_str(&bytes)) : absent;
}

static void read_attribute(struct coercion *c, str name)
{
    struct scan_value v = scan_value(&c->scan);
    switch (v.kind) {
    case SCAN_STRING:
    case SCAN_NUMBER: return push_attribute(c, name, v.text);
    case SCAN_TRUE: return push_attribute(c, name, STR("true"));
    case SCAN_FALSE: return push_attribute(c, name, STR("false"));
    default: return; /* null is none; objects and lists are nobody's attributes */
    }
}

static struct cel_value read_members(struct format_run *run, struct shape_reader *reader,
                                     const struct shape *shape, bool *versioned)
{
    struct coercion *c = &reader->c;
    struct cel_value data = absent;
    size_t base = c->stack_count;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, '}')) {
        str name = scan_key(&c->scan);
        *versioned |= str_equal(name, STR("specversion"));
        if (str_equal(name, STR("data")))
            data = read_data(reader, shape);
        else if (str_equal(name, STR("data_base64")))
            data = read_base64(reader, shape);
        else
            read_attribute(c, name);
    }
    run->ce = coerce_take_map(c, base);
    return data;
}

static bool read_event(struct format_run *run, struct shape_reader *reader, const struct shape *shape,
                       struct cel_value *data)
{
    bool versioned = false;
    if (run->in_headers) {
        *data = shape_read(reader, shape);
        return read_headers(run, &reader->c);
    }
    *data = read_members(run, reader, shape, &versioned);
    run->sentence = "the record is no CloudEvent: neither its headers nor it itself say a specversion";
    return versioned || reader->c.scan.fault != SCAN_OK;
}

const struct format format_cloudevents = {.name = STR("cloudevents"), .open = open_event, .read = read_event};
