/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that worker threads do in any order and that one thread takes back in the order in which it gave
 * them: a ring of slots, each with its buffers, which are used again.
 *
 *	free --claim--> claimed --submit--> queued --worker--> done --wait--> taken --release--> free
 *
 * One thread calls everything here; only `run` runs in the others. Threads start when there is work for
 * them, with all signals blocked. Where none can be started, jobs run in ring_submit().
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

struct ring;

/* Does the job of a slot. */
typedef void ring_run(void *slot);

#define RING_THREADS_MAX 16

/* n_slots slots of slot_size bytes, zeroed. */
struct ring *ring_new(unsigned int n_threads, unsigned int n_slots, size_t slot_size,
		      ring_run *run) MUST_CHECK;
/* Waits for the jobs that run, stops the threads; `done` is called for each slot. NULL is fine. */
void ring_free(struct ring *ring, void (*done)(void *slot));

/* The next free slot; NULL when there is none. The same one until it is submitted. */
void *ring_claim(struct ring *ring);
void ring_submit(struct ring *ring);
/* Jobs submitted and not released. */
unsigned int ring_pending(const struct ring *ring);
/* The oldest of them, when it is done; NULL when nothing is pending. The same one until released. */
void *ring_wait(struct ring *ring);
void ring_release(struct ring *ring);

/*
 * How many slots: each thread has one in hand, and more wait, so that nobody runs dry while a thread waits for a
 * processor. On a busy machine that is longer than the job itself.
 */
static inline unsigned int ring_slots(unsigned int n_threads)
{
	return n_threads + MAX(14U, n_threads);
}

/* How many threads to use: `wanted`, or as many as there are processors for us when it is 0. */
unsigned int ring_threads(unsigned int wanted);
