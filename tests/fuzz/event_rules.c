/* Any bytes as a rule file: a tree whose places lie in the file and in each other, or a mistake that is told. */
#include "base/buffer.h"
#include "base/ensure.h"
#include "json/json.h"

static void check_node(const struct json *node, const struct json *parent, size_t size)
{
    size_t begin = parent ? parent->begin : 0, end = parent ? parent->end : size, count = 0;
    ensure(node->begin < node->end && node->begin >= begin && node->end <= end);
    ensure(utf8_valid(node->text) && utf8_valid(node->key) && node->key_begin <= node->key_end);
    for (const struct json *child = node->child; child; child = child->next, count++)
        check_node(child, node, size);
    ensure(count == node->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct diagnostics diag;
    struct source source = {.name = STR("rules.jsonc"), .text = {(const char *)data, size}};
    struct buffer out;
    arena_init(&arena, 0);
    diag_init(&diag, &arena);
    buffer_init(&out, &arena);
    const struct json *root = json_parse(&arena, &source, &diag);
    ensure(root || diag.error_count > 0);
    if (root) check_node(root, NULL, size);
    diag_sort(&diag);
    diag_print(&diag, &out);
    arena_free(&arena);
    return 0;
}
