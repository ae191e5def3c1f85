/* Explaining from the inside: an expression that is taken apart, for explain.c and picks.c. */
#ifndef RULES_CEL_EXPLAINING_H
#define RULES_CEL_EXPLAINING_H

#include "cel/code.h"
#include "cel/explain.h"

enum { SHOWN_MAX = 32 };

/* A name that a part inside of what binds it is to be asked with. */
struct bound {
    struct local *local;
    struct node *value;
    const struct bound *outer; /* NULL: none */
};

struct explaining {
    struct compile c;
    struct cel_frame *frame;
    struct buffer *out;
    const struct bound *bound;
    size_t parts; /* told so far */
    bool failing; /* the part: its operands need not say the same */
    size_t operands;
    str shown[SHOWN_MAX]; /* operands of this part: each once */
    size_t shown_count;
};

/* What a part comes to by itself, the names around it being bound. */
struct cel_value explaining_value(struct explaining *x, struct node *node);
/* Why a condition, which is not `wanted`, is not, into x->out. */
void explaining_why(struct explaining *x, struct node *node, bool wanted);

#endif
