/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands need. */
#include <regex.h>

#include "cli/floe-runtime/commands.h"
#include "kernel/self_exe.h"
#include "runtime/container.h"

int command_protect_program(const struct cli_invocation *inv, struct err *err)
{
	const struct runtime_context *context = inv->context;

	return self_exe_protect(context->argv, err);
}

int command_open_root(const struct cli_invocation *inv, bool create, struct runtime **ret,
		      struct err *err)
{
	struct runtime *rt = &((struct runtime_context *)inv->context)->rt;
	int r = runtime_open_root(rt, create, err);

	if (r == -ENOENT && !create) {
		err_clear(err);
		r = 0;
	}
	*ret = rt;
	return r;
}

int command_match_ids(const struct runtime *rt, const char *pattern, struct strvec *ret,
		      struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	regex_t regex;
	int r = container_list_ids(rt, &ids, err);

	if (r < 0)
		return r;
	r = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (r != 0) {
		char reason[128];

		(void)regerror(r, &regex, reason, sizeof(reason));
		return err_set(err, ERR_USAGE, "invalid regular expression '%s': %s", pattern,
			       reason);
	}
	for (size_t i = 0; i < ids.n; i++)
		if (regexec(&regex, ids.v[i], 0, NULL, 0) == 0)
			strvec_add(ret, ids.v[i]);
	regfree(&regex);
	return 0;
}
