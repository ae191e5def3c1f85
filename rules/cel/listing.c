/* The functions of the language, told in the order of func.def, and the macros behind them; and what names they take. */
#include "cel/ast.h"

/* A row of func.def: a heading, a form of the language itself, or (all NULL) the next of func_rows. */
static const struct entry {
    const char *group, *form, *prose;
} entries[] = {
#define CEL_GROUP(text)                                            {.group = text},
#define CEL_SYNTAX(text, sentence)                                 {.form = text, .prose = sentence},
#define CEL_FUNC(body, style, name, result, p, text, call, equals) {0},
#include "cel/func.def"
#undef CEL_FUNC
};

static bool show_overload(cel_row_show *show, void *context, const char *group, const struct overload *row)
{
    if (row->name[0] == '@') return true; /* what a macro alone may call */
    struct arena arena;
    arena_init(&arena, 0);
    str form = overload_form(&arena, row);
    struct cel_row shown = {str_of(group), form, str_of(row->prose), str_of(row->example),
                            str_of(row->value)};
    if (form.size) show(context, &shown);
    arena_free(&arena);
    return form.size > 0;
}

/* A macro's forms, "x.map(e, v) or x.map(e, c, v)", a row each. */
static void show_macro(cel_row_show *show, void *context, str forms, str prose)
{
    const str group = STR("Loops and bindings"), between = STR(" or ");
    for (const char *end; (end = memmem(forms.data, forms.size, between.data, between.size));) {
        size_t size = (size_t)(end - forms.data);
        show(context, &(struct cel_row){.group = group, .form = str_slice(forms, 0, size), .prose = prose});
        forms = str_slice(forms, size + between.size, forms.size);
    }
    show(context, &(struct cel_row){.group = group, .form = forms, .prose = prose});
}

bool cel_function_rows(cel_row_show *show, void *context)
{
    const struct overload *row = func_rows;
    const char *group = NULL, *form, *prose;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct entry *entry = &entries[i];
        if (entry->group)
            group = entry->group;
        else if (entry->form)
            show(context, &(struct cel_row){.group = str_of(group),
                                            .form = str_of(entry->form),
                                            .prose = str_of(entry->prose)});
        else if (!show_overload(show, context, group, row++))
            return false;
    }
    for (size_t at = 0; macro_row(&at, &form, &prose);)
        show_macro(show, context, str_of(form), str_of(prose));
    return true;
}

bool cel_is_taken(str name)
{
    static const str words[] = {STR("true"), STR("false"), STR("null")};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_equal(name, words[i])) return true;
    for (size_t i = 0; i < func_row_count; i++) {
        str row = str_of(func_rows[i].name);
        bool begins = func_rows[i].style == FUNC_GLOBAL && str_starts_with(row, name);
        if (begins && (row.size == name.size || row.data[name.size] == '.')) return true;
    }
    return parse_is_reserved(name) || check_is_type(name) || macro_is_named(name);
}
