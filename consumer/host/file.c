/* Rule files and zone files. A rule set is read whole, in the order of the files' paths, hashed, and handed
 * to the core as bytes. */
#include "host/file.h"
#include "host/mapping.h"
#include "host/preset.h"
#include "host/text.h"
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
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

/* ---- which files a set has */
struct file_found {
    char *path, *name;
    dev_t device;
    ino_t inode;
};

/* What the paths lead to, so far. */
struct file_search {
    struct file_found *found;
    size_t count;
    struct relance_error *error;
};

static void file_search_free(struct file_search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        free(search->found[i].path);
        free(search->found[i].name);
    }
    free(search->found);
}

static bool file_is_rule_name(const char *name)
{
    size_t size = strlen(name);
    return (size > 5 && strcmp(name + size - 5, ".json") == 0) ||
           (size > 6 && strcmp(name + size - 6, ".jsonc") == 0);
}

/* "FRONT/NAME", without a second slash and without one before nothing; to be freed. */
static char *file_join(const char *front, const char *name)
{
    size_t size = strlen(front);
    bool slash = size && front[size - 1] != '/';
    char *joined = malloc(size + strlen(name) + 2);
    if (!joined) abort(); /* as much as a path, at the start */
    sprintf(joined, "%s%s%s", front, slash ? "/" : "", name);
    return joined;
}

