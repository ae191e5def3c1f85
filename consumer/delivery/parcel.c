#include "delivery/parcel.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/number.h"
#include "host/text.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const parcel_kinds[PARCEL_KINDS] = {"state", "full", "delta"};

const char *parcel_kind_name(enum parcel_kind kind)
{
    return parcel_kinds[kind];
}

size_t parcel_pieces(const struct parcel_head *head)
{
    return (head->bytes + PARCEL_PIECE_BYTES - 1) / PARCEL_PIECE_BYTES;
}

/* ---- the head */
void parcel_head_print(const struct parcel_head *head, struct buffer *out)
{
    out->size = 0;
    buffer_put_format(out, "{\"affinity\":");
    buffer_put_json_string(out, str_of(head->name));
    buffer_put_format(out,
                      ",\"kind\":\"%s\",\"n\":%" PRIu64 ",\"recipe\":\"%016" PRIx64
                      "\",\"chain\":\"%016" PRIx64 "\",\"base\":\"%016" PRIx64 "\",\"at\":%" PRId64
                      ",\"bytes\":%zu",
                      parcel_kinds[head->kind], head->number, head->recipe, head->chain, head->base,
                      head->at_ms, head->bytes);
    for (size_t p = 0; head->offsets && p < head->partitions; p++)
        buffer_put_format(out, "%s%" PRId64, p ? "," : ",\"offsets\":[", head->offsets[p]);
    buffer_put_str(out, head->offsets && head->partitions ? STR("]}") : STR("}"));
}

static bool parcel_number(const cJSON *object, const char *name, int64_t *out)
{
    return number_read(cJSON_GetObjectItemCaseSensitive(object, name), out);
}

static bool parcel_hash(const cJSON *object, const char *name, uint64_t *out)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text && text_hex(str_of(text), out);
}

static bool parcel_find_kind(const char *text, enum parcel_kind *out)
{
    for (int kind = 0; kind < PARCEL_KINDS; kind++)
        if (text && strcmp(text, parcel_kinds[kind]) == 0) return *out = (enum parcel_kind)kind, true;
    return false;
}

static bool parcel_read(const cJSON *object, struct parcel_head *head)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "affinity"));
    int64_t number, bytes;
    if (!name || !*name || strlen(name) >= sizeof head->name ||
        !parcel_find_kind(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "kind")),
                          &head->kind) ||
        !parcel_number(object, "n", &number) || number < 0 || !parcel_hash(object, "recipe", &head->recipe) ||
        !parcel_hash(object, "chain", &head->chain) || !parcel_hash(object, "base", &head->base) ||
        !parcel_number(object, "at", &head->at_ms) || !parcel_number(object, "bytes", &bytes) || bytes < 1 ||
        bytes > PARCEL_BYTES_MAX)
        return false;
    memcpy(head->name, name, strlen(name) + 1);
    head->number = (uint64_t)number;
    head->bytes = (size_t)bytes;
    return true;
}

enum relance_status parcel_head_parse(struct relance_str text, struct parcel_head *out,
                                      struct relance_error *error)
{
    struct parcel_head head = {0};
    cJSON *object = cJSON_ParseWithLength(text.data, text.size);
    bool ok = cJSON_IsObject(object) && parcel_read(object, &head);
    cJSON_Delete(object);
    if (!ok)
        return relance_error_set(error, RELANCE_INVALID, "not the head of a version: %.*s",
                                 (int)(text.size < 100 ? text.size : 100), text.data);
    *out = head;
    return RELANCE_OK;
}

bool parcel_offsets(struct relance_str text, size_t partitions, int64_t *out)
{
    cJSON *object = cJSON_ParseWithLength(text.data, text.size);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "offsets");
    size_t count = 0;
    bool ok = cJSON_IsArray(list);
    for (const cJSON *item = ok ? list->child : NULL; item && ok; item = item->next)
        ok = count < partitions && number_read(item, &out[count++]);
    cJSON_Delete(object);
    return ok && count == partitions;
}

/* ---- its name in marks */
void parcel_print(uint64_t number, uint64_t chain, char out[PARCEL_TEXT_SIZE])
{
    snprintf(out, PARCEL_TEXT_SIZE, "%" PRIu64 ":%016" PRIx64, number, chain);
}

bool parcel_parse(struct relance_str text, uint64_t *number, uint64_t *chain)
{
    const char *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    int64_t count;
    if (!colon) return false;
    size_t at = (size_t)(colon - text.data);
    if (!text_count(str_slice(text, 0, at), &count) || !text_hex(str_slice(text, at + 1, text.size), chain))
        return false;
    *number = (uint64_t)count;
    return true;
}

/* ---- putting together */
static void parcel_begin(struct parcel_joiner *joiner, const struct parcel_record *record)
{
    struct relance_error error;
    joiner->bytes.size = joiner->text.size = 0;
    joiner->next = 0;
    buffer_put_str(&joiner->text, record->value);
    if (parcel_head_parse(record->value, &joiner->head, &error) != RELANCE_OK ||
        (joiner->skips_states && joiner->head.kind == PARCEL_STATE))
        joiner->head.bytes = 0; /* nothing is awaited */
}

bool parcel_join(struct parcel_joiner *joiner, const struct parcel_record *record)
{
    if (record->piece < 0) return parcel_begin(joiner, record), false;
    size_t left = joiner->head.bytes - joiner->bytes.size,
           size = left < PARCEL_PIECE_BYTES ? left : PARCEL_PIECE_BYTES;
    if (!left) return false;
    if ((size_t)record->piece != joiner->next || record->value.size != size) {
        joiner->head.bytes = joiner->bytes.size = 0;
        return false;
    }
    buffer_put_str(&joiner->bytes, record->value);
    joiner->next++;
    return joiner->bytes.size == joiner->head.bytes;
}

void parcel_joiner_free(struct parcel_joiner *joiner)
{
    buffer_free(&joiner->text);
    buffer_free(&joiner->bytes);
}
