/* Snowplow's enriched events as Enrich writes them: 131 columns between tabs, nothing escaped.
 *
 * What is made of them is the JSON of Snowplow's Analytics SDKs, so that one mapping reads both. An empty column is
 * absent; what is that JSON already stays as it is. Entities and self-describing events go by the names of their schemas,
 * vendor, name and first number of the version:
 *
 *     contexts, derived_contexts   {"data": [{"schema": "iglu:com.acme/user/jsonschema/1-0-2", "data": {"id": 7}}]}
 *                           ─▶     "contexts_com_acme_user_1": [{"id": 7}]           all of one schema in one list
 *     unstruct_event               {"data": {"schema": "iglu:com.acme/click/jsonschema/1-0-0", "data": {…}}}
 *                           ─▶     "unstruct_event_com_acme_click_1": {…} */
#include "mapping/format.h"

#include "base/limits.h"
#include "base/names.h"

enum column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_FLAG, COLUMN_TIME, COLUMN_CONTEXTS, COLUMN_UNSTRUCT };

struct column {
    str name;
    enum column_kind kind;
};

#define TEXT(name)                                                                                           \
    {                                                                                                        \
        STR(name), COLUMN_TEXT                                                                               \
    }
#define NUMBER(name)                                                                                         \
    {                                                                                                        \
        STR(name), COLUMN_NUMBER                                                                             \
    }
#define FLAG(name)                                                                                           \
    {                                                                                                        \
        STR(name), COLUMN_FLAG                                                                               \
    }
#define TIME(name)                                                                                           \
    {                                                                                                        \
        STR(name), COLUMN_TIME                                                                               \
    }
#define CONTEXTS(name)                                                                                       \
    {                                                                                                        \
        STR(name), COLUMN_CONTEXTS                                                                           \
    }
#define UNSTRUCT(name)                                                                                       \
    {                                                                                                        \
        STR(name), COLUMN_UNSTRUCT                                                                           \
    }

