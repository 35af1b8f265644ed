/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE (2ul << 20)

static void run(void)
{
	unsigned char *private = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	unsigned char *shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (private == MAP_FAILED || shared == MAP_FAILED)
		skip("there are no huge pages of 2 MiB here");
	fill(private, SIZE, 1);
	fill(shared, SIZE, 2);
	wait_for_restore();
	check(is_filled(private, SIZE, 1), "the private huge page has changed");
	check(is_filled(shared, SIZE, 2), "the shared huge page has changed");
	check(has_vm_flag(private, "ht") && has_vm_flag(shared, "ht"),
	      "they are not huge any more");
}
PROGRAM(mem_hugepages, run, .subject = "explicit huge pages")
