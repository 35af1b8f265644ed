/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

static void run(void)
{
	static char maps[1 << 18];
	void *p = map_anonymous(page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, page_size(), "my memory") < 0)
		skip("memory cannot have a name here: %s", strerror(errno));
	wait_for_restore();
	check(read_file("/proc/self/maps", maps, sizeof(maps)) > 0 &&
		      strstr(maps, "[anon:my memory]"),
	      "the name is gone");
}
PROGRAM(mem_names, run, .subject = "names of memory areas", .lost = "they are gone")
