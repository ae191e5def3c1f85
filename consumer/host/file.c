/* Rule files and zone files. A rule set is read whole, in the order of the files' names, hashed, and handed
 * to the core as bytes. */
#include "host/file.h"
#include "host/text.h"
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- one file */
/* Reads to the end rather than to the size that stat tells: pipes and /proc have none. */
static enum relance_status file_read_stream(FILE *stream, const char *path, size_t limit, char **text,
                                            size_t *size, struct relance_error *error)
{
    size_t capacity = 1 << 14, used = 0;
    char *data = malloc(capacity + 1);
    while (data) {
        used += fread(data + used, 1, capacity - used, stream);
        if (used < capacity || used > limit) break;
        capacity *= 2;
        char *grown = realloc(data, capacity + 1);
        if (!grown) free(data);
        data = grown;
    }
    if (!data) return relance_error_set(error, RELANCE_NO_MEMORY, "%s: no memory to read it", path);
    if (!ferror(stream) && used <= limit) {
        data[used] = '\0';
        *text = data, *size = used;
        return RELANCE_OK;
    }
    free(data);
    if (ferror(stream)) return relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
    return relance_error_set(error, RELANCE_INVALID, "%s: larger than the limit of %zu bytes", path, limit);
}

enum relance_status file_read(const char *path, size_t limit, char **text, size_t *size,
                              struct relance_error *error)
{
    FILE *stream = fopen(path, "rb");
    if (!stream) return relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
    enum relance_status status = file_read_stream(stream, path, limit, text, size, error);
    fclose(stream);
    return status;
}

/* ---- a set */
static bool file_is_rule_name(const char *name)
{
    size_t size = strlen(name);
    return name[0] != '.' && ((size > 5 && strcmp(name + size - 5, ".json") == 0) ||
                              (size > 6 && strcmp(name + size - 6, ".jsonc") == 0));
}

static int file_filter(const struct dirent *entry)
{
    return file_is_rule_name(entry->d_name);
}

/* By bytes: alphasort would follow the locale. */
static int file_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum relance_status file_set_add(struct file_set *set, const char *path, const char *name,
                                        struct relance_error *error)
{
    size_t used = 0, size;
    char *text;
    if (set->count == FILE_RULE_COUNT_MAX)
        return relance_error_set(error, RELANCE_INVALID, "more than %d rule files", FILE_RULE_COUNT_MAX);
    for (size_t i = 0; i < set->count; i++)
        used += set->sources[i].text.size;
    enum relance_status status = file_read(path, FILE_RULES_MAX - used, &text, &size, error);
    if (status != RELANCE_OK) return status;
    struct relance_source *grown = realloc(set->sources, (set->count + 1) * sizeof *grown);
    char *copy = strdup(name);
    if (grown) set->sources = grown;
    if (!grown || !copy) {
        free(text);
        free(copy);
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for the rule files");
    }
    set->sources[set->count++] = (struct relance_source){str_of(copy), {text, size}};
    return RELANCE_OK;
}

static enum relance_status file_set_add_directory(struct file_set *set, const char *path,
                                                  struct relance_error *error)
{
    struct dirent **entries;
    int count = scandir(path, &entries, file_filter, file_order);
    if (count < 0) return relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
    enum relance_status status = RELANCE_OK;
    for (int i = 0; i < count; i++) {
        char whole[4096];
        snprintf(whole, sizeof whole, "%s/%s", path, entries[i]->d_name);
        if (status == RELANCE_OK) status = file_set_add(set, whole, entries[i]->d_name, error);
        free(entries[i]);
    }
    free(entries);
    if (!count) return relance_error_set(error, RELANCE_INVALID, "%s: no *.json or *.jsonc file in it", path);
    return status;
}

static void file_set_digest(struct file_set *set)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) abort(); /* the library is broken */
    for (size_t i = 0; i < set->count; i++) {
        const struct relance_source *source = &set->sources[i];
        char size[TEXT_NUMBER_SIZE];
        text_put_int(size, (int64_t)source->text.size);
        EVP_DigestUpdate(context, source->name.data, source->name.size + 1);
        EVP_DigestUpdate(context, size, strlen(size) + 1);
        EVP_DigestUpdate(context, source->text.data, source->text.size);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    hex_print(digest, sizeof set->hash / 2, set->hash);
    set->hash[sizeof set->hash - 1] = '\0';
}

