/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include "runtime/container.h"
#include "spec/runtime_state.h"

static int run(const struct cli_invocation *inv, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct container_state state;
	auto_free char *text = NULL;
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	if (r == 0)
		r = container_open(&c, rt, inv->args[0], false, err);
	if (r < 0)
		return r;
	container_state_fill(&c, container_status(&c), &state);
	text = json_encode(&container_state_desc, &state, JSON_INDENT2);
	json_done(&container_state_desc, &state);
	return cli_print(text, err);
}

const struct cli_command state_command = {
	.name = "state",
	.arguments = "CONTAINER-ID",
	.summary = "print the state of a container",
	.description = "As JSON: the OCI state document, with rootfs and time of creation.",
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
