/* The mappings that ship, rules/presets/NAME.jsonc, as they are built into the program. */
#ifndef CONSUMER_HOST_PRESET_H
#define CONSUMER_HOST_PRESET_H

#include <relance/text.h>
#include <stdbool.h>

struct preset {
    const char *name; /* "segment"; NULL behind the last */
    const struct relance_str *text;
};
extern const struct preset preset_table[]; /* in the order of their names; made when the program is */

/* The text of the preset of that name, a constant; false: there is none. */
bool preset_find(struct relance_str name, struct relance_str *text);
/* The name that a misspelt one was meant for; empty: none is near. */
struct relance_str preset_nearest(struct relance_str name);

/* What a preset is for: the first sentence of its comment, behind the title. As snprintf: returns the bytes wanted. */
size_t preset_prose(const struct preset *preset, char *out, size_t size);

#endif
