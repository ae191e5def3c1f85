/* The only file that sees simdjson.
 *
 * Why the first stage alone, and not the on-demand or DOM parser on top of it: on-demand does not look into
 * values that nobody asks for, so a record that is no JSON could pass; the DOM parser does, but has forgotten
 * how a number was written (1.50), and builds a tree that we would copy into slots. Walking the tokens
 * ourselves checks everything, keeps the text and is faster than either. Both parsers stand on this very
 * interface, so it is as old and as stable as they are. */
#include "json/index.h"

#include <memory>
#include <new>
#include <simdjson.h>

namespace
{
constexpr size_t capacity_min = 4096; /* bytes; a usual event never makes it grow */
constexpr size_t depth_unused = 1;    /* only the second stage keeps a stack */
} // namespace

struct json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

struct json_index *json_index_new(void)
{
    std::unique_ptr<json_index> index(new (std::nothrow) json_index);
    if (!index) return nullptr;
    auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        capacity_min, depth_unused, index->parser);
    return error ? nullptr : index.release();
}

void json_index_free(struct json_index *index)
{
    delete index;
}

static bool index_reserve(struct json_index *index, size_t size)
{
    size_t capacity = index->parser->capacity();
    if (size <= capacity) return true;
    if (capacity < capacity_min) capacity = capacity_min; /* a growth that failed has left 0 */
    while (capacity < size)
        capacity *= 2;
    return index->parser->set_capacity(capacity) == simdjson::SUCCESS;
}

enum json_index_status json_index_build(struct json_index *index, struct relance_str text,
                                        const uint32_t **tokens, size_t *count)
{
    if (!index_reserve(index, text.size)) return JSON_INDEX_NO_MEMORY;
    auto bytes = reinterpret_cast<const uint8_t *>(text.data);
    auto error = index->parser->stage1(bytes, text.size, simdjson::stage1_mode::regular);
    if (error == simdjson::UTF8_ERROR) return JSON_INDEX_NOT_UTF8;
    if (error != simdjson::SUCCESS) return JSON_INDEX_BROKEN;
    *tokens = index->parser->structural_indexes.get();
    *count = index->parser->n_structural_indexes;
    return JSON_INDEX_OK;
}
