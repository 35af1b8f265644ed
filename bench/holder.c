/* SPDX-License-Identifier: Apache-2.0 */
/* A process that holds memory, half of it incompressible, and touches a page now and then: holder MIB */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 16) << 20;
	uint64_t *words =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t x = 88172645463325252ULL;

	if (words == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size / sizeof(*words); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = i * sizeof(*words) < size / 2 ? x : 0x0101010101010101ULL;
	}
	for (;;) {
		words[x++ % (size / sizeof(*words))]++;
		usleep(10000);
	}
}
