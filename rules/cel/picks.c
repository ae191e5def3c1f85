/* From a call upwards: each operation on the way either drops elements, or changes all of them, or ends the list. What stands
 * where is followed by place, since an operation may make something else of each element. */
#include "cel/picks.h"

#include "cel/explaining.h"

#include <stdlib.h>

enum { GONE = UINT32_MAX };

struct trail {
    struct trail *next; /* the one found before */
    struct cel_picks *picks;
    uint32_t *at;               /* by element: where it stands now; GONE: something has left it out */
    const struct cel_list *now; /* what the operation before gave */
    bool is_open;               /* it may still go on */
};

struct picking {
    struct explaining x;
    const struct cel_picking *asked;
    struct trail *newest;
    struct cel_picks **end;
};

/* ---- trails */

static void trail_close(struct trail *trail, bool is_taken)
{
    trail->is_open = false;
    trail->picks->is_taken = is_taken;
}

/* All that have begun since, and go on. */
#define TRAILS_EACH(p, since, trail)                                                                         \
    for (struct trail *trail = (p)->newest; trail != (since); trail = trail->next)                           \
        if (trail->is_open)

/* What they were made into goes on, or is sent. */
static void trails_take(struct picking *p, const struct trail *since)
{
    TRAILS_EACH(p, since, trail)
    trail_close(trail, true);
}

/* Whatever they were made into, it has only been asked about. */
static void trails_ask(struct picking *p, const struct trail *since)
{
    for (struct trail *trail = p->newest; trail != since; trail = trail->next)
        trail_close(trail, false);
}

static void trail_drop(struct trail *trail, size_t element, str why, bool by_value)
{
    trail->at[element] = GONE;
    trail->picks->picks[element] = (struct cel_pick){why, by_value};
}

static void trail_begin(struct picking *p, const struct cel_list *list, void *tag)
{
    struct arena *arena = p->x.c.scratch;
    struct trail *trail = ARENA_NEW(arena, struct trail);
    struct cel_picks *picks = ARENA_NEW(arena, struct cel_picks);
    uint32_t *at = arena_alloc(arena, (list->count + 1) * sizeof *at);
    struct cel_pick *each = ARENA_ARRAY(arena, struct cel_pick, list->count + 1);
    if (!trail || !picks || !at || !each) {
        p->x.c.failed = true;
        return;
    }
    for (uint32_t i = 0; i < list->count; i++)
        at[i] = i;
    *picks = (struct cel_picks){.tag = tag, .list = list, .picks = each};
    *trail = (struct trail){.next = p->newest, .picks = picks, .at = at, .now = list, .is_open = true};
    p->newest = trail;
    *p->end = picks;
    p->end = &picks->next;
}

/* ---- operations that give another list, or one of its elements */

static bool equal(struct picking *p, struct cel_value a, struct cel_value b)
{
    struct buffer one, other;
    if (a.kind != b.kind) return false;
    if (a.kind == CEL_STRING) return str_equal(cel_text(a), cel_text(b));
    buffer_init(&one, p->x.c.scratch);
    buffer_init(&other, p->x.c.scratch);
    return cel_print_json(a, &one) && cel_print_json(b, &other) &&
           str_equal(buffer_str(&one), buffer_str(&other));
}

static uint32_t place_in(struct picking *p, const struct cel_value *items, size_t count,
                         struct cel_value item)
{
    for (uint32_t i = 0; i < count; i++)
        if (equal(p, items[i], item)) return i;
    return GONE;
}

/* ".take(3)" without its dot; what is no method, whole. */
static str operation_text(const struct picking *p, const struct node *node)
{
    str whole = node_text(&p->x.c, node);
    bool method = node->kind == NODE_CALL && node->method && node->name_span.begin >= node->span.begin &&
                  node->name_span.end <= node->span.end;
    if (!method) return whole;
    size_t brackets = span_text(&p->x.c, node->span).size - whole.size;
    return span_text(&p->x.c,
                     (struct span){node->name_span.begin, node->span.end - (uint32_t)(brackets / 2)});
}

static str explained_text(struct picking *p, str text)
{
    struct buffer out;
    buffer_init(&out, p->x.c.scratch);
    cel_explain_text(text, &out);
    p->x.c.failed |= out.failed;
    return buffer_str(&out);
}

/* What of it is in these; where none is, though there are some, all have become something else. */
static void trail_match(struct picking *p, struct trail *trail, const struct node *node,
                        const struct cel_value *items, size_t count)
{
    size_t elements = trail->picks->list->count, there = 0, found = 0;
    uint32_t *at = arena_alloc(p->x.c.scratch, (elements + 1) * sizeof *at);
    if (!at) p->x.c.failed = true;
    for (size_t i = 0; i < elements && at; i++) {
        at[i] = trail->at[i] == GONE ? GONE : place_in(p, items, count, trail->now->items[trail->at[i]]);
        there += trail->at[i] != GONE;
        found += at[i] != GONE;
    }
    if (!at || (there && !found && count)) {
        trail_close(trail, true);
        return;
    }
    str why = found < there ? explained_text(p, operation_text(p, node)) : (str){0};
    for (size_t i = 0; i < elements; i++) {
        if (trail->at[i] != GONE && at[i] == GONE)
            trail_drop(trail, i, why, false);
        else
            trail->at[i] = at[i];
    }
}

