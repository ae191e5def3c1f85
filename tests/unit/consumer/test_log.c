/* Log lines: what a reader of logfmt or JSON makes of a line is what was said, whatever stands in it. */
#include "base/str.h"
#include "heard.h"
#include "host/log.h"
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* One line, which ends as lines do. */
static void assert_line(const char *said)
{
    const char *end = strchr(said, '\n');
    cr_assert(end, "no end in: %s", said);
    cr_assert_eq(end[1], '\0', "more than a line: %s", said);
    cr_assert_leq(end + 1 - said, LOG_LINE_MAX);
    for (const char *c = said; c < end; c++)
        cr_assert((unsigned char)*c >= ' ', "byte %d in: %s", *c, said);
}

/* The fact of that name, as cJSON reads the object, or a quoted value of logfmt. */
static char *read_json(const char *said, const char *key)
{
    cJSON *whole = cJSON_Parse(said), *item = cJSON_GetObjectItemCaseSensitive(whole, key);
    cr_assert(whole, "no JSON: %s", said);
    char *value = !item                  ? NULL
                  : cJSON_IsString(item) ? strdup(item->valuestring)
                                         : cJSON_PrintUnformatted(item);
    cJSON_Delete(whole);
    return value;
}

/* A value of logfmt, bare or quoted; *end is behind it. */
static char *read_value(const char *value, const char **end)
{
    if (*value != '"') {
        *end = value + strcspn(value, " \n");
        cr_assert_gt(*end, value, "an empty value without quotes");
        cr_assert_not(memchr(value, '"', (size_t)(*end - value)), "a quote in: %s", value);
        return strndup(value, (size_t)(*end - value));
    }
    cJSON *read = cJSON_ParseWithOpts(value, end, false);
    cr_assert(cJSON_IsString(read), "not quoted well: %s", value);
    char *text = strdup(read->valuestring);
    cJSON_Delete(read);
    return text;
}

static char *read_logfmt(const char *said, const char *key)
{
    char *found = NULL;
    for (const char *at = said, *end; *at != '\n'; at = end + (*end == ' ')) {
        size_t name = strcspn(at, "= \"\n");
        cr_assert(name && at[name] == '=', "no key at: %s", at);
        char *value = read_value(at + name + 1, &end);
        cr_assert(*end == ' ' || *end == '\n', "no blank behind a value: %s", end);
        bool wanted = strlen(key) == name && strncmp(at, key, name) == 0;
        cr_assert_not(wanted && found, "%s is there twice", key);
        if (wanted)
            found = value;
        else
            free(value);
    }
    return found;
}

static const struct {
    const char *name;
    char *(*read)(const char *said, const char *key);
} forms[] = {{"text", read_logfmt}, {"json", read_json}};

static void expect_fact(size_t form, const char *said, const char *key, const char *value)
{
    char *found = forms[form].read(said, key);
    if (value)
        cr_expect(found && strcmp(found, value) == 0, "%s: %s is '%s', not '%s', in %s", forms[form].name,
                  key, found ? found : "nothing", value, said);
    else
        cr_expect_null(found, "%s has no room in %s", key, said);
    free(found);
}

Test(log, lines_say_when_how_grave_what_and_the_facts)
{
    static const char *const lines[] = {
        " level=warning msg=\"A sentence.\" partition=-3 count=7 ratio=0.5 name=a/b:c says=\"it is so\" "
        "set=\"retention.ms=60\"\n",
        ",\"level\":\"warning\",\"msg\":\"A "
        "sentence.\",\"partition\":-3,\"count\":7,\"ratio\":\"0.5\",\"name\":"
        "\"a/b:c\",\"says\":\"it is so\",\"set\":\"retention.ms=60\"}\n"};
    for (size_t f = 0; f < 2; f++) {
        cr_assert(log_set_format(forms[f].name));
        heard_begin();
        log_line(LOG_WARNING, "A sentence.",
                 "partition=%d count=%zu ratio=%g name=%s says=\"it is %.*s\" set=\"retention.ms=%lld\"", -3,
                 (size_t)7, 0.5, "a/b:c", 2, "so, or not", 60LL);
        const char *said = heard_end();
        assert_line(said);
        char *time = forms[f].read(said, "time");
        cr_expect(time && strlen(time) == 24 && time[23] == 'Z', "time is %s", time);
        free(time);
        cr_expect_str_eq(said + (f ? strlen("{\"time\":\"2026-03-02T10:00:00.120Z\"")
                                   : strlen("time=2026-03-02T10:00:00.120Z")),
                         lines[f]);
    }
}

