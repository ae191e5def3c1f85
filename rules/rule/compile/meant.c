#include "rule/compile/meant.h"

#include "base/buffer.h"
#include "base/duration.h"

struct reader {
    str text;
    size_t at;
    struct buffer *out;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.size ? r->text.data[r->at] : '\0';
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ')
        r->at++;
}

static str read_word(struct reader *r)
{
    size_t begin = r->at;
    while (is_letter(peek(r)))
        r->at++;
    return str_slice(r->text, begin, r->at);
}

static unsigned read_number(struct reader *r)
{
    unsigned number = 0;
    for (; is_digit(peek(r)); r->at++)
        number = number < 10000 ? number * 10 + (unsigned)(peek(r) - '0') : number;
    return number;
}

/* Of at least `least` letters, in whatever case. */
static bool begins(str word, str whole, size_t least)
{
    if (word.size < least || word.size > whole.size) return false;
    for (size_t i = 0; i < word.size; i++)
        if ((word.data[i] | 0x20) != whole.data[i]) return false;
    return true;
}

/* ---- days and times of day */

static str days_named(str word)
{
    static const struct {
        str name, days;
        size_t least; /* letters that tell it */
    } names[] = {{STR("mondays"), STR("mon"), 2},      {STR("tuesdays"), STR("tue"), 2},
                 {STR("wednesdays"), STR("wed"), 2},   {STR("thursdays"), STR("thu"), 2},
                 {STR("fridays"), STR("fri"), 2},      {STR("saturdays"), STR("sat"), 2},
                 {STR("sundays"), STR("sun"), 2},      {STR("weekdays"), STR("mon-fri"), 7},
                 {STR("weekends"), STR("sat,sun"), 7}, {STR("workdays"), STR("mon-fri"), 7}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(word, names[i].name, names[i].least)) return names[i].days;
    return word;
}

/* "9", "9:30", "9 pm" */
static void copy_time(struct reader *r)
{
    unsigned hours = read_number(r), minutes = 0;
    if (peek(r) == ':') {
        r->at++;
        minutes = read_number(r);
    }
    struct reader behind = *r;
    skip_blanks(&behind);
    str half = read_word(&behind);
    bool am = begins(half, STR("am"), 2), pm = begins(half, STR("pm"), 2);
    if ((am || pm) && hours <= 12) {
        hours = hours % 12 + (pm ? 12 : 0);
        r->at = behind.at;
    }
    buffer_put_format(r->out, "%02u:%02u", hours, minutes);
}

str meant_times(struct arena *arena, str text)
{
    struct buffer out;
    struct reader r = {text, 0, &out};
    bool blank = false, joined = true;
    buffer_init(&out, arena);
    for (char c; (c = peek(&r)) != '\0';) {
        if (c == ' ') {
            blank = true;
            r.at++;
            continue;
        }
        bool joins = c == '-' || c == ',';
        if (blank && !joined && !joins) buffer_put_char(&out, ' ');
        blank = false, joined = joins;
        if (is_digit(c))
            copy_time(&r);
        else if (is_letter(c))
            buffer_put_str(&out, days_named(read_word(&r)));
        else
            buffer_put_char(&out, r.text.data[r.at++]);
    }
    return out.failed ? (str){0} : buffer_str(&out);
}

/* ---- durations */

static char unit_named(str word)
{
    static const str units[] = {STR("weeks"), STR("days"),    STR("hrs"),  STR("hours"),
                                STR("mins"),  STR("minutes"), STR("secs"), STR("seconds")};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (begins(word, units[i], 1)) return units[i].data[0];
    return '\0';
}

str meant_duration(struct arena *arena, str text)
{
    struct buffer out;
    struct reader r = {text, 0, &out};
    int64_t ms;
    buffer_init(&out, arena);
    for (skip_blanks(&r); r.at < text.size; skip_blanks(&r)) {
        size_t begin = r.at;
        while (is_digit(peek(&r)))
            r.at++;
        buffer_put_str(&out, str_slice(text, begin, r.at));
        skip_blanks(&r);
        char unit = unit_named(read_word(&r));
        if (r.at == begin || !unit) return (str){0};
        buffer_put_char(&out, unit);
    }
    bool meant = !out.failed && duration_parse(buffer_str(&out), &ms);
    return meant ? arena_format(arena, "write \"%.*s\"", STR_ARG(buffer_str(&out))) : (str){0};
}
