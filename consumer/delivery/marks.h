/* The marks topic, read back: a port, as source.h and sink.h are. */
#ifndef CONSUMER_DELIVERY_MARKS_H
#define CONSUMER_DELIVERY_MARKS_H

#include "delivery/mark.h"
#include "host/option.h"

struct marks_wanted {
    int32_t partition;
    uint64_t after, last; /* numbers of the marks wanted: those behind `after`, up to `last` */
    int64_t from, end;    /* offsets of the topic: where to look, and where it ends now */
    bool is_cut;          /* older ones stood before `from` and are no longer kept */
};

/* Appends the marks after..last, in order. A frontier may be visible before its marks are: waits for them.
 * RELANCE_AGAIN: not all have come in time, or the broker is silent; RELANCE_REFUSED: what is there does not add
 * up, marks are no longer kept. */
RELANCE_MUST enum relance_status marks_read(const struct options *options, const struct marks_wanted *wanted,
                                            struct mark_list *list, struct relance_error *error);

/* All marks of the partition that are kept, whatever is missing, one by one: `see` is given each, to be freed. RELANCE_AGAIN: the
 * broker is silent, or does not let us read. */
typedef void marks_see(void *context, struct mark *mark);
RELANCE_MUST enum relance_status marks_each_kept(const struct options *options, int32_t partition,
                                                 marks_see *see, void *context, struct relance_error *error);

/* The same as a list. */
RELANCE_MUST enum relance_status marks_read_kept(const struct options *options, int32_t partition,
                                                 struct mark_list *list, struct relance_error *error);

#endif