Test(log, whatever_stands_in_a_value_is_read_back_from_one_line)
{
    static const struct {
        struct relance_str said;
        const char *read; /* NULL: the same */
    } values[] = {
        {STR("plain"), NULL},
        {STR(""), NULL},
        {STR(" "), NULL},
        {STR("a=b c=\"d\""), NULL},
        {STR("\" level=error msg=\"forged"), NULL},
        {STR("one\ntwo\r\nthree\ttabs"), NULL},
        {STR("time=2026-03-02T10:00:00.000Z level=error\n"), NULL},
        {STR("}\n{\"level\":\"error\"}"), NULL},
        {STR("back\\slash \\n \\"), NULL},
        {STR("\x1b[31mred\x1b[0m \x01\x1f\x7f"), NULL},
        {STR("Käse 日本 \U0001F600"), NULL},
        {STR("\u2028\u2029\u202eright to left\xc2\x85"), NULL},
        {STR("\xff\xfe"), "\ufffd\ufffd"},
        {STR("cut \xe2\x82"), "cut \ufffd\ufffd"},
        {STR("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"},
        {STR("\xc0\xaf"), "\ufffd\ufffd"},
        {STR("%s %n %d"), NULL},
        {STR("'single' `back` $(rm) &<>"), NULL},
    };
    for (size_t f = 0; f < 2; f++) {
        log_set_format(forms[f].name);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            heard_begin();
            log_line(LOG_ERROR, "Strangers say:", "a=%.*s b=\"%.*s\" c=\"<%s>\" last=%d",
                     STR_ARG(values[i].said), STR_ARG(values[i].said), values[i].said.data, 1);
            const char *said = heard_end(), *value = values[i].read ? values[i].read : values[i].said.data;
            char marked[256];
            snprintf(marked, sizeof marked, "<%s>", value);
            assert_line(said);
            expect_fact(f, said, "a", value);
            expect_fact(f, said, "b", value);
            expect_fact(f, said, "c", marked);
            expect_fact(f, said, "last", "1");
            expect_fact(f, said, "level", "error");
        }
    }
}

Test(log, all_bytes_of_a_counted_text_count)
{
    for (size_t f = 0; f < 2; f++) {
        log_set_format(forms[f].name);
        heard_begin();
        log_line(LOG_ERROR, "A key:", "key=%.*s", 3, "a\0b");
        const char *said = heard_end();
        assert_line(said);
        cr_expect(strstr(said, "\"a\\u0000b\""), "%s", said);
    }
}

Test(log, what_has_no_room_is_cut_at_a_character_and_a_line_stays_whole)
{
    static char large[3 * LOG_LINE_MAX];
    static const char *const fillings[] = {"x", "ä", "\n", "\x1b", "\"", "\xff", "日"};
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < sizeof fillings / sizeof *fillings; i++) {
            *large = '\0';
            for (size_t size = 0; size + 8 < sizeof large; size += strlen(fillings[i]))
                strcpy(large + size, fillings[i]);
            log_set_format(forms[f].name);
            heard_begin();
            log_line(LOG_ERROR, "Much:", "a=%s n=%d b=%s c=%s", large, 17, large, large);
            const char *said = heard_end();
            assert_line(said);
            expect_fact(f, said, "n", "17");
            expect_fact(f, said, "c", NULL);
            char *a = forms[f].read(said, "a"), *b = forms[f].read(said, "b");
            cr_assert(a && b);
            cr_expect_gt(strlen(a), 300u);
            cr_expect_str_eq(a + strlen(a) - strlen("\u2026"), "\u2026");
            cr_expect_str_eq(b + strlen(b) - strlen("\u2026"), "\u2026");
            free(a), free(b);
        }
}

/* A fact after the other comes to the end of the room: at each place in it the line is whole. */
Test(log, a_line_is_whole_wherever_its_room_ends)
{
    char filling[2600];
    for (size_t f = 0; f < 2; f++)
        for (size_t size = 1700; size < sizeof filling; size++) {
            memset(filling, 'x', size);
            log_set_format(forms[f].name);
            heard_begin();
            log_line(LOG_ERROR, "Much:", "a=%.*s b=%.*s empty=%s n=%d word=%s quoted=\"%s\" last=%d",
                     (int)(size / 2 * 2), filling, (int)size, filling, "", 17, "w", "a b", 1);
            const char *said = heard_end();
            assert_line(said);
            char *last = forms[f].read(said, "last"), *first = forms[f].read(said, "a");
            cr_expect(first);
            cr_expect(!last || strcmp(last, "1") == 0);
            free(last), free(first);
        }
}

Test(log, counts_are_facts_whose_names_are_known_later)
{
    const struct log_count counts[] = {{STR("records"), 12}, {STR("dead.json"), INT64_MIN}};
    for (size_t f = 0; f < 2; f++) {
        log_set_format(forms[f].name);
        heard_begin();
        log_counts(LOG_INFO, "In all:", counts, 2);
        const char *said = heard_end();
        assert_line(said);
        cr_expect(strstr(said, f ? "\"records\":12,\"dead.json\":-9223372036854775808}"
                                 : " records=12 dead.json=-9223372036854775808\n"),
                  "%s", said);
    }
}

Test(log, secrets_are_blotted_out_before_anything_is_escaped)
{
    log_hide(STR("hush\"\n\\hush"));
    for (size_t f = 0; f < 2; f++) {
        log_set_format(forms[f].name);
        heard_begin();
        log_line(LOG_ERROR, "A library says:", "says=\"<%s>\"", "hush\"\n\\hush");
        const char *said = heard_end();
        assert_line(said);
        expect_fact(f, said, "says", "<***********>");
    }
}

Test(log, what_is_below_the_level_is_not_said)
{
    cr_assert(log_set_level("warning"));
    heard_begin();
    log_line(LOG_INFO, "Not this.", "a=%d", 1);
    log_counts(LOG_INFO, "Nor this.", NULL, 0);
    log_line(LOG_WARNING, "But this.", "a=%d", 1);
    const char *said = heard_end();
    assert_line(said);
    cr_expect(strstr(said, "But this."));
    cr_expect_not(log_set_level("loud"));
    cr_expect_not(log_set_format("xml"));
}