/* clang-format off */
static const struct column columns[] = {
    TEXT("app_id"), TEXT("platform"), TIME("etl_tstamp"), TIME("collector_tstamp"),
    TIME("dvce_created_tstamp"), TEXT("event"), TEXT("event_id"), NUMBER("txn_id"), TEXT("name_tracker"),
    TEXT("v_tracker"), TEXT("v_collector"), TEXT("v_etl"), TEXT("user_id"), TEXT("user_ipaddress"),
    TEXT("user_fingerprint"), TEXT("domain_userid"), NUMBER("domain_sessionidx"), TEXT("network_userid"),
    TEXT("geo_country"), TEXT("geo_region"), TEXT("geo_city"), TEXT("geo_zipcode"), NUMBER("geo_latitude"),
    NUMBER("geo_longitude"), TEXT("geo_region_name"), TEXT("ip_isp"), TEXT("ip_organization"),
    TEXT("ip_domain"), TEXT("ip_netspeed"), TEXT("page_url"), TEXT("page_title"), TEXT("page_referrer"),
    TEXT("page_urlscheme"), TEXT("page_urlhost"), NUMBER("page_urlport"), TEXT("page_urlpath"),
    TEXT("page_urlquery"), TEXT("page_urlfragment"), TEXT("refr_urlscheme"), TEXT("refr_urlhost"),
    NUMBER("refr_urlport"), TEXT("refr_urlpath"), TEXT("refr_urlquery"), TEXT("refr_urlfragment"),
    TEXT("refr_medium"), TEXT("refr_source"), TEXT("refr_term"), TEXT("mkt_medium"), TEXT("mkt_source"),
    TEXT("mkt_term"), TEXT("mkt_content"), TEXT("mkt_campaign"), CONTEXTS("contexts"), TEXT("se_category"),
    TEXT("se_action"), TEXT("se_label"), TEXT("se_property"), NUMBER("se_value"), UNSTRUCT("unstruct_event"),
    TEXT("tr_orderid"), TEXT("tr_affiliation"), NUMBER("tr_total"), NUMBER("tr_tax"), NUMBER("tr_shipping"),
    TEXT("tr_city"), TEXT("tr_state"), TEXT("tr_country"), TEXT("ti_orderid"), TEXT("ti_sku"),
    TEXT("ti_name"), TEXT("ti_category"), NUMBER("ti_price"), NUMBER("ti_quantity"), NUMBER("pp_xoffset_min"),
    NUMBER("pp_xoffset_max"), NUMBER("pp_yoffset_min"), NUMBER("pp_yoffset_max"), TEXT("useragent"),
    TEXT("br_name"), TEXT("br_family"), TEXT("br_version"), TEXT("br_type"), TEXT("br_renderengine"),
    TEXT("br_lang"), FLAG("br_features_pdf"), FLAG("br_features_flash"), FLAG("br_features_java"),
    FLAG("br_features_director"), FLAG("br_features_quicktime"), FLAG("br_features_realplayer"),
    FLAG("br_features_windowsmedia"), FLAG("br_features_gears"), FLAG("br_features_silverlight"),
    FLAG("br_cookies"), TEXT("br_colordepth"), NUMBER("br_viewwidth"), NUMBER("br_viewheight"),
    TEXT("os_name"), TEXT("os_family"), TEXT("os_manufacturer"), TEXT("os_timezone"), TEXT("dvce_type"),
    FLAG("dvce_ismobile"), NUMBER("dvce_screenwidth"), NUMBER("dvce_screenheight"), TEXT("doc_charset"),
    NUMBER("doc_width"), NUMBER("doc_height"), TEXT("tr_currency"), NUMBER("tr_total_base"),
    NUMBER("tr_tax_base"), NUMBER("tr_shipping_base"), TEXT("ti_currency"), NUMBER("ti_price_base"),
    TEXT("base_currency"), TEXT("geo_timezone"), TEXT("mkt_clickid"), TEXT("mkt_network"), TEXT("etl_tags"),
    TIME("dvce_sent_tstamp"), TEXT("refr_domain_userid"), TIME("refr_device_tstamp"),
    CONTEXTS("derived_contexts"), TEXT("domain_sessionid"), TIME("derived_tstamp"), TEXT("event_vendor"),
    TEXT("event_name"), TEXT("event_format"), TEXT("event_version"), TEXT("event_fingerprint"),
    TIME("true_tstamp"),
};
/* clang-format on */

enum {
    COLUMNS = sizeof columns / sizeof *columns,
    COLUMN_LATITUDE = 22, /* behind it the longitude */
};

struct entity {
    struct entity *next; /* of all */
    struct entity *same; /* the next of the same name */
    uint32_t name;
    str data; /* JSON */
};

struct enriched {
    struct format_run *run;
    struct buffer *out;
    bool any;           /* something has been written */
    struct names names; /* of lists of entities */
    struct entity *first, *last;
};

static void put_name(struct enriched *e, str name)
{
    if (e->any) buffer_put_char(e->out, ',');
    e->any = true;
    buffer_put_json_string(e->out, name);
    buffer_put_char(e->out, ':');
}

/* ---- plain columns */

/* "2013-11-26 00:02:05.123" becomes RFC 3339; what has another form stays. */
static void put_time(struct buffer *out, str text)
{
    bool known = text.size >= 19 && text.data[10] == ' ';
    for (size_t i = 0; i < text.size; i++)
        known &= memchr("0123456789-: .", text.data[i], 14) != NULL;
    if (!known) return buffer_put_json_string(out, text);
    buffer_put_char(out, '"');
    buffer_put_str(out, str_slice(text, 0, 10));
    buffer_put_char(out, 'T');
    buffer_put_str(out, str_slice(text, 11, text.size));
    buffer_put_str(out, STR("Z\""));
}

static bool put_plain(struct enriched *e, const struct column *column, str text)
{
    struct json_number number;
    bool flag = column->kind == COLUMN_FLAG && (str_equal(text, STR("0")) || str_equal(text, STR("1")));
    if (!utf8_valid(text)) return false;
    put_name(e, column->name);
    if (flag)
        buffer_put_str(e->out, text.data[0] == '1' ? STR("true") : STR("false"));
    else if (column->kind == COLUMN_NUMBER && json_number_read(text, &number))
        buffer_put_str(e->out, text);
    else if (column->kind == COLUMN_TIME)
        put_time(e->out, text);
    else
        buffer_put_json_string(e->out, text);
    return true;
}

