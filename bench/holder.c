/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that holds memory, half of it incompressible, and touches a page now and then: holder MIB [gap]. With `gap` it says
 * when it has the memory ("ready"), and later of each time that it was kept from running for how long ("gap MICROSECONDS").
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GAP_MIN_US 30000

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void say(const char *word, uint64_t value)
{
	(void)dprintf(STDOUT_FILENO, "%s %llu\n", word, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 16) << 20;
	uint64_t *words =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t x = 88172645463325252ULL;
	uint64_t last;

	if (words == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size / sizeof(*words); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = i * sizeof(*words) < size / 2 ? x : 0x0101010101010101ULL;
	}
	if (argc > 2)
		say("ready", size);
	last = now_us();
	for (;;) {
		uint64_t now;

		words[x++ % (size / sizeof(*words))]++;
		usleep(10000);
		now = now_us();
		if (argc > 2 && now - last > GAP_MIN_US)
			say("gap", now - last);
		last = now;
	}
}