static bool is_join(const struct node *node)
{
    return node->kind == NODE_CALL && str_equal(node->name, STR("join"));
}

static void trail_take(struct picking *p, struct trail *trail, const struct node *node,
                       struct cel_value value)
{
    if (value.kind == CEL_OPTIONAL && value.as.optional) value = *value.as.optional;
    switch (value.kind) {
    case CEL_LIST:
        trail_match(p, trail, node, value.as.list->items, value.as.list->count);
        if (trail->is_open) trail->now = value.as.list;
        break;
    case CEL_STRING: /* one of them, or what is made of all */
        if (!is_join(node)) trail_match(p, trail, node, &value, 1);
        if (trail->is_open) trail_close(trail, true);
        break;
    default: trail_close(trail, true); break;
    }
}

static void operate(struct picking *p, const struct trail *since, struct node *node)
{
    if (p->newest == since) return;
    struct cel_value value = explaining_value(&p->x, node);
    bool asks = value.kind == CEL_BOOL || value.kind == CEL_INT || value.kind == CEL_UINT ||
                value.kind == CEL_DOUBLE || value.kind == CEL_ERROR;
    if (asks) trails_ask(p, since);
    TRAILS_EACH(p, since, trail)
    trail_take(p, trail, node, value);
}

/* ---- loops */

static struct node *constant(struct picking *p, struct cel_value value, const struct cel_type *type)
{
    struct node *node = node_new(&p->x.c, NODE_CONSTANT, (struct span){0, 0});
    value.spare = CEL_KEPT;
    node->value = value;
    node->type = type ? type : &cel_types[CEL_TYPE_DYN];
    return node;
}

/* Does the condition hold for that element of the range? If not, *why says so. */
static bool holds_for(struct picking *p, const struct node *loop, struct node *condition,
                      const struct cel_list *range, size_t at, str *why)
{
    struct explaining *x = &p->x;
    bool numbered = loop->local2;
    struct local *name = numbered ? loop->local2 : loop->local;
    const struct bound *around = x->bound;
    const struct bound place = {loop->local, constant(p, cel_int((int64_t)at), loop->local->type), around};
    const struct bound element = {name, constant(p, range->items[at], name->type),
                                  numbered ? &place : around};
    x->bound = &element;
    struct cel_value value = explaining_value(x, condition);
    bool holds = value.kind == CEL_BOOL && value.as.b;
    if (!holds && why) {
        struct buffer out;
        buffer_init(&out, x->c.scratch);
        x->out = &out;
        x->parts = 0;
        explaining_why(x, condition, true);
        x->c.failed |= out.failed;
        *why = buffer_str(&out);
    }
    x->bound = around;
    return holds;
}

/* A list of those for which the condition holds, or of what they become. */
static void loop_keep(struct picking *p, const struct trail *since, struct node *loop,
                      const struct cel_list *range, const struct cel_list *result)
{
    struct arena *arena = p->x.c.scratch;
    uint32_t *places = arena_alloc(arena, (range->count + 1) * sizeof *places), kept = 0;
    str *whys = ARENA_ARRAY(arena, str, range->count + 1);
    struct node *condition = loop->children[1];
    for (size_t i = 0; places && whys && i < range->count; i++)
        places[i] = !condition || holds_for(p, loop, condition, range, i, &whys[i]) ? kept++ : GONE;
    if (!places || !whys) p->x.c.failed = true;
    TRAILS_EACH(p, since, trail)
    {
        if (p->x.c.failed || kept != result->count) trail_close(trail, true);
        for (size_t i = 0; trail->is_open && i < trail->picks->list->count; i++) {
            uint32_t at = trail->at[i];
            if (at == GONE) continue;
            if (places[at] == GONE)
                trail_drop(trail, i, whys[at], true);
            else
                trail->at[i] = places[at];
        }
        trail->now = result;
    }
}

/* all, exists, and what has failed: for which of them it does not hold. */
static void loop_ask(struct picking *p, const struct trail *since, struct node *loop, struct node *condition,
                     const struct cel_list *range)
{
    TRAILS_EACH(p, since, trail)
    for (size_t i = 0; i < trail->picks->list->count; i++) {
        str why = {0};
        if (trail->at[i] != GONE && !holds_for(p, loop, condition, range, trail->at[i], &why))
            trail_drop(trail, i, why, true);
    }
    trails_ask(p, since);
}

