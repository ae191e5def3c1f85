/* A version of a model as records of OUTPUT.models, for the tests in Python:
 *
 *     model_tool RULES AFFINITY NUMBER BASE AT_MS      the lists from stdin: {PRODUCT: [PARTNER, ...]}
 *
 * The recipe is that which the rule file declares; BASE is the chain of the version before, in hex, 0 for the first; the
 * product `*` stands for the popular ones. Printed are three lines: the head and the bytes in hex, and the chain. */
#include "base/ensure.h"
#include "delivery/parcel.h"
#include "host/file.h"
#include "learn/version.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <relance/affinity.h>
#include <relance/ruleset.h>
#include <stdio.h>
#include <stdlib.h>

enum { LISTS_MAX = 1024, PARTNERS_MAX = RELANCE_MODEL_PARTNERS };

static struct relance_model_list lists[LISTS_MAX];
static struct relance_str partners[LISTS_MAX][PARTNERS_MAX];

static uint64_t recipe_in(const struct relance_ruleset *rules, struct relance_str affinity)
{
    for (size_t i = 0; rules && i < relance_ruleset_affinity_count(rules); i++)
        if (str_equal(relance_ruleset_affinity_name(rules, i), affinity))
            return relance_ruleset_affinity_recipe(rules, i);
    return 0;
}

static uint64_t find_recipe(char *path, const char *affinity)
{
    struct file_set files = {0};
    struct relance_error error = {.message = "no such affinity"};
    struct relance_report *report = NULL;
    struct relance_ruleset *rules = NULL;
    const struct file_paths paths = {.items = (char *[]){path}, .count = 1};
    enum relance_status status = file_set_read(&paths, &files, &error);
    if (status == RELANCE_OK) status = file_set_compile(&files, &rules, &report, &error);
    uint64_t recipe = status == RELANCE_OK ? recipe_in(rules, str_of(affinity)) : 0;
    relance_ruleset_free(rules);
    relance_report_free(report);
    file_set_free(&files);
    if (recipe) return recipe;
    fprintf(stderr, "model_tool: %s\n", error.message);
    exit(1);
}

static size_t read_list(const cJSON *list, struct relance_str *out)
{
    size_t count = 0;
    for (const cJSON *item = list->child; item && count < PARTNERS_MAX; item = item->next)
        out[count++] = str_of(item->valuestring);
    return count;
}

static cJSON *read_input(void)
{
    static char text[1 << 20];
    cJSON *all = cJSON_ParseWithLength(text, fread(text, 1, sizeof text, stdin));
    ensure(cJSON_IsObject(all));
    return all;
}

/* The lists borrow from the JSON. */
static size_t read_lists(const cJSON *all)
{
    size_t count = 0;
    for (const cJSON *item = all->child; item; item = item->next, count++) {
        ensure(count < LISTS_MAX);
        lists[count] = (struct relance_model_list){str_of(item->string), partners[count],
                                                   read_list(item, partners[count])};
    }
    return count;
}

static void print_hex(struct relance_str bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        printf("%02x", (unsigned char)bytes.data[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    if (argc != 6) return fprintf(stderr, "model_tool RULES AFFINITY NUMBER BASE AT_MS\n"), 2;
    const struct relance_model_head about = {.number = strtoull(argv[3], NULL, 10),
                                             .recipe = find_recipe(argv[1], argv[2]),
                                             .base = strtoull(argv[4], NULL, 16),
                                             .at_ms = strtoll(argv[5], NULL, 10)};
    struct buffer bytes = {0}, text = {0};
    cJSON *all = read_input();
    struct relance_model *model = relance_model_of_lists(lists, read_lists(all), &about);
    ensure(model);
    version_write(model, NULL, &bytes);
    struct parcel_head head = {.kind = PARCEL_FULL,
                               .number = about.number,
                               .recipe = about.recipe,
                               .chain = relance_model_about(model)->chain,
                               .base = about.base,
                               .at_ms = about.at_ms,
                               .bytes = bytes.size};
    snprintf(head.name, sizeof head.name, "%s", argv[2]);
    parcel_head_print(&head, &text);
    print_hex(buffer_str(&text));
    print_hex(buffer_str(&bytes));
    printf("%016" PRIx64 "\n", head.chain);
    relance_model_release(model);
    buffer_free(&bytes);
    buffer_free(&text);
    cJSON_Delete(all);
    return 0;
}
