#include "host/mapping.h"
#include "host/file.h"
#include "host/preset.h"
#include "host/text.h"

#include <stdlib.h>

bool mapping_is_file(const char *value)
{
    return strpbrk(value, "/.");
}

static enum relance_status refuse_preset(const char *value, struct relance_error *error)
{
    str nearest = preset_nearest(str_of(value));
    char shown[TEXT_SHOWN_SIZE];
    text_shown(value, shown);
    if (strchr(value, '='))
        return relance_error_set(error, RELANCE_INVALID,
                                 "there is no preset '%s': TOPIC= before a mapping is for `relance intake`, "
                                 "which reads many topics",
                                 shown);
    if (nearest.size)
        return relance_error_set(error, RELANCE_INVALID, "there is no preset '%s': did you mean '%.*s'?",
                                 shown, STR_ARG(nearest));
    return relance_error_set(error, RELANCE_INVALID,
                             "there is no preset '%s' (`relance help presets` lists them; a file has a slash "
                             "or a point in its name)",
                             shown);
}

enum relance_status mapping_file_read(const char *value, struct mapping_file *out,
                                      struct relance_error *error)
{
    *out = (struct mapping_file){.source = {.name = str_of(value)}};
    if (value[0] == '{') {
        out->source = (struct relance_source){.name = STR("the mapping"), .text = str_of(value)};
        return RELANCE_OK;
    }
    if (mapping_is_file(value)) {
        enum relance_status status =
            file_read(value, MAPPING_FILE_MAX, &out->text, &out->source.text.size, error);
        out->source.text.data = out->text;
        return status;
    }
    return preset_find(out->source.name, &out->source.text) ? RELANCE_OK : refuse_preset(value, error);
}

void mapping_file_free(struct mapping_file *file)
{
    free(file->text);
    *file = (struct mapping_file){0};
}

/* As relance_mapping_host has it. */
static bool load_preset(void *context, struct relance_str name, struct relance_str *text)
{
    (void)context;
    return preset_find(name, text);
}

enum relance_status mapping_compile(const struct relance_source *source, struct relance_mapping **out,
                                    struct relance_report **report, struct relance_error *error)
{
    const struct relance_mapping_host host = {load_preset, NULL, file_zone_load, NULL};
    return relance_mapping_compile(source, &host, out, report, error);
}