/* To be freed. A text may hold NUL bytes, which compiling refuses. */
static char *file_copy(struct relance_str text)
{
    char *copy = malloc(text.size + 1);
    if (!copy) abort(); /* as much as what it comes from, at the start */
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static enum relance_status file_found_add(struct file_search *search, const char *path, const char *name,
                                          const struct stat *about)
{
    if (search->count == FILE_RULE_COUNT_MAX)
        return relance_error_set(search->error, RELANCE_INVALID, "more than %d rule files",
                                 FILE_RULE_COUNT_MAX);
    struct file_found *grown = realloc(search->found, (search->count + 1) * sizeof *grown);
    if (!grown) abort();
    search->found = grown;
    grown[search->count++] =
        (struct file_found){file_join("", path), file_join("", name), about->st_dev, about->st_ino};
    return RELANCE_OK;
}

static enum relance_status file_search_folder(struct file_search *search, const char *path, const char *name,
                                              int depth);

/* What stands in a folder under `entry`. */
static enum relance_status file_search_entry(struct file_search *search, const char *path, const char *name,
                                             const char *entry, int depth)
{
    struct stat about, link;
    if (entry[0] == '.') return RELANCE_OK;
    char *whole = file_join(path, entry), *whole_name = file_join(name, entry);
    enum relance_status status = RELANCE_OK;
    if (lstat(whole, &link) != 0 || stat(whole, &about) != 0) {
        if (file_is_rule_name(entry))
            status = relance_error_set(search->error, RELANCE_IO, "%s: %s", whole, strerror(errno));
    } else if (S_ISDIR(about.st_mode)) {
        if (!S_ISLNK(link.st_mode)) status = file_search_folder(search, whole, whole_name, depth + 1);
    } else if (file_is_rule_name(entry)) {
        status = file_found_add(search, whole, whole_name, &about);
    }
    free(whole);
    free(whole_name);
    return status;
}

static enum relance_status file_search_folder(struct file_search *search, const char *path, const char *name,
                                              int depth)
{
    if (depth > FILE_DEPTH_MAX)
        return relance_error_set(search->error, RELANCE_INVALID, "%s: more than %d folders within each other",
                                 path, FILE_DEPTH_MAX);
    DIR *folder = opendir(path);
    if (!folder) return relance_error_set(search->error, RELANCE_IO, "%s: %s", path, strerror(errno));
    enum relance_status status = RELANCE_OK;
    for (struct dirent *entry; status == RELANCE_OK && (entry = readdir(folder)) != NULL;)
        status = file_search_entry(search, path, name, entry->d_name, depth);
    closedir(folder);
    return status;
}

/* What a path is called at its end: "shop" of "rules/shop/", of "." the folder's own name. */
static const char *file_last_name(const char *path, char out[PATH_MAX])
{
    char real[PATH_MAX];
    if (!realpath(path, real)) snprintf(real, sizeof real, "%s", path);
    const char *slash = strrchr(real, '/');
    snprintf(out, PATH_MAX, "%s", slash ? slash + 1 : real);
    return out;
}

/* `alone`: then the files of a folder need not be told from those of another. */
static enum relance_status file_search_path(struct file_search *search, const char *path, bool alone)
{
    struct stat about;
    char last[PATH_MAX];
    if (stat(path, &about) != 0)
        return relance_error_set(search->error, RELANCE_IO, "%s: %s", path, strerror(errno));
    const char *slash = strrchr(path, '/');
    if (!S_ISDIR(about.st_mode)) return file_found_add(search, path, slash ? slash + 1 : path, &about);
    size_t before = search->count;
    enum relance_status status = file_search_folder(search, path, alone ? "" : file_last_name(path, last), 0);
    if (status == RELANCE_OK && search->count == before)
        status =
            relance_error_set(search->error, RELANCE_INVALID, "%s: no *.json or *.jsonc file in it", path);
    return status;
}

static int file_path_order(const void *a, const void *b)
{
    return strcmp(((const struct file_found *)a)->path, ((const struct file_found *)b)->path);
}

/* Has one before it led to the same file? */
static bool file_is_again(const struct file_search *search, size_t at)
{
    const struct file_found *found = search->found;
    for (size_t i = 0; i < at; i++)
        if (found[i].device == found[at].device && found[i].inode == found[at].inode) return true;
    return false;
}

/* ---- a set */
/* As a set's text names them; files of rules have no name. */
static const char *const file_kinds[] = {
    [RELANCE_RULES] = "rules", [RELANCE_MAPPING] = "mapping", [RELANCE_PRESET] = "preset"};
enum { FILE_KINDS = sizeof file_kinds / sizeof *file_kinds };

static enum relance_status file_set_add(struct file_set *set, const struct file_found *found,
                                        struct relance_error *error)
{
    size_t used = 0, size;
    char *text;
    for (size_t i = 0; i < set->count; i++)
        used += set->sources[i].text.size;
    enum relance_status status = file_read(found->path, FILE_RULES_MAX - used, &text, &size, error);
    if (status != RELANCE_OK) return status;
    struct relance_str name = str_of(file_join("", found->name)), path = str_of(file_join("", found->path));
    set->sources[set->count++] = (struct file_source){name, {text, size}, path, RELANCE_RULES};
    return RELANCE_OK;
}

/* A mapping and what it extends, each once: presets that extend each other without an end are a mistake of compiling. */
static enum relance_status file_set_add_mapping(struct file_set *set, const char *mapping,
                                                struct relance_error *error)
{
    struct mapping_file file;
    struct relance_error reason;
    enum relance_status status = mapping_file_read(mapping, &file, &reason);
    if (status != RELANCE_OK) return relance_error_set(error, status, "--mapping: %.480s", reason.message);
    struct relance_str name = file.source.name, text = file.source.text;
    const char *slash = strrchr(mapping, '/');
    if (slash) name = str_of(slash + 1);
    for (size_t i = 0; i < FILE_EXTENDS_MAX; i++) {
        struct file_source *source = &set->sources[set->count++];
        *source = (struct file_source){.name = str_of(file_copy(name)),
                                       .text = {file_copy(text), text.size},
                                       .path = str_of(file_copy(i ? name : file.source.name)),
                                       .kind = i ? RELANCE_PRESET : RELANCE_MAPPING};
        name = relance_mapping_extends(source->text);
        if (!name.size || !preset_find(name, &text)) break;
    }
    mapping_file_free(&file);
    return RELANCE_OK;
}

static enum relance_status file_set_add_all(struct file_set *set, struct file_search *search)
{
    enum relance_status status = RELANCE_OK;
    qsort(search->found, search->count, sizeof *search->found, file_path_order);
    set->sources = calloc(search->count + FILE_EXTENDS_MAX, sizeof *set->sources);
    if (!set->sources) abort();
    for (size_t i = 0; i < search->count && status == RELANCE_OK; i++)
        if (!file_is_again(search, i)) status = file_set_add(set, &search->found[i], search->error);
    return status;
}

static void file_set_digest(struct file_set *set)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) abort(); /* the library is broken */
    for (size_t i = 0; i < set->count; i++) {
        const struct file_source *source = &set->sources[i];
        char size[TEXT_NUMBER_SIZE];
        text_put_int(size, (int64_t)source->text.size);
        if (source->kind != RELANCE_RULES)
            EVP_DigestUpdate(context, file_kinds[source->kind], strlen(file_kinds[source->kind]) + 1);
        EVP_DigestUpdate(context, source->name.data, source->name.size + 1);
        EVP_DigestUpdate(context, size, strlen(size) + 1);
        EVP_DigestUpdate(context, source->text.data, source->text.size);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    hex_print(digest, sizeof set->hash / 2, set->hash);
    set->hash[sizeof set->hash - 1] = '\0';
}

static void file_source_free(struct file_source *source)
{
    free((char *)source->name.data);
    free((char *)source->text.data);
    free((char *)source->path.data);
}

static bool file_is_named(const struct file_paths *paths, struct relance_str path)
{
    for (size_t i = 0; i < paths->count; i++)
        if (str_equal(str_of(paths->items[i]), path)) return true;
    return false;
}

/* Rules and mappings may lie in one folder: these are not of the set. One that was named in place of rules is a mistake. */
static enum relance_status file_set_leave_mappings(struct file_set *set, const struct file_paths *paths,
                                                   struct relance_error *error)
{
    size_t kept = 0, count = set->count;
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < count; i++) {
        struct file_source source = set->sources[i];
        if (!relance_mapping_is(source.text)) {
            set->sources[kept++] = source;
            continue;
        }
        if (status == RELANCE_OK && file_is_named(paths, source.path))
            status =
                relance_error_set(error, RELANCE_INVALID,
                                  "%.*s is a mapping and no rules: --mapping takes it", STR_ARG(source.path));
        file_source_free(&source);
    }
    set->count = kept;
    return status;
}

