/* What an event gives to an affinity, as the learner takes it: of a file and of the input alike, so that both count alike. */
#ifndef CONSUMER_LEARN_GIVEN_H
#define CONSUMER_LEARN_GIVEN_H

#include <relance/affinity.h>
#include <relance/learn.h>

/* A learner of that affinity; the caller frees it. Never NULL. */
struct relance_learn *given_learner(const struct relance_affinity *about);

/* By what a learner knows the customer, or the visitor of that name, who is somebody else. States hold it, so it stays as it is. */
uint64_t given_customer(const struct relance_given *given);

void given_count(const struct relance_given *given, struct relance_learn *learn);

#endif
