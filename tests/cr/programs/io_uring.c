/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/io_uring.h>
#include <sys/syscall.h>

#include "test.h"

static void run(void)
{
	struct io_uring_params parameters = { 0 };
	long fd = syscall(SYS_io_uring_setup, 4, &parameters);

	if (fd < 0)
		skip("there is no io_uring here: %s", strerror(errno));
	wait_for_restore();
}
PROGRAM(io_uring, run, .subject = "io_uring", .refused = "cannot be handed to CRIU, as io_uring")
