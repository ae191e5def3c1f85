#include "wire/registry.h"
#include "json/json.h"
#include "host/text.h"

struct registry_run {
    struct http_client *http;
    struct arena *arena;
    struct registry_schema *out;
    struct relance_error *error;
    size_t asked; /* requests so far */
};

static str text_of(const struct json *object, const char *key)
{
    const struct json *member = json_member(object, key);
    return member && (member->kind == JSON_STRING || member->kind == JSON_NUMBER) ? member->text : (str){0};
}

/* An answer as a JSON object; NULL: it is none. Its numbers stand in the text, which the next answer takes the place of: so
 * that is copied. */
static const struct json *answer_read(struct registry_run *run, str body)
{
    struct diagnostics diag;
    struct source source = {.name = STR("answer")};
    diag_init(&diag, run->arena);
    bool kept = body.size && arena_copy_str(run->arena, body, &source.text);
    const struct json *root = kept ? json_parse(run->arena, &source, &diag) : NULL;
    return root && root->kind == JSON_OBJECT ? root : NULL;
}

/* What an answer that brings no schema means. */
static enum registry_status answer_refuse(struct registry_run *run, const struct json *answer, long code,
                                          str what)
{
    str own_code = answer ? text_of(answer, "error_code") : (str){0};
    if (code == 404 && own_code.size == 5 && str_starts_with(own_code, STR("404"))) {
        relance_error_set(run->error, RELANCE_INVALID, "the schema registry has no schema %.*s",
                          STR_ARG(what));
        return REGISTRY_UNKNOWN;
    }
    const char *why = code == 401 || code == 403 ? ": the login is refused"
                      : code == 404              ? ": is this a schema registry?"
                      : code == 200              ? " and what is no schema"
                                                 : "";
    relance_error_set(run->error, RELANCE_IO, "the schema registry at %.200s answers %ld%s",
                      http_client_url(run->http), code, why);
    return REGISTRY_AWAY;
}

/* Asks for a path; *answer is an object that has a schema. `what` is meant, for messages. */
static enum registry_status ask(struct registry_run *run, const str *pieces, size_t count, str what,
                                const struct json **answer)
{
    long code;
    str body;
    if (run->asked++ == REGISTRY_FILES_MAX) {
        relance_error_set(run->error, RELANCE_INVALID, "a schema refers to more than %d others",
                          REGISTRY_FILES_MAX);
        return REGISTRY_UNKNOWN;
    }
    enum relance_status status = http_client_get(run->http, pieces, count, &code, &body, run->error);
    if (status != RELANCE_OK) return status == RELANCE_NO_MEMORY ? REGISTRY_NO_MEMORY : REGISTRY_AWAY;
    *answer = answer_read(run, body);
    const struct json *schema = *answer ? json_member(*answer, "schema") : NULL;
    if (code == 200 && schema && schema->kind == JSON_STRING) return REGISTRY_OK;
    return answer_refuse(run, *answer, code, what);
}

static bool is_there(const struct registry_schema *out, str name)
{
    for (size_t i = 0; i < out->count; i++)
        if (str_equal(out->files[i].name, name)) return true;
    return false;
}

/* Adds what an answer refers to, then itself: deepest first. The requests are bounded, so the files are. */
static enum registry_status add(struct registry_run *run, const struct json *answer, str name, unsigned depth)
{
    const struct json *references = json_member(answer, "references"), *next = NULL;
    const struct json *one = references && references->kind == JSON_ARRAY ? references->child : NULL;
    if (one && depth == REGISTRY_DEPTH_MAX) {
        relance_error_set(run->error, RELANCE_INVALID,
                          "a schema's references refer to others, and so on, too deep");
        return REGISTRY_UNKNOWN;
    }
    for (; one; one = one->next) {
        if (one->kind != JSON_OBJECT || is_there(run->out, text_of(one, "name"))) continue;
        str subject = text_of(one, "subject");
        str pieces[] = {STR("subjects"), subject, STR("versions"), text_of(one, "version")};
        enum registry_status status = ask(run, pieces, 4, subject, &next);
        if (status == REGISTRY_OK) status = add(run, next, text_of(one, "name"), depth + 1);
        if (status != REGISTRY_OK) return status;
    }
    run->out->files[run->out->count++] = (struct registry_file){name, json_member(answer, "schema")->text};
    return REGISTRY_OK;
}

enum registry_status registry_fetch(struct http_client *http, uint32_t id, struct arena *arena,
                                    struct registry_schema *out, struct relance_error *error)
{
    struct registry_run run = {.http = http, .arena = arena, .out = out, .error = error};
    char number[TEXT_NUMBER_SIZE];
    str which = {number, text_put_int(number, id)};
    str pieces[] = {STR("schemas"), STR("ids"), which};
    const struct json *answer;
    out->count = 0;
    enum registry_status status = ask(&run, pieces, 3, which, &answer);
    if (status != REGISTRY_OK) return status;
    out->type = text_of(answer, "schemaType");
    if (!out->type.size) out->type = STR("AVRO"); /* as old ones answer */
    return add(&run, answer, (str){0}, 0);
}
