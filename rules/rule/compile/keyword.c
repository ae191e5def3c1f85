#include "rule/compile/keyword.h"

#include "base/duration.h"
#include "base/nearest.h"
#include "rule/compile/meant.h"

const struct keyword keywords[] = {
#define KEYWORD(place, name, form, prose)                                                                    \
    {PLACE_##place, {name, sizeof name - 1}, FORM_##form, {prose, sizeof prose - 1}},
#include "rule/compile/keyword.def"
#undef KEYWORD
};
const size_t keyword_count = sizeof keywords / sizeof *keywords;

static const struct keyword *keyword_find(enum keyword_place place, str name)
{
    for (size_t i = 0; i < keyword_count; i++)
        if (keywords[i].place == place && str_equal(keywords[i].name, name)) return &keywords[i];
    return NULL;
}

bool keyword_is_texts(const struct json *node)
{
    if (node->kind != JSON_ARRAY) return false;
    for (const struct json *item = node->child; item; item = item->next)
        if (item->kind != JSON_STRING) return false;
    return true;
}

/* What a form asks for, as messages say it; NULL: the value is fine. */
static const char *form_wants(enum keyword_form form, const struct json *value)
{
    int64_t ms;
    bool text = value->kind == JSON_STRING;
    switch (form) {
    case FORM_TEXT: return text ? NULL : "a string";
    case FORM_CEL: return text ? NULL : "an expression in a string, such as \"event.total > 50.0\"";
    case FORM_OBJECT: return value->kind == JSON_OBJECT ? NULL : "an object";
    case FORM_LIST: return value->kind == JSON_ARRAY ? NULL : "a list";
    case FORM_RULES:
        return (keyword_is_texts(value) && value->child) || (text && str_equal(value->text, STR("*")))
                   ? NULL
                   : "a list of rules, or \"*\"";
    case FORM_TEXTS: return keyword_is_texts(value) ? NULL : "a list of strings";
    case FORM_EVENTS:
        return text || (keyword_is_texts(value) && value->child) ? NULL : "an event type or a list of them";
    case FORM_DURATION:
        return text && duration_parse(value->text, &ms) ? NULL
                                                        : "a duration, such as \"45m\", \"1h30m\" or \"7d\"";
    case FORM_INTEGER: {
        bool whole = value->kind == JSON_NUMBER && value->number >= -9007199254740992.0 &&
                     value->number <= 9007199254740992.0 && value->number == (double)(int64_t)value->number;
        return whole ? NULL : "a whole number";
    }
    case FORM_NUMBER: return value->kind == JSON_NUMBER ? NULL : "a number";
    case FORM_BOOL: return value->kind == JSON_BOOL ? NULL : "true or false";
    case FORM_TRIGGER:
    case FORM_CANCELS:
    case FORM_WAIT:
    case FORM_PAYLOAD: break;
    case FORM_COOLDOWN:
        return value->kind == JSON_OBJECT || (text && duration_parse(value->text, &ms))
                   ? NULL
                   : "a duration, such as \"7d\", or an object with 'for' and 'per'";
    }
    return NULL;
}

/* Where a keyword that is not known here belongs: a rule or a step, else the one place that has it. */
static str place_hint(str name)
{
    static const str places[] = {
        [PLACE_SET] = STR("a file has it"),
        [PLACE_ATTRIBUTE] = STR("an attribute has it"),
        [PLACE_COUNT] = STR("a count has it"),
        [PLACE_RULE] = STR("a rule has it"),
        [PLACE_CANCEL] = STR("'cancel' has it"),
        [PLACE_COOLDOWN] = STR("'cooldown' has it"),
        [PLACE_STEP] = STR("a step has it"),
        [PLACE_WAIT] = STR("'wait' has it"),
        [PLACE_LIMIT] = STR("a limit has it"),
        [PLACE_GOAL] = STR("'goal' has it"),
        [PLACE_ON] = STR("'on' has it"),
        [PLACE_TEST] = STR("a test has it"),
        [PLACE_EXPECT] = STR("'expect' has it"),
        [PLACE_SALES] = STR("'sales' has it"),
        [PLACE_ORDER] = STR("'order' has it"),
        [PLACE_REFUND] = STR("'refund' has it"),
        [PLACE_TOTAL] = STR("a total has it"),
        [PLACE_LIST] = STR("a list has it"),
        [PLACE_AFFINITY] = STR("an affinity has it"),
        [PLACE_FROM] = STR("'from' has it"),
    };
    const struct keyword *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < keyword_count; i++) {
        enum keyword_place place = keywords[i].place;
        if (!str_equal(keywords[i].name, name)) continue;
        if (place == PLACE_RULE || place == PLACE_STEP) return places[place];
        if (place == PLACE_LIST && only && only->place == PLACE_COUNT) continue; /* a count is meant */
        only = &keywords[i];
        count++;
    }
    return count == 1 ? places[only->place] : (str){0};
}

static void refuse_unknown(const struct source *source, const struct json *member, enum keyword_place place,
                           const char *what, struct diagnostics *diag)
{
    struct nearest nearest = nearest_to(member->key);
    for (size_t i = 0; i < keyword_count && !diag_is_full(diag); i++)
        if (keywords[i].place == place) nearest_offer(&nearest, keywords[i].name);
    str hint = place_hint(member->key);
    if (!hint.size) hint = nearest_hint(&nearest, diag->arena);
    diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, member->key_begin, member->key_end,
             hint, "%s has no keyword '%.*s'", what, STR_ARG(member->key));
}

static str duration_cure(enum keyword_form form, const struct json *value, struct arena *arena)
{
    bool duration = form == FORM_DURATION || form == FORM_COOLDOWN;
    if (!duration || value->kind != JSON_STRING) return (str){0};
    if (form == FORM_COOLDOWN && str_equal(value->text, STR("ever"))) return STR("write {\"for\": \"ever\"}");
    return meant_duration(arena, value->text);
}

static bool keyword_check_member(const struct source *source, const struct json *member,
                                 enum keyword_place place, const char *what, struct diagnostics *diag)
{
    struct origin origin = {.source = source};
    const struct keyword *keyword = keyword_find(place, member->key);
    if (!keyword) {
        refuse_unknown(source, member, place, what, diag);
        return false;
    }
    const char *wanted = form_wants(keyword->form, member);
    if (!wanted) return true;
    diag_add(diag, SEVERITY_ERROR, origin, member->begin, member->end,
             duration_cure(keyword->form, member, diag->arena), "'%.*s' must be %s", STR_ARG(keyword->name),
             wanted);
    return false;
}

bool keyword_check(const struct source *source, const struct json *object, enum keyword_place place,
                   const char *what, struct diagnostics *diag)
{
    if (object->kind != JSON_OBJECT) {
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, object->begin, object->end,
                 (str){0}, "%s must be an object", what);
        return false;
    }
    bool fine = true;
    for (const struct json *member = object->child; member; member = member->next)
        fine &= keyword_check_member(source, member, place, what, diag);
    return fine;
}

const struct json *keyword_get(const struct json *object, enum keyword_place place, const char *name)
{
    const struct json *member = json_member(object, name);
    const struct keyword *keyword = keyword_find(place, str_of(name));
    return member && !form_wants(keyword->form, member) ? member : NULL;
}
