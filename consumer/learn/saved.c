#include "learn/saved.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/parcel.h"
#include "host/file.h"
#include <stdlib.h>

struct saved {
    struct saved_version {
        char name[PARCEL_NAME_BYTES];
        struct relance_model *model;
    } * versions;
    size_t count;
};

void saved_put(FILE *file, struct relance_str affinity, const struct relance_model *model,
               struct relance_str bytes)
{
    const struct relance_model_head *about = relance_model_about(model);
    struct buffer text = {0};
    struct parcel_head head = {.kind = PARCEL_FULL,
                               .number = about->number,
                               .recipe = about->recipe,
                               .chain = about->chain,
                               .base = about->base,
                               .at_ms = about->at_ms,
                               .bytes = bytes.size};
    snprintf(head.name, sizeof head.name, "%.*s", STR_ARG(affinity));
    parcel_head_print(&head, &text);
    buffer_put_char(&text, '\n');
    ensure(!text.failed);
    fwrite(text.data, 1, text.size, file);
    fwrite(bytes.data, 1, bytes.size, file);
    buffer_free(&text);
}

/* The version at the begin of the text, which it takes off. */
static enum relance_status saved_take(struct saved *saved, struct relance_str *text,
                                      struct relance_error *error)
{
    struct parcel_head head;
    struct relance_model *model;
    const char *end = memchr(text->data, '\n', text->size);
    size_t line = end ? (size_t)(end - text->data) : text->size;
    enum relance_status status = parcel_head_parse(str_slice(*text, 0, line), &head, error);
    if (status != RELANCE_OK) return status;
    if (!end || head.kind != PARCEL_FULL || text->size - line - 1 < head.bytes)
        return relance_error_set(error, RELANCE_INVALID, "the version of %s is not whole", head.name);
    status = relance_model_read(str_slice(*text, line + 1, line + 1 + head.bytes), &model, error);
    if (status != RELANCE_OK) return status;
    if (relance_model_about(model)->chain != head.chain) {
        relance_model_release(model);
        return relance_error_set(error, RELANCE_INVALID,
                                 "the version of %s is not the one that its head names", head.name);
    }
    saved->versions = realloc(saved->versions, (saved->count + 1) * sizeof *saved->versions);
    ensure(saved->versions);
    struct saved_version *version = &saved->versions[saved->count++];
    memcpy(version->name, head.name, sizeof version->name);
    version->model = model;
    *text = str_slice(*text, line + 1 + head.bytes, text->size);
    return RELANCE_OK;
}

enum relance_status saved_open(const char *path, struct saved **out, struct relance_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    struct relance_error why;
    struct saved *saved = calloc(1, sizeof *saved);
    ensure(saved);
    enum relance_status status = file_read(path, PARCEL_BYTES_MAX, &bytes, &size, error);
    struct relance_str text = {bytes, size};
    while (status == RELANCE_OK && text.size) {
        status = saved_take(saved, &text, &why);
        if (status != RELANCE_OK) status = relance_error_set(error, status, "%s: %s", path, why.message);
    }
    free(bytes);
    if (status == RELANCE_OK)
        *out = saved;
    else
        saved_close(saved);
    return status;
}

void saved_close(struct saved *saved)
{
    if (!saved) return;
    for (size_t i = 0; i < saved->count; i++)
        relance_model_release(saved->versions[i].model);
    free(saved->versions);
    free(saved);
}

const struct relance_model *saved_find(const struct saved *saved, struct relance_str affinity,
                                       uint64_t recipe)
{
    for (size_t i = 0; i < saved->count; i++) {
        const struct saved_version *version = &saved->versions[i];
        if (str_equal(str_of(version->name), affinity) &&
            relance_model_about(version->model)->recipe == recipe)
            return version->model;
    }
    return NULL;
}
