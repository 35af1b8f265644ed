/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/resource.h>

#define PAGES 16

static long locked_kib(void)
{
	char value[64];

	check(read_field("/proc/self/status", "VmLck", value, sizeof(value)), "no VmLck");
	return strtol(value, NULL, 10);
}

static void run(void)
{
	size_t size = PAGES * page_size();
	unsigned char *locked = map_anonymous(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *other = map_anonymous(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	long before;

	fill(locked, size, 1);
	must(mlock(locked, size));
	before = locked_kib();
	check(before >= (long)(size / 1024), "mlock has locked nothing");
	wait_for_restore();
	check(locked_kib() == before, "%ld KiB are locked instead of %ld", locked_kib(), before);
	check(has_vm_flag(locked, "lo"), "the memory is not locked any more");
	check(!has_vm_flag(other, "lo"), "other memory has become locked");
	check(is_filled(locked, size, 1), "the content has changed");
	must(munlock(locked, size));
	check(locked_kib() == 0, "memory stays locked");
}
PROGRAM(mem_mlock, run, .subject = "locked memory")
