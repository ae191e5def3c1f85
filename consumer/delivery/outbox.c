/* A record is its fixed part, with sizes, behind it name and size of each header, then the bytes of key, value and header
 * values. */
#include "delivery/outbox.h"
#include "base/ensure.h"

struct outbox_head {
    enum outbox_topic topic;
    int32_t partition;
    bool keyed; /* an empty key is a key */
    size_t key_size, value_size, header_count;
};

struct outbox_header_head {
    const char *name;
    size_t size;
};

void outbox_put(struct outbox *outbox, const struct outbox_record *record)
{
    ensure(record->header_count <= OUTBOX_HEADERS_MAX);
    struct outbox_head head = {.topic = record->topic,
                               .partition = record->partition,
                               .keyed = record->key.data,
                               .key_size = record->key.size,
                               .value_size = record->value.size,
                               .header_count = record->header_count};
    struct outbox_header_head headers[OUTBOX_HEADERS_MAX];
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct outbox_header_head){record->headers[i].name, record->headers[i].value.size};
    buffer_put(&outbox->bytes, &head, sizeof head);
    buffer_put(&outbox->bytes, headers, record->header_count * sizeof *headers);
    buffer_put_str(&outbox->bytes, record->key);
    buffer_put_str(&outbox->bytes, record->value);
    for (size_t i = 0; i < record->header_count; i++)
        buffer_put_str(&outbox->bytes, record->headers[i].value);
    outbox->count++;
}

static struct relance_str outbox_take(const struct outbox *outbox, size_t *at, size_t size)
{
    struct relance_str text = {outbox->bytes.data + *at, size};
    *at += size;
    return text;
}

bool outbox_next(const struct outbox *outbox, size_t *at, struct outbox_record *record)
{
    struct outbox_head head;
    if (*at == outbox->bytes.size) return false;
    struct outbox_header_head headers[OUTBOX_HEADERS_MAX];
    memcpy(&head, outbox_take(outbox, at, sizeof head).data, sizeof head);
    size_t headers_size = head.header_count * sizeof *headers;
    memcpy(headers, outbox_take(outbox, at, headers_size).data, headers_size);
    record->topic = head.topic;
    record->partition = head.partition;
    record->key = outbox_take(outbox, at, head.key_size);
    if (!head.keyed) record->key.data = NULL;
    record->value = outbox_take(outbox, at, head.value_size);
    record->header_count = head.header_count;
    for (size_t i = 0; i < head.header_count; i++)
        record->headers[i] =
            (struct outbox_header){headers[i].name, outbox_take(outbox, at, headers[i].size)};
    return true;
}

void outbox_clear(struct outbox *outbox)
{
    outbox->bytes.size = 0;
    outbox->count = 0;
}

void outbox_free(struct outbox *outbox)
{
    buffer_free(&outbox->bytes);
    *outbox = (struct outbox){0};
}
