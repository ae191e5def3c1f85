#include "delivery/frontier.h"
#include "base/ensure.h"
#include "host/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

size_t frontier_print(const struct frontier *frontier, char out[FRONTIER_TEXT_SIZE])
{
    char chain[17] = "-";
    if (!frontier->is_restored) snprintf(chain, sizeof chain, "%016" PRIx64, frontier->position.chain);
    int size = snprintf(out, FRONTIER_TEXT_SIZE, "1;%s;%" PRIu64 ";%" PRIu64 ";%s", frontier->store,
                        frontier->position.seq, frontier->position.marks, chain);
    ensure(size > 0 && size < FRONTIER_TEXT_SIZE);
    return (size_t)size;
}

/* Cuts the part before the next semicolon off the text. */
static struct relance_str frontier_part(struct relance_str *text)
{
    const char *end = text->size ? memchr(text->data, ';', text->size) : NULL;
    struct relance_str part = {text->data, end ? (size_t)(end - text->data) : text->size};
    size_t used = part.size + (end ? 1 : 0);
    text->data += used, text->size -= used;
    return part;
}

static bool frontier_number(struct relance_str text, uint64_t *out)
{
    int64_t number;
    if (!text_count(text, &number)) return false;
    *out = (uint64_t)number;
    return true;
}

bool frontier_parse(int64_t offset, struct relance_str metadata, struct frontier *out)
{
    struct frontier frontier = {.position.offset = offset};
    struct relance_str text = metadata, version = frontier_part(&text), store = frontier_part(&text),
                       seq = frontier_part(&text), marks = frontier_part(&text), chain = text;
    if (!str_equal(version, STR("1")) || store.size != STORE_ID_SIZE - 1) return false;
    memcpy(frontier.store, store.data, store.size);
    frontier.store[store.size] = '\0';
    frontier.is_restored = str_equal(chain, STR("-"));
    if (!frontier_number(seq, &frontier.position.seq) || !frontier_number(marks, &frontier.position.marks) ||
        !(frontier.is_restored || text_hex(chain, &frontier.position.chain)))
        return false;
    *out = frontier;
    return true;
}

bool frontier_is_first(const struct frontier *frontier)
{
    const struct position *at = &frontier->position;
    return !at->seq && !at->marks && !at->chain && !frontier->is_restored;
}

void frontier_make_store(char out[STORE_ID_SIZE])
{
    unsigned char bytes[16];
    ensure(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4: random */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    char *at = out;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
        at += snprintf(at, 3, "%02x", bytes[i]);
    }
}
