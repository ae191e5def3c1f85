/* Wire formats: the value of a record as JSON text, which a mapping then reads.
 *
 *     json      JSON; behind Confluent's five bytes, too, and in Kafka Connect's envelope, of which the payload is taken
 *     avro      Confluent's framing, or a schema file's bare or framed values (avro.h)
 *     protobuf  the same (proto.h)
 *
 *     00  00 00 00 07  …                    Confluent's framing: 0, the schema's id, in Protobuf which of its messages
 *
 * With a schema file a record counts as framed where it is all of a value behind the frame, else as bare; what id the
 * frame has is not looked at. Bytes are those of strangers: whatever they are, the answer comes in bounded time and
 * memory, and JSON is at most as large as an event may be.
 *
 * Schemas are asked of a registry once and then kept, WIRE_SCHEMAS of them: an id means the same schema for ever. An id
 * that the registry does not have is asked for again after a minute. A struct wire belongs to one thread. */
#ifndef CONSUMER_WIRE_WIRE_H
#define CONSUMER_WIRE_WIRE_H

#include <relance/text.h>
#include <stdint.h>

enum {
    WIRE_SCHEMAS = 1024,           /* kept; then the oldest is asked for again */
    WIRE_UNKNOWN_IDS = 256,        /* remembered */
    WIRE_UNKNOWN_MS = 60000,       /* for which they are */
    WIRE_FILE_BYTES_MAX = 4 << 20, /* of a schema file */
    WIRE_BYTES_MAX = 16 << 20,     /* of JSON with its envelope */
};

/* All of it is borrowed during the call alone; what is NULL is not given. */
struct wire_options {
    const char *format;          /* "json", "avro" or "protobuf" */
    const char *registry;        /* http:// or https://, USER:PASSWORD@ allowed; not with schema files */
    const char *user, *password; /* of the registry, in place of the URL's */
    const char *ca_file;         /* PEM, for https */
    /* .avsc or .proto: the last is the records' schema, before it stands what it imports or refers to. A .proto is
     * imported by its path from the folder of the last. */
    const char *const *schema_files;
    size_t schema_file_count;
    /* Of protobuf with files: `shop.Order`. NULL: the one that the frame says; of bare values the file's first. */
    const char *message;
};

struct wire;

/* Does not ask the registry: whether it is there shows with the first record. RELANCE_INVALID: an option or a schema
 * file is wrong; RELANCE_IO: a file cannot be read. *out is freed by wire_close. */
RELANCE_MUST enum relance_status wire_open(const struct wire_options *options, struct wire **out,
                                           struct relance_error *error);
void wire_close(struct wire *wire);

enum wire_status {
    WIRE_OK,        /* `json` */
    WIRE_DEAD,      /* a dead letter: `reason`, and the sentence in error->message */
    WIRE_AWAY,      /* the registry does not answer; nothing is wrong with the record, try it again later */
    WIRE_NO_MEMORY, /* likewise */
};

/* Valid until the next call, and `json` no longer than the bytes that were given. */
struct wire_decoded {
    struct relance_str json;
    struct relance_str reason; /* "format", "schema", "size" or "depth" */
};

/* Everything but WIRE_OK has its sentence in `error`. May wait for the registry, HTTP_CLIENT_MS for each request; no
 * HTTP for a schema that is known. */
RELANCE_MUST enum wire_status wire_decode(struct wire *wire, struct relance_str bytes,
                                          struct wire_decoded *out, struct relance_error *error);

#endif
