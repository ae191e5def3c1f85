/* A channel may have any sign in it, and a form has one at most: what stands before it is read from the front, what stands
 * behind it from the end. No other word has a point or a colon. */
#include "report/sales_name.h"

#include <ctype.h>

const struct sales_form sales_forms[RELANCE_SALES_COUNT] = {
#define SALES_FORM(NAME, tables, name, is_money, prose) {name, prose, is_money},
    RELANCE_SALES_TABLE(SALES_FORM)
#undef SALES_FORM
};

const char *const sales_word_labels[SALES_WORDS] = {
#define SALES_WORD(NAME, label) label,
    SALES_WORD_TABLE(SALES_WORD)
#undef SALES_WORD
};

static const str words[SALES_WORDS] = {
#define SALES_WORD(NAME, label) STR(#NAME),
    SALES_WORD_TABLE(SALES_WORD)
#undef SALES_WORD
};

/* Which word in capitals it is; SALES_WORDS: it stands for itself. */
static enum sales_word word_of(str part)
{
    int i = 0;
    while (i < SALES_WORDS && !str_equal(words[i], part))
        i++;
    return (enum sales_word)i;
}

static bool is_end(char c)
{
    return c == '.' || c == ':';
}

/* Takes what stands before the first point or colon off; the sign stays in front of the rest. */
static str take_first(str *text)
{
    size_t size = 0;
    while (size < text->size && !is_end(text->data[size]))
        size++;
    str part = {text->data, size};
    *text = str_slice(*text, size, text->size);
    return part;
}

/* Likewise what stands behind the last one. */
static str take_last(str *text)
{
    size_t begin = text->size;
    while (begin && !is_end(text->data[begin - 1]))
        begin--;
    str part = str_slice(*text, begin, text->size);
    text->size = begin;
    return part;
}

static bool take_sign(str *form, str *name, bool first)
{
    if (!form->size || !name->size) return false;
    size_t at = first ? 0 : form->size - 1, there = first ? 0 : name->size - 1;
    bool same = form->data[at] == name->data[there];
    if (first) form->data++, name->data++;
    form->size--, name->size--;
    return same;
}

static bool part_fits(struct sales_name *out, str wanted, str part)
{
    enum sales_word word = word_of(wanted);
    if (word == SALES_WORDS) return str_equal(wanted, part);
    out->words[word] = part;
    return part.size;
}

bool sales_has_no_words(enum relance_sales sum)
{
    for (const char *at = sales_forms[sum].name; *at; at++)
        if (isupper((unsigned char)*at)) return false;
    return true;
}

static bool read_back(struct sales_name *out, str form, str name)
{
    while (word_of(form) != SALES_CH) {
        if (!part_fits(out, take_last(&form), take_last(&name))) return false;
        if (!take_sign(&form, &name, false)) return false;
    }
    out->words[SALES_CH] = name;
    return name.size;
}

static bool read_form(struct sales_name *out, str form, str name)
{
    for (;;) {
        str rest = form;
        if (word_of(take_first(&rest)) == SALES_CH) return read_back(out, form, name);
        if (!part_fits(out, take_first(&form), take_first(&name))) return false;
        if (!form.size || !name.size) return !form.size && !name.size;
        if (!take_sign(&form, &name, true)) return false;
    }
}

bool sales_name_read(str name, struct sales_name *out)
{
    for (int sum = 0; sum < RELANCE_SALES_COUNT; sum++) {
        *out = (struct sales_name){.sum = (enum relance_sales)sum};
        if (read_form(out, str_of(sales_forms[sum].name), name)) return true;
    }
    return false;
}
