/* Values that do not fit, in words. */
#include "event/misfit.h"

enum { MISFIT_SHOWN_MAX = 60 /* bytes of a value */ };

void event_put_misfit(struct buffer *out, const struct relance_misfit *misfit)
{
    size_t shown = misfit->value.size;
    if (shown > MISFIT_SHOWN_MAX)
        for (shown = MISFIT_SHOWN_MAX; shown && ((unsigned char)misfit->value.data[shown] & 0xC0) == 0x80;)
            shown--;
    buffer_put_format(out, "%.*s is no %.*s: %.*s%s", STR_ARG(misfit->field), STR_ARG(misfit->type),
                      (int)shown, misfit->value.data, shown < misfit->value.size ? "..." : "");
}

size_t relance_misfit_tell(const struct relance_misfit *misfit, char *out, size_t size)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    event_put_misfit(&text, misfit);
    size_t wanted = buffer_copy(&text, out, size);
    arena_free(&arena);
    return wanted;
}
