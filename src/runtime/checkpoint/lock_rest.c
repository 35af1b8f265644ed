/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/lock_rest.h"

#include "core/log.h"
#include "core/macro.h"
#include "kernel/nftables.h"
#include "runtime/netdev.h"

#define PREFIX "CRIU-"

static int list(void *context, struct err *err UNUSED)
{
	return nftables_list_tables(context, PREFIX);
}

static int remove_new(void *context, struct err *err UNUSED)
{
	const struct lock_rest *rest = context;
	auto_strvec struct strvec now = STRVEC_INIT;
	int r = nftables_list_tables(&now, PREFIX);

	for (size_t i = 0; r == 0 && i < now.n; i++) {
		if (strvec_contains(&rest->before, now.v[i]))
			continue;
		log_debug("checkpoint: criu has left its network lock '%s': removing it", now.v[i]);
		r = nftables_delete_table(now.v[i]);
	}
	return r;
}

void lock_rest_note(struct lock_rest *rest, pid_t pid)
{
	/* Where there is no nftables there is no table of it either. */
	if (netdev_call_in(pid, list, &rest->before, NULL) == 0)
		rest->pid = pid;
}

void lock_rest_remove(const struct lock_rest *rest)
{
	struct lock_rest copy = *rest;
	int r;

	if (rest->pid == 0)
		return;
	r = netdev_call_in(rest->pid, remove_new, &copy, NULL);
	if (r < 0)
		log_warning(
			"remove what criu has left of its network lock: %s (nft delete table inet "
			"CRIU-...)",
			errno_text(r));
}

void lock_rest_done(struct lock_rest *rest)
{
	strvec_done(&rest->before);
	*rest = (struct lock_rest)LOCK_REST_INIT;
}