/* ---- JSON in columns */

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* As the SDKs do it: "LinkClick", "com.acme", "PDF-View": "link_click", "com_acme", "pdf_view"; PDFView is pdfview. */
static void put_snake(struct buffer *out, str text, bool words)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i], before = i ? text.data[i - 1] : '_';
        bool apart = before == '_' || before == '.' || before == '-' || is_capital(before);
        if (words && is_capital(c) && !apart) buffer_put_char(out, '_');
        buffer_put_char(out, is_capital(c) ? (char)(c + ('a' - 'A')) : c == '.' || c == '-' ? '_' : c);
    }
}

/* "iglu:com.acme/LinkClick/jsonschema/1-0-2" is "PREFIX_com_acme_link_click_1"; empty: it is no such name. */
static str member_name(struct enriched *e, str prefix, str schema)
{
    str parts[4]; /* vendor, name, format, version */
    size_t count = 0;
    struct buffer name;
    if (!str_starts_with(schema, STR("iglu:"))) return (str){0};
    for (size_t at = 5, end; count < 4 && at <= schema.size; at = end + 1) {
        char close = count == 3 ? '-' : '/';
        for (end = at; end < schema.size && schema.data[end] != close; end++) {
        }
        parts[count++] = str_slice(schema, at, end);
    }
    if (count < 4) return (str){0};
    buffer_init(&name, e->run->values);
    buffer_put_str(&name, prefix);
    put_snake(&name, parts[0], false);
    buffer_put_char(&name, '_');
    put_snake(&name, parts[1], true);
    buffer_put_char(&name, '_');
    put_snake(&name, parts[3], false);
    e->run->no_memory |= name.failed;
    return name.failed ? (str){0} : buffer_str(&name);
}

/* {"schema": …, "data": …}: what the two are, the data as they stand in the text. */
static bool read_described(struct scan *scan, str *schema, str *data)
{
    *schema = *data = (str){0};
    if (scan_peek(scan) != '{') {
        scan_skip(scan);
        return false;
    }
    for (bool more = scan_open(scan); more; more = scan_more(scan, '}')) {
        str name = scan_key(scan);
        const uint32_t *from = scan->next;
        bool is_schema = str_equal(name, STR("schema")) && scan_peek(scan) == '"';
        if (is_schema) {
            *schema = scan_value(scan).text;
            continue;
        }
        scan_skip(scan);
        if (scan->fault == SCAN_OK && str_equal(name, STR("data"))) *data = scan_since(scan, from);
    }
    return schema->size && data->size && scan->fault == SCAN_OK;
}

static bool put_unstruct(struct enriched *e, struct scan *scan)
{
    str schema, data;
    str name =
        read_described(scan, &schema, &data) ? member_name(e, STR("unstruct_event_"), schema) : (str){0};
    if (!name.size) return false;
    put_name(e, name);
    buffer_put_str(e->out, data);
    return true;
}

static bool keep_entity(struct enriched *e, struct scan *scan)
{
    struct arena *arena = e->run->values;
    str schema, data;
    str name = read_described(scan, &schema, &data) ? member_name(e, STR("contexts_"), schema) : (str){0};
    if (!name.size) return false;
    struct entity *entity = ARENA_NEW(arena, struct entity);
    if (!entity || !arena_copy_str(arena, data, &entity->data) ||
        !names_put(&e->names, arena, name, &entity->name)) {
        e->run->no_memory = true;
        return false;
    }
    *(e->last ? &e->last->next : &e->first) = entity;
    e->last = entity;
    return true;
}

static bool keep_entities(struct enriched *e, struct scan *scan)
{
    if (scan_peek(scan) != '[') {
        scan_skip(scan);
        return false;
    }
    for (bool more = scan_open(scan); more; more = scan_more(scan, ']'))
        e->run->garbled += !keep_entity(e, scan) && scan->fault == SCAN_OK;
    return true;
}

