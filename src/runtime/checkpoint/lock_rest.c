/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/lock_rest.h"

#include <string.h>
#include <strings.h>

#include "core/log.h"
#include "core/macro.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/nftables.h"
#include "runtime/netdev.h"

#define PREFIX "CRIU-"
#define CHAIN "CRIU"
#define MARK " 0xc114 " /* SOCCR_MARK, of packets that CRIU sends itself */

static bool is_lock_rule(const char *line)
{
	if (str_has_prefix(line, ":" CHAIN " ") || str_has_prefix(line, "-A " CHAIN " "))
		return true;
	if (!str_has_prefix(line, "-A "))
		return false;
	return str_has_suffix(line, " -j " CHAIN) ||
	       (strcasestr(line, MARK) && str_has_suffix(line, " -j DROP"));
}

void lock_rest_find_rules(struct strvec *ret, const struct strvec *saved)
{
	for (size_t i = 0; i < saved->n; i++)
		if (is_lock_rule(saved->v[i]))
			strvec_add(ret, saved->v[i]);
}

static size_t count(const struct strvec *lines, size_t n, const char *line)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += str_eq(lines->v[i], line);
	return found;
}

char *lock_rest_undo(const struct strvec *before, const struct strvec *now)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	bool has_chain = false;

	strbuf_adds(&text, "*filter\n");
	for (size_t i = 0; i < now->n; i++) {
		const char *line = now->v[i];

		if (count(now, i, line) < count(before, before->n, line))
			continue;
		if (line[0] == ':')
			has_chain = true;
		else
			strbuf_addf(&text, "-D%s\n", line + strlen("-A"));
	}
	/* Only what nothing jumps to can be deleted. */
	if (has_chain)
		strbuf_adds(&text, "-X " CHAIN "\n");
	if (text.len == strlen("*filter\n"))
		return NULL;
	strbuf_adds(&text, "COMMIT\n");
	return strbuf_take(&text);
}

static int find_rules(enum iptables_family family, struct strvec *ret)
{
	auto_strvec struct strvec saved = STRVEC_INIT;
	int r = iptables_save(family, &saved);

	/* Without the program CRIU cannot have set any. */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	lock_rest_find_rules(ret, &saved);
	return 0;
}

static int list(void *context, struct err *err UNUSED)
{
	struct lock_rest *rest = context;

	/* Where there is no nftables there is no table of it either. */
	rest->by_nftables = nftables_list_tables(&rest->before, PREFIX) == 0;
	for (int i = 0; rest->by_iptables && i < IPTABLES_FAMILY_COUNT_; i++)
		if (find_rules((enum iptables_family)i, &rest->rules[i]) < 0)
			rest->by_iptables = false;
	return 0;
}

static int remove_tables(const struct lock_rest *rest)
{
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

static int remove_rules(const struct lock_rest *rest, enum iptables_family family)
{
	auto_strvec struct strvec now = STRVEC_INIT;
	auto_free char *text = NULL;
	int r = find_rules(family, &now);

	if (r < 0)
		return r;
	text = lock_rest_undo(&rest->rules[family], &now);
	if (!text)
		return 0;
	log_debug("checkpoint: criu has left its network lock: removing it by\n%s", text);
	return iptables_restore(family, text);
}

static int remove_new(void *context, struct err *err UNUSED)
{
	const struct lock_rest *rest = context;
	int r = rest->by_nftables ? remove_tables(rest) : 0;

	for (int i = 0; rest->by_iptables && i < IPTABLES_FAMILY_COUNT_; i++) {
		int q = remove_rules(rest, (enum iptables_family)i);

		r = r < 0 ? r : q;
	}
	return r;
}

void lock_rest_note(struct lock_rest *rest, pid_t pid, bool by_iptables)
{
	rest->by_iptables = by_iptables;
	if (netdev_call_in(pid, list, rest, NULL) == 0)
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
			"CRIU-..., or iptables-save and iptables -D)",
			errno_text(r));
}

void lock_rest_done(struct lock_rest *rest)
{
	strvec_done(&rest->before);
	for (int i = 0; i < IPTABLES_FAMILY_COUNT_; i++)
		strvec_done(&rest->rules[i]);
	*rest = (struct lock_rest)LOCK_REST_INIT;
}
