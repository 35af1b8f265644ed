/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/iptables.h"

#include <errno.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/program.h"

#define TIMEOUT_MS 10000

static const char *const save_programs[] = {
	[IPTABLES_IPV4] = "iptables-save",
	[IPTABLES_IPV6] = "ip6tables-save",
};

static const char *const restore_programs[] = {
	[IPTABLES_IPV4] = "iptables-restore",
	[IPTABLES_IPV6] = "ip6tables-restore",
};

static int run(struct capture *capture, const char *program, const char *option, const char *value)
{
	auto_free char *path = program_on_path(program);
	auto_strvec struct strvec argv = STRVEC_INIT;
	int status;

	if (!path)
		return -ENOENT;
	strvec_add(&argv, path);
	strvec_add(&argv, option);
	strvec_add(&argv, value);
	capture->argv = argv.v;
	capture->timeout_ms = TIMEOUT_MS;
	status = capture_run(capture, NULL);
	return status > 0 ? -EIO : status;
}

int iptables_save(enum iptables_family family, struct strvec *ret)
{
	auto_capture struct capture capture = CAPTURE_INIT;
	int r = run(&capture, save_programs[family], "-t", "filter");

	if (r == 0 && capture.output.buf)
		strvec_split(ret, capture.output.buf, '\n', false);
	return r;
}

int iptables_restore(enum iptables_family family, const char *text)
{
	auto_capture struct capture capture = CAPTURE_INIT;

	capture.input = text;
	return run(&capture, restore_programs[family], "--wait", "--noflush");
}