enum relance_status file_set_read(const char *path, struct file_set *out, struct relance_error *error)
{
    struct file_set set = {0};
    struct stat about;
    if (stat(path, &about) != 0) return relance_error_set(error, RELANCE_IO, "%s: %s", path, strerror(errno));
    const char *slash = strrchr(path, '/');
    enum relance_status status = S_ISDIR(about.st_mode)
                                     ? file_set_add_directory(&set, path, error)
                                     : file_set_add(&set, path, slash ? slash + 1 : path, error);
    if (status != RELANCE_OK) {
        file_set_free(&set);
        return status;
    }
    file_set_digest(&set);
    *out = set;
    return RELANCE_OK;
}

void file_set_free(struct file_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free((char *)set->sources[i].name.data);
        free((char *)set->sources[i].text.data);
    }
    free(set->sources);
    *set = (struct file_set){0};
}

/* ---- a set as one text */
enum relance_status file_set_pack(const struct file_set *set, char **text, size_t *size,
                                  struct relance_error *error)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < set->count; i++) {
        cJSON *file = cJSON_CreateObject();
        cJSON_AddStringToObject(file, "name", set->sources[i].name.data);
        cJSON_AddStringToObject(file, "text", set->sources[i].text.data);
        cJSON_AddItemToArray(array, file);
    }
    *text = cJSON_PrintUnformatted(array);
    cJSON_Delete(array);
    if (!*text) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for the rule set's text");
    *size = strlen(*text);
    return RELANCE_OK;
}

static bool file_set_unpack_one(struct file_set *set, const cJSON *file)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "name"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "text"));
    if (!name || !text) return false;
    char *name_copy = strdup(name), *text_copy = strdup(text);
    if (!name_copy || !text_copy) abort(); /* as much as the parsed text that they come from */
    set->sources[set->count++] = (struct relance_source){str_of(name_copy), str_of(text_copy)};
    return true;
}

enum relance_status file_set_unpack(struct relance_str text, struct file_set *out,
                                    struct relance_error *error)
{
    struct file_set set = {0};
    cJSON *array = cJSON_ParseWithLength(text.data, text.size), *file;
    bool ok = cJSON_IsArray(array) && cJSON_GetArraySize(array) > 0;
    if (ok) set.sources = calloc((size_t)cJSON_GetArraySize(array), sizeof *set.sources);
    if (ok && !set.sources) abort();
    cJSON_ArrayForEach(file, array) ok = ok && file_set_unpack_one(&set, file);
    cJSON_Delete(array);
    if (!ok) {
        file_set_free(&set);
        return relance_error_set(error, RELANCE_INVALID, "not a rule set's text");
    }
    file_set_digest(&set);
    *out = set;
    return RELANCE_OK;
}

/* ---- zones */
/* Letters, digits, and the few signs that zone names have; no part may begin with a dot. */
static bool file_zone_name_ok(struct relance_str name)
{
    if (!name.size || name.size > 64) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool begins_part = i == 0 || name.data[i - 1] == '/';
        if (!letter && (begins_part || !strchr("+-_/", c) || !c)) return false;
    }
    return name.data[name.size - 1] != '/';
}

bool file_zone_load(void *context, struct relance_str name, struct relance_str *bytes)
{
    struct file_zone *zone = context;
    char path[128];
    if (!file_zone_name_ok(name)) return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    FILE *stream = fopen(path, "rb");
    if (!stream) return false;
    size_t size = fread(zone->bytes, 1, sizeof zone->bytes, stream);
    fclose(stream);
    *bytes = (struct relance_str){zone->bytes, size};
    return size > 4 && size < sizeof zone->bytes && memcmp(zone->bytes, "TZif", 4) == 0;
}

/* Zones are loaded when a rule first asks for one, long after compiling, by the thread that runs the set: so
 * their bytes live in the thread. */
enum relance_status file_set_compile(const struct file_set *set, struct relance_ruleset **rules,
                                     struct relance_report **report, struct relance_error *error)
{
    static _Thread_local struct file_zone zone;
    return relance_ruleset_check(set->sources, set->count, file_zone_load, &zone, set->strict, rules, report,
                                 error);
}
