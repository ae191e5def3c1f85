/* A schema registry, as Confluent's answers (Karapace, Apicurio and Redpanda alike):
 *
 *     GET /schemas/ids/7                      {"schema": "…", "schemaType": "PROTOBUF", "references": [{name, subject, version}]}
 *     GET /subjects/SUBJECT/versions/VERSION  the same, of a reference
 *
 * What is unknown is told from what is away, since one is a dead letter and the other a pause in which nothing is lost:
 * unknown is an id that the registry itself says it does not have (404 with error_code 404xx). A 404 of anybody else
 * (a wrong path in the URL, a proxy), a login that is refused, a 500, silence: away. */
#ifndef CONSUMER_WIRE_REGISTRY_H
#define CONSUMER_WIRE_REGISTRY_H

#include "http/client.h"
#include "base/arena.h"

enum {
    REGISTRY_FILES_MAX = 256, /* a schema and all that it refers to */
    REGISTRY_DEPTH_MAX = 32,  /* references of references */
};

enum registry_status { REGISTRY_OK, REGISTRY_UNKNOWN, REGISTRY_AWAY, REGISTRY_NO_MEMORY };

struct registry_file {
    str name; /* by which others refer to it; of the schema itself empty */
    str text;
};

/* A schema behind all that it refers to: each file stands behind those that it needs. */
struct registry_schema {
    str type; /* "AVRO", "PROTOBUF", "JSON" */
    size_t count;
    struct registry_file files[REGISTRY_FILES_MAX];
};

/* Fetches a schema; its texts live in the arena. Anything but REGISTRY_OK has its sentence in `error`. */
enum registry_status registry_fetch(struct http_client *http, uint32_t id, struct arena *arena,
                                    struct registry_schema *out, struct relance_error *error);

#endif
