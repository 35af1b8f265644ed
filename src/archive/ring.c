/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/ring.h"

#include <pthread.h>
#include <signal.h>

#include "core/alloc.h"
#include "core/proc.h"

enum slot_state { SLOT_FREE, SLOT_QUEUED, SLOT_RUNNING, SLOT_DONE };

struct ring {
	pthread_mutex_t mutex;
	pthread_cond_t work; /* something is queued, or all is to end */
	pthread_cond_t done; /* a job is done */
	ring_run *run;
	unsigned char *slots;
	size_t slot_size;
	enum slot_state *states;
	unsigned int n_slots;
	unsigned int head; /* oldest that is not released */
	unsigned int next; /* oldest that is queued */
	unsigned int tail; /* next to be claimed */
	unsigned int n_pending; /* from head to tail */
	unsigned int n_queued; /* from next to tail */
	pthread_t threads[RING_THREADS_MAX];
	unsigned int n_threads;
	unsigned int max_threads;
	unsigned int n_idle;
	bool ending;
};

unsigned int ring_threads(unsigned int wanted)
{
	if (wanted == 0)
		wanted = proc_n_cpus();
	return MAX(1U, MIN(wanted, (unsigned int)RING_THREADS_MAX));
}

struct ring *ring_new(unsigned int n_threads, unsigned int n_slots, size_t slot_size, ring_run *run)
{
	struct ring *ring = xcalloc(1, sizeof(*ring));

	/* Attributes are the default ones, which cannot fail. */
	(void)pthread_mutex_init(&ring->mutex, NULL);
	(void)pthread_cond_init(&ring->work, NULL);
	(void)pthread_cond_init(&ring->done, NULL);
	ring->run = run;
	ring->slot_size = slot_size;
	ring->n_slots = n_slots;
	ring->slots = xcalloc(n_slots, slot_size);
	ring->states = xcalloc(n_slots, sizeof(*ring->states));
	ring->max_threads = MIN(n_threads, (unsigned int)RING_THREADS_MAX);
	return ring;
}

static void *slot_at(const struct ring *ring, unsigned int i)
{
	return ring->slots + i * ring->slot_size;
}

static void *worker(void *context)
{
	struct ring *ring = context;

	(void)pthread_mutex_lock(&ring->mutex);
	for (;;) {
		unsigned int i;

		ring->n_idle++;
		while (ring->n_queued == 0 && !ring->ending)
			(void)pthread_cond_wait(&ring->work, &ring->mutex);
		ring->n_idle--;
		if (ring->ending)
			break;
		i = ring->next;
		ring->next = (i + 1) % ring->n_slots;
		ring->n_queued--;
		ring->states[i] = SLOT_RUNNING;
		(void)pthread_mutex_unlock(&ring->mutex);
		ring->run(slot_at(ring, i));
		(void)pthread_mutex_lock(&ring->mutex);
		ring->states[i] = SLOT_DONE;
		if (i == ring->head)
			(void)pthread_cond_signal(&ring->done);
	}
	(void)pthread_mutex_unlock(&ring->mutex);
	return NULL;
}

/* With the mutex held. */
static void start_thread(struct ring *ring)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&ring->threads[ring->n_threads], NULL, worker, ring) == 0)
		ring->n_threads++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void *ring_claim(struct ring *ring)
{
	return ring->n_pending < ring->n_slots ? slot_at(ring, ring->tail) : NULL;
}

void ring_submit(struct ring *ring)
{
	unsigned int i = ring->tail;

	(void)pthread_mutex_lock(&ring->mutex);
	ring->states[i] = SLOT_QUEUED;
	ring->tail = (i + 1) % ring->n_slots;
	ring->n_pending++;
	ring->n_queued++;
	if (ring->n_idle < ring->n_queued && ring->n_threads < ring->max_threads)
		start_thread(ring);
	if (ring->n_threads == 0) {
		ring->n_queued--;
		ring->next = ring->tail;
		(void)pthread_mutex_unlock(&ring->mutex);
		ring->run(slot_at(ring, i));
		ring->states[i] = SLOT_DONE;
		return;
	}
	(void)pthread_cond_signal(&ring->work);
	(void)pthread_mutex_unlock(&ring->mutex);
}

unsigned int ring_pending(const struct ring *ring)
{
	return ring->n_pending;
}

void *ring_wait(struct ring *ring)
{
	if (ring->n_pending == 0)
		return NULL;
	(void)pthread_mutex_lock(&ring->mutex);
	while (ring->states[ring->head] != SLOT_DONE)
		(void)pthread_cond_wait(&ring->done, &ring->mutex);
	(void)pthread_mutex_unlock(&ring->mutex);
	return slot_at(ring, ring->head);
}

void ring_release(struct ring *ring)
{
	(void)pthread_mutex_lock(&ring->mutex);
	ring->states[ring->head] = SLOT_FREE;
	ring->head = (ring->head + 1) % ring->n_slots;
	ring->n_pending--;
	(void)pthread_mutex_unlock(&ring->mutex);
}

void ring_free(struct ring *ring, void (*done)(void *slot))
{
	if (!ring)
		return;
	(void)pthread_mutex_lock(&ring->mutex);
	ring->ending = true;
	(void)pthread_cond_broadcast(&ring->work);
	(void)pthread_mutex_unlock(&ring->mutex);
	for (unsigned int i = 0; i < ring->n_threads; i++)
		(void)pthread_join(ring->threads[i], NULL);
	for (unsigned int i = 0; i < ring->n_slots; i++)
		done(slot_at(ring, i));
	(void)pthread_cond_destroy(&ring->done);
	(void)pthread_cond_destroy(&ring->work);
	(void)pthread_mutex_destroy(&ring->mutex);
	free(ring->states);
	free(ring->slots);
	free(ring);
}
