#include "mapping/format.h"

#include "base/nearest.h"

const struct format format_json = {.name = STR("json")};
/* Whoever reads the records has made JSON of them: it takes a schema, which is not in the record. */
static const struct format format_avro = {.name = STR("avro")}, format_protobuf = {.name = STR("protobuf")};

static const struct format *const formats[] = {&format_json,    &format_cloudevents, &format_snowplow_tsv,
                                               &format_form,    &format_csv,         &format_avro,
                                               &format_protobuf};

enum { FORMATS = sizeof formats / sizeof *formats };

const struct format *format_find(str name, str *near)
{
    str names[FORMATS];
    for (size_t i = 0; i < FORMATS; i++) {
        names[i] = formats[i]->name;
        if (str_equal(names[i], name)) return formats[i];
    }
    *near = nearest_of(name, names, FORMATS);
    return NULL;
}