enum relance_status file_set_read(const struct file_paths *paths, struct file_set *out,
                                  struct relance_error *error)
{
    struct file_set set = {0};
    struct file_search search = {.error = error};
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < paths->count && status == RELANCE_OK; i++)
        status = file_search_path(&search, paths->items[i], paths->count == 1);
    if (status == RELANCE_OK) status = file_set_add_all(&set, &search);
    if (status == RELANCE_OK && !paths->all) status = file_set_leave_mappings(&set, paths, error);
    if (status == RELANCE_OK && paths->mapping) status = file_set_add_mapping(&set, paths->mapping, error);
    file_search_free(&search);
    if (status != RELANCE_OK) {
        file_set_free(&set);
        return status;
    }
    file_set_digest(&set);
    *out = set;
    return RELANCE_OK;
}

const char *file_paths_show(const struct file_paths *paths, char out[FILE_PATHS_SHOWN])
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < paths->count && used < FILE_PATHS_SHOWN; i++)
        used += (size_t)snprintf(out + used, FILE_PATHS_SHOWN - used, "%s%s", i ? ", " : "", paths->items[i]);
    return out;
}

void file_set_free(struct file_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        file_source_free(&set->sources[i]);
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
        if (set->sources[i].kind != RELANCE_RULES)
            cJSON_AddStringToObject(file, "kind", file_kinds[set->sources[i].kind]);
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
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "kind"));
    size_t of = RELANCE_RULES;
    while (kind && of < FILE_KINDS && strcmp(kind, file_kinds[of]) != 0)
        of++;
    if (!name || !text || of == FILE_KINDS) return false;
    char *name_copy = strdup(name), *text_copy = strdup(text);
    if (!name_copy || !text_copy) abort(); /* as much as the parsed text that they come from */
    set->sources[set->count++] = (struct file_source){
        .name = str_of(name_copy), .text = str_of(text_copy), .kind = (enum relance_source_kind)of};
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
    if (!name.size || name.size > FILE_ZONE_NAME_MAX) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool begins_part = i == 0 || name.data[i - 1] == '/';
        if (!letter && (begins_part || !strchr("+-_/", c) || !c)) return false;
    }
    return name.data[name.size - 1] != '/';
}

/* Zones as they were when the process first asked for one, also where the machine's have changed since: all its rule sets
 * decide alike. */
static struct file_zone {
    struct file_zone *next;
    size_t size;
    char name[FILE_ZONE_NAME_MAX + 1];
    char bytes[];
} * file_zones;
static pthread_mutex_t file_zones_lock = PTHREAD_MUTEX_INITIALIZER;

const char *file_zone_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

static struct file_zone *file_zone_read(struct relance_str name)
{
    static char bytes[FILE_ZONE_MAX];
    char path[512];
    snprintf(path, sizeof path, "%s/%.*s", file_zone_folder(), STR_ARG(name));
    FILE *stream = fopen(path, "rb");
    if (!stream) return NULL;
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    if (size <= 4 || size == sizeof bytes || memcmp(bytes, "TZif", 4) != 0) return NULL;
    struct file_zone *zone = malloc(sizeof *zone + size);
    if (!zone) return NULL;
    zone->size = size;
    snprintf(zone->name, sizeof zone->name, "%.*s", STR_ARG(name));
    memcpy(zone->bytes, bytes, size);
    zone->next = file_zones;
    return file_zones = zone;
}

bool file_zone_load(void *context, struct relance_str name, struct relance_str *bytes)
{
    (void)context;
    if (!file_zone_name_ok(name)) return false;
    pthread_mutex_lock(&file_zones_lock);
    struct file_zone *zone = file_zones;
    while (zone && !str_equal(str_of(zone->name), name))
        zone = zone->next;
    if (!zone) zone = file_zone_read(name);
    pthread_mutex_unlock(&file_zones_lock);
    if (zone) *bytes = (struct relance_str){zone->bytes, zone->size};
    return zone;
}

enum relance_status file_set_compile(const struct file_set *set, struct relance_ruleset **rules,
                                     struct relance_report **report, struct relance_error *error)
{
    struct relance_source *sources = calloc(set->count + 1, sizeof *sources);
    if (!sources) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for the rule files");
    for (size_t i = 0; i < set->count; i++) {
        const struct file_source *source = &set->sources[i];
        bool named_by_path = source->path.size && source->kind != RELANCE_PRESET;
        sources[i] =
            (struct relance_source){named_by_path ? source->path : source->name, source->text, source->kind};
    }
    enum relance_status status =
        relance_ruleset_check(sources, set->count, file_zone_load, NULL, set->strict, rules, report, error);
    free(sources);
    return status;
}
