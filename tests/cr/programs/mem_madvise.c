/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* Advice that stays with an area, and its flag in smaps. */
static const struct {
	int advice;
	const char *flag;
	const char *name;
} advices[] = {
	{ MADV_DONTFORK, "dc", "MADV_DONTFORK" },     { MADV_DONTDUMP, "dd", "MADV_DONTDUMP" },
	{ MADV_SEQUENTIAL, "sr", "MADV_SEQUENTIAL" }, { MADV_RANDOM, "rr", "MADV_RANDOM" },
	{ MADV_HUGEPAGE, "hg", "MADV_HUGEPAGE" },     { MADV_NOHUGEPAGE, "nh", "MADV_NOHUGEPAGE" },
	{ MADV_MERGEABLE, "mg", "MADV_MERGEABLE" },   { MADV_WIPEONFORK, "wf", "MADV_WIPEONFORK" },
};
#define N (sizeof(advices) / sizeof(advices[0]))

static void child(void *argument)
{
	unsigned char *const *areas = argument;

	check(is_zero(areas[N - 1], page_size()), "MADV_WIPEONFORK does not wipe any more");
}

static void run(void)
{
	static unsigned char *areas[N];
	size_t size = 4 * page_size();

	for (size_t i = 0; i < N; i++) {
		areas[i] = map_anonymous(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		/* Kept apart from its neighbours, with which the kernel would merge it. */
		(void)map_anonymous(page_size(), PROT_NONE, MAP_PRIVATE);
		fill(areas[i], size, i);
		/* The kernel may have been built without transparent huge pages or KSM. */
		if (madvise(areas[i], size, advices[i].advice) < 0) {
			check(errno == EINVAL, "%s: %s", advices[i].name, strerror(errno));
			areas[i] = NULL;
		} else if (!has_vm_flag(areas[i], advices[i].flag)) {
			areas[i] = NULL;
		}
	}
	check(areas[N - 1], "MADV_WIPEONFORK cannot be set");
	wait_for_restore();
	for (size_t i = 0; i < N; i++) {
		if (!areas[i])
			continue;
		check(has_vm_flag(areas[i], advices[i].flag), "%s is lost", advices[i].name);
		check(is_filled(areas[i], size, i), "the content under %s has changed",
		      advices[i].name);
	}
	must_end(spawn(child, areas), 0);
}
PROGRAM(mem_madvise, run, .subject = "advice about memory (madvise) that stays with it")
