/* A small shop for tests of expressions: the names, types and values that they speak of. */
#ifndef TESTS_CEL_WORLD_H
#define TESTS_CEL_WORLD_H

#include "cel/cel.h"

enum cel_world_slot {
    /* event */
    WORLD_PRODUCT,
    WORLD_TOTAL,
    WORLD_QTY,
    WORLD_VIP,
    WORLD_ITEMS,
    WORLD_TAGS,
    WORLD_TIME,
    WORLD_COUPON,
    /* last.purchase */
    WORLD_LAST_TOTAL,
    WORLD_LAST_ORDER,
    WORLD_LAST_THERE,
    WORLD_NAME,
    WORLD_SCORE,
    WORLD_NOW,
    WORLD_ANY,
    WORLD_COUNTS,
    WORLD_LAZY,
    WORLD_SLOTS,
};

struct cel_world {
    struct arena arena, scratch;
    struct zones *zones;
    struct cel_env *env;
    struct cel_value slots[WORLD_SLOTS];
    struct cel_frame frame;
    size_t resolved, called;
    atomic_int stop;  /* what frame.stop points to */
    size_t stop_call; /* the call of the host at which it is raised; 0: none */
};

void cel_world_begin(struct cel_world *world);
void cel_world_end(struct cel_world *world);
/* Compiles without a file; NULL and *diag filled when it cannot. */
struct cel_program *cel_world_compile(struct cel_world *world, str text, struct diagnostics *diag);
/* Compiles and evaluates; the value as JSON, or "error: …", or "mistake: …". */
str cel_world_show(struct cel_world *world, const char *text);

#endif