static void loop_over(struct picking *p, const struct trail *since, struct node *loop)
{
    if (p->newest == since) return;
    struct cel_value range = explaining_value(&p->x, loop->children[0]),
                     result = explaining_value(&p->x, loop);
    bool asks = loop->loop == LOOP_ALL || loop->loop == LOOP_EXISTS || loop->loop == LOOP_ONE;
    struct node *condition = loop->children[asks ? 2 : 1];
    if (range.kind == CEL_LIST && loop->loop == LOOP_LIST && result.kind == CEL_LIST)
        loop_keep(p, since, loop, range.as.list, result.as.list);
    else if (range.kind == CEL_LIST && condition && (asks || result.kind == CEL_ERROR))
        loop_ask(p, since, loop, condition, range.as.list);
    else
        trails_take(p, since);
}

/* ---- the tree */

static void follow(struct picking *p, struct node *node);

static bool is_meant(const struct picking *p, const struct node *node)
{
    const struct overload *overload = node->kind == NODE_CALL ? node->overload : NULL;
    return overload && !overload->body && overload->number >= p->asked->first;
}

static void follow_children(struct picking *p, struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]) follow(p, node->children[i]);
}

static void follow_call(struct picking *p, struct node *node)
{
    const struct trail *since = p->newest;
    follow_children(p, node);
    if (!is_meant(p, node)) {
        operate(p, since, node);
        return;
    }
    trails_ask(p, since); /* they were what is asked about */
    struct cel_value value = explaining_value(&p->x, node);
    if (value.kind == CEL_LIST) trail_begin(p, value.as.list, p->asked->tag(p->asked->context));
}

static void follow_let(struct picking *p, struct node *node)
{
    const struct trail *since = p->newest;
    follow(p, node->children[0]);
    struct trail *of_value = p->newest;
    const struct bound bound = {node->local, node->children[0], p->x.bound}, *around = p->x.bound;
    p->x.bound = &bound;
    follow(p, node->children[1]);
    p->x.bound = around;
    if (of_value == since) return;
    struct cel_value value = explaining_value(&p->x, node);
    for (struct trail *trail = of_value; trail != since; trail = trail->next)
        if (trail->is_open) trail_take(p, trail, node, value);
}

static void follow_choice(struct picking *p, struct node *node)
{
    const struct trail *since = p->newest;
    follow(p, node->children[0]);
    trails_ask(p, since);
    struct cel_value condition = explaining_value(&p->x, node->children[0]);
    if (condition.kind == CEL_BOOL) follow(p, node->children[condition.as.b ? 1 : 2]);
}

/* As far as the language looks. */
static void follow_logic(struct picking *p, struct node *node)
{
    const struct trail *since = p->newest;
    for (size_t i = 0; i < node->count; i++) {
        follow(p, node->children[i]);
        struct cel_value value = explaining_value(&p->x, node->children[i]);
        if (value.kind == CEL_BOOL && value.as.b == (node->kind == NODE_OR)) break;
    }
    trails_ask(p, since);
}

static bool is_there(struct cel_value value)
{
    return !cel_is_missing(value) && value.kind != CEL_ABSENT &&
           (value.kind != CEL_OPTIONAL || value.as.optional);
}

static void follow_first(struct picking *p, struct node *node)
{
    size_t i = 0;
    while (i + 1 < node->count && !is_there(explaining_value(&p->x, node->children[i])))
        i++;
    follow(p, node->children[i]);
}

static void follow(struct picking *p, struct node *node)
{
    const struct trail *since = p->newest;
    if (p->x.c.failed) return;
    switch (node->kind) {
    case NODE_BROKEN:
    case NODE_CONSTANT:
    case NODE_NAME:
    case NODE_SHORTHAND: break;
    case NODE_CALL: follow_call(p, node); break;
    case NODE_LET: follow_let(p, node); break;
    case NODE_IF: follow_choice(p, node); break;
    case NODE_AND:
    case NODE_OR: follow_logic(p, node); break;
    case NODE_COALESCE: follow_first(p, node); break;
    case NODE_LOOP: /* inside, names have no value of their own */
        follow(p, node->children[0]);
        loop_over(p, since, node);
        break;
    case NODE_SELECT:
    case NODE_LIST:
    case NODE_MAP:
        follow_children(p, node);
        trails_take(p, since);
        break;
    }
}

bool cel_picks_find(struct arena *arena, const struct cel_picking *picking, struct cel_frame *frame,
                    struct cel_picks **out)
{
    struct diagnostics diag;
    diag_init(&diag, arena);
    struct picking p = {.x = {.c = {.keep = arena,
                                    .scratch = arena,
                                    .env = picking->env,
                                    .text = picking->text,
                                    .diag = &diag},
                              .frame = frame},
                        .asked = picking,
                        .end = out};
    *out = NULL;
    struct node *root = compile_tree(&p.x.c);
    if (root) follow(&p, root);
    trails_take(&p, NULL);
    return !p.x.c.failed && !diag.failed;
}
