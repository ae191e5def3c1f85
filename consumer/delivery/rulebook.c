#include "delivery/rulebook.h"
#include "base/ensure.h"
#include "host/file.h"
#include "base/str.h"
#include <stdlib.h>

/* What compiling asks zones for has decided nothing. */
static void rulebook_pass_zone(void *context, struct relance_str name, uint64_t hash)
{
    (void)context, (void)name, (void)hash;
}

static enum relance_status rulebook_compile(struct relance_str packed, struct rulebook_set *set,
                                            struct relance_error *error)
{
    struct file_set files;
    struct relance_report *report;
    enum relance_status status = file_set_unpack(packed, &files, error);
    if (status != RELANCE_OK)
        return relance_error_set(error, RELANCE_REFUSED, "a rule set that was saved cannot be read");
    status = file_set_compile(&files, &set->rules, &report, error);
    memcpy(set->hash, files.hash, sizeof set->hash);
    relance_report_free(report);
    file_set_free(&files);
    if (status == RELANCE_OK) {
        relance_ruleset_take_zones(set->rules, rulebook_pass_zone, NULL);
        return RELANCE_OK;
    }
    return relance_error_set(
        error, RELANCE_REFUSED,
        "rule set %s, which is in force for older events, does not compile with this version", set->hash);
}

enum relance_status rulebook_get(struct rulebook *book, struct relance_str packed,
                                 const struct rulebook_set **out, struct relance_error *error)
{
    for (size_t i = 0; i < book->count; i++)
        if (str_equal(packed, str_of(book->sets[i]->packed))) return *out = book->sets[i], RELANCE_OK;
    struct rulebook_set *set = calloc(1, sizeof *set);
    struct rulebook_set **grown = realloc(book->sets, (book->count + 1) * sizeof *grown);
    ensure(set && grown);
    book->sets = grown;
    enum relance_status status = rulebook_compile(packed, set, error);
    if (status != RELANCE_OK) {
        free(set);
        return status;
    }
    ensure(set->packed = malloc(packed.size + 1));
    memcpy(set->packed, packed.data, packed.size);
    set->packed[packed.size] = '\0';
    *out = book->sets[book->count++] = set;
    return RELANCE_OK;
}

static void rulebook_free_set(struct rulebook_set *set)
{
    relance_ruleset_free(set->rules);
    free(set->packed);
    free(set);
}

void rulebook_keep(struct rulebook *book, struct relance_str packed)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->count; i++) {
        if (str_equal(packed, str_of(book->sets[i]->packed)))
            book->sets[kept++] = book->sets[i];
        else
            rulebook_free_set(book->sets[i]);
    }
    book->count = kept;
}

void rulebook_free(struct rulebook *book)
{
    for (size_t i = 0; i < book->count; i++)
        rulebook_free_set(book->sets[i]);
    free(book->sets);
    *book = (struct rulebook){0};
}
