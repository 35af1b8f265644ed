/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <pty.h>

#include "test.h"

static void run(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct termios settings;
	int master;
	int slave;

	must(openpty(&master, &slave, NULL, NULL, NULL));
	must(tcgetattr(slave, &settings));
	cfmakeraw(&settings);
	must(tcsetattr(slave, TCSANOW, &settings));
	write_all(slave, "printed", 7);
	write_all(master, "typed", 5);
	wait_for_restore();
	pfd.fd = master;
	check(poll(&pfd, 1, 20000) == 1, "what was printed and not read yet is gone");
	must_read(master, "printed");
	pfd.fd = slave;
	check(poll(&pfd, 1, 20000) == 1, "what was typed and not read yet is gone");
	must_read(slave, "typed");
}
PROGRAM(pty_data, run, .subject = "what was written to a terminal and not read yet")
