/* SPDX-License-Identifier: Apache-2.0 */
#include <grp.h>
#include <sys/fsuid.h>

#include "test.h"

static void run(void)
{
	const gid_t groups[] = { 11, 222, 3333, 44444 };
	gid_t now[32];
	uid_t u[3];
	gid_t g[3];

	must(setgroups(4, groups));
	must(setresgid(100, 101, 102));
	must(setfsgid(103));
	must(setresuid(1000, 0, 1002));
	must(setfsuid(1003));
	wait_for_restore();
	must(getresuid(&u[0], &u[1], &u[2]));
	must(getresgid(&g[0], &g[1], &g[2]));
	check(u[0] == 1000 && u[1] == 0 && u[2] == 1002, "the user ids are %u, %u, %u", u[0], u[1],
	      u[2]);
	check(g[0] == 100 && g[1] == 101 && g[2] == 102, "the group ids are %u, %u, %u", g[0], g[1],
	      g[2]);
	check(setfsuid((uid_t)-1) == 1003, "the user id for files is %d", setfsuid((uid_t)-1));
	check(setfsgid((gid_t)-1) == 103, "the group id for files is %d", setfsgid((gid_t)-1));
	check(getgroups(32, now) == 4 && memcmp(now, groups, sizeof(groups)) == 0,
	      "the supplementary groups have changed");
}
PROGRAM(process_ids, run, .subject = "user, group and supplementary group ids",
	.needs = "sys_resource")
