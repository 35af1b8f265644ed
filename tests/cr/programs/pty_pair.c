/* SPDX-License-Identifier: Apache-2.0 */
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "test.h"

/* A terminal within the container: settings, size, and data in both directions. */
static void run(void)
{
	struct winsize size = { .ws_row = 33, .ws_col = 111 };
	struct winsize now = { 0 };
	struct termios settings;
	struct termios now_set;
	char name[64];
	int master;
	int slave;

	must(openpty(&master, &slave, NULL, NULL, &size));
	must(ttyname_r(slave, name, sizeof(name)));
	must(tcgetattr(slave, &settings));
	cfmakeraw(&settings);
	settings.c_cc[VEOF] = 7;
	must(tcsetattr(slave, TCSANOW, &settings));
	wait_for_restore();
	must(tcgetattr(slave, &now_set));
	check(now_set.c_lflag == settings.c_lflag && now_set.c_iflag == settings.c_iflag &&
		      now_set.c_oflag == settings.c_oflag && now_set.c_cflag == settings.c_cflag &&
		      memcmp(now_set.c_cc, settings.c_cc, NCCS) == 0,
	      "the terminal's settings have changed");
	must(ioctl(master, TIOCGWINSZ, &now));
	check(now.ws_row == 33 && now.ws_col == 111, "the size is %ux%u", now.ws_row, now.ws_col);
	write_all(master, "typed", 5);
	must_read(slave, "typed");
	write_all(slave, "printed", 7);
	must_read(master, "printed");
	must(close(open_file(name, O_RDWR | O_NOCTTY)));
}
PROGRAM(pty_pair, run, .subject = "terminals (ptys) within the container")