/* Goes to the data of a column's JSON. False: it is none, or not of the form. */
static bool read_json(struct enriched *e, enum column_kind kind, str text)
{
    struct scan scan;
    bool taken = false;
    enum json_index_status status = json_load(e->run->texts, text);
    e->run->no_memory |= status == JSON_INDEX_NO_MEMORY;
    if (status != JSON_INDEX_OK) return false;
    json_loader_begin(e->run->texts, &scan, LIMIT_EVENT_DEPTH);
    if (scan_peek(&scan) != '{') return false;
    for (bool more = scan_open(&scan); more; more = scan_more(&scan, '}')) {
        bool data = str_equal(scan_key(&scan), STR("data")) && !taken;
        if (data)
            taken = kind == COLUMN_UNSTRUCT ? put_unstruct(e, &scan) : keep_entities(e, &scan);
        else
            scan_skip(&scan);
    }
    return scan_finish(&scan) == SCAN_OK && taken;
}

/* Each list of entities at the place of its first one. */
static void put_entities(struct enriched *e)
{
    struct entity **last = ARENA_ARRAY(e->run->values, struct entity *, e->names.count + 1);
    struct entity **first = ARENA_ARRAY(e->run->values, struct entity *, e->names.count + 1);
    e->run->no_memory |= !last || !first;
    for (struct entity *entity = e->run->no_memory ? NULL : e->first; entity; entity = entity->next) {
        *(last[entity->name] ? &last[entity->name]->same : &first[entity->name]) = entity;
        last[entity->name] = entity;
    }
    for (uint32_t i = 0; i < e->names.count && !e->run->no_memory; i++) {
        put_name(e, e->names.list[i]);
        for (const struct entity *entity = first[i]; entity; entity = entity->same) {
            buffer_put_char(e->out, entity == first[i] ? '[' : ',');
            buffer_put_str(e->out, entity->data);
        }
        buffer_put_char(e->out, ']');
    }
}

/* ---- the event */

static bool put_column(struct enriched *e, const struct column *column, str text)
{
    if (!text.size) return true;
    if (column->kind == COLUMN_CONTEXTS || column->kind == COLUMN_UNSTRUCT)
        return read_json(e, column->kind, text);
    return put_plain(e, column, text);
}

/* "latitude,longitude", which the SDKs add. */
static void put_location(struct enriched *e, str latitude, str longitude)
{
    if (!latitude.size || !longitude.size || !utf8_valid(latitude) || !utf8_valid(longitude)) return;
    put_name(e, STR("geo_location"));
    str both = arena_format(e->run->values, "%.*s,%.*s", STR_ARG(latitude), STR_ARG(longitude));
    buffer_put_json_string(e->out, both);
}

static bool open_enriched(struct format_run *run, str value, str *json)
{
    struct enriched e = {.run = run, .out = run->out};
    str texts[COLUMNS];
    size_t tabs = 0, at = 0;
    if (str_starts_with(value, STR("{")) || str_starts_with(value, STR("["))) {
        *json = value; /* by an SDK */
        return true;
    }
    while (value.size && (value.data[value.size - 1] == '\n' || value.data[value.size - 1] == '\r'))
        value.size--;
    for (size_t i = 0; i < value.size; i++)
        tabs += value.data[i] == '\t';
    run->sentence = "the record does not have the 131 columns of an enriched event";
    if (tabs != COLUMNS - 1) return false;
    buffer_put_char(e.out, '{');
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *tab = at < value.size ? memchr(value.data + at, '\t', value.size - at) : NULL;
        size_t end = tab ? (size_t)(tab - value.data) : value.size;
        texts[i] = str_slice(value, at, end);
        run->garbled += !put_column(&e, &columns[i], texts[i]);
        at = end + 1;
    }
    put_location(&e, texts[COLUMN_LATITUDE], texts[COLUMN_LATITUDE + 1]);
    put_entities(&e);
    buffer_put_char(e.out, '}');
    *json = buffer_str(e.out);
    return !run->no_memory;
}

const struct format format_snowplow_tsv = {.name = STR("snowplow-tsv"), .open = open_enriched};
