/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/utsname.h>

#include "test.h"

static void run(void)
{
	struct utsname names;

	must(sethostname("frozen", 6));
	must(setdomainname("example.org", 11));
	wait_for_restore();
	must(uname(&names));
	check(strcmp(names.nodename, "frozen") == 0, "the host is called '%s'", names.nodename);
	check(strcmp(names.domainname, "example.org") == 0, "the domain is called '%s'",
	      names.domainname);
}
PROGRAM(uts_names, run, .subject = "host and domain name")
