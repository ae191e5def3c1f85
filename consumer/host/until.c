#include "host/until.h"
#include "base/duration.h"
#include "host/print.h"
#include "host/text.h"

bool until_read(const char *text, struct until *until)
{
    *until = (struct until){RELANCE_NEVER, RELANCE_NEVER};
    if (!text) return true;
    struct relance_str given = str_of(text);
    if (duration_parse_fine(given, &until->after_ms) || text_instant(given, &until->instant_ms)) return true;
    print_mistake(
        "--until: '%s' is neither an instant such as 2026-03-02T10:00:00Z nor a duration such as 7d", text);
    return false;
}

bool wall_read(const char *text, int64_t *wall_ms)
{
    *wall_ms = RELANCE_NEVER;
    if (!text || text_instant(str_of(text), wall_ms)) return true;
    print_mistake("--wall: '%s' is no instant such as 2026-03-02T10:00:00Z", text);
    return false;
}

int64_t until_instant(const struct until *until, const struct relance_engine *engine, bool any)
{
    int64_t instant_ms;
    if (until->after_ms == RELANCE_NEVER || !any) return until->instant_ms;
    if (__builtin_add_overflow(relance_engine_newest(engine), until->after_ms, &instant_ms))
        return RELANCE_NEVER - 1;
    return instant_ms;
}
