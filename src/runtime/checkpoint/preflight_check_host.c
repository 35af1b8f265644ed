/* SPDX-License-Identifier: Apache-2.0 */
/* What the host lacks for this checkpoint. */
#include "runtime/checkpoint/preflight_check.h"

#include <inttypes.h>

#include "core/alloc.h"

static void check_criu(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check)
{
	if (s->host.criu_error)
		preflight_add(report, s, check,
			      (struct preflight_item){ .message = xstrdup(s->host.criu_error) });
}

static void check_privilege(const struct preflight_snapshot *s, struct preflight_report *report,
			    const char *check)
{
	if (!s->host.is_privileged)
		preflight_add(
			report, s, check,
			(struct preflight_item){ .message = xstrdup("CRIU needs CAP_SYS_ADMIN or "
								    "CAP_CHECKPOINT_RESTORE"),
						 .remedy = "run the checkpoint as root" });
}

static void check_limits(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	for (size_t i = 0; i < s->n_processes; i++)
		if (s->processes[i].limits_are_denied)
			preflight_add(
				report, s, check,
				(struct preflight_item){
					.process = &s->processes[i],
					.message =
						xstrdup("it runs as another user, and CRIU may not "
							"read its resource limits"),
					.remedy = "run the checkpoint with CAP_SYS_RESOURCE" });
}

static void check_programs(const struct preflight_snapshot *s, struct preflight_report *report,
			   const char *check)
{
	for (size_t i = 0; i < s->host.missing_programs.n; i++) {
		const char *name = s->host.missing_programs.v[i];
		bool is_lock = strstr(name, "tables") != NULL;

		preflight_add(
			report, s, check,
			(struct preflight_item){
				.path = name,
				.message = xasprintf(
					"the program '%s', which CRIU starts to %s, is "
					"not on PATH",
					name,
					is_lock ? "lock the network" : "pack what is in a tmpfs"),
				.remedy = is_lock ? "install it, or use --network-lock nftables" :
						    "install it" });
	}
}

static void check_tracking(const struct preflight_snapshot *s, struct preflight_report *report,
			   const char *check)
{
	if (s->host.lacks_memory_tracking)
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.message = xstrdup("this kernel cannot track changed memory "
						   "(CONFIG_MEM_SOFT_DIRTY)"),
				.remedy = "checkpoint without --pre-dump and --parent-path" });
}

static void check_userfaultfd(const struct preflight_snapshot *s, struct preflight_report *report,
			      const char *check)
{
	if (s->host.lacks_userfaultfd)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .message = xstrdup("userfaultfd(2) is not available"),
				      .remedy = "checkpoint without --lazy-pages" });
}

static void check_page_server(const struct preflight_snapshot *s, struct preflight_report *report,
			      const char *check)
{
	if (s->host.page_server_error)
		preflight_add(
			report, s, check,
			(struct preflight_item){ .message = xstrdup(s->host.page_server_error) });
}

/* Pages alone; what is compressed might fit. */
static void check_space(const struct preflight_snapshot *s, struct preflight_report *report,
			const char *check)
{
	const struct preflight_estimate *e = &report->estimate;
	uint64_t least = e->memory_bytes + e->shared_memory_bytes + e->deleted_files_bytes;
	bool is_partial = s->options.has_parent || s->options.lazy_pages;

	if (!s->host.has_disk_free || is_partial || s->host.disk_free_bytes >= e->total_bytes)
		return;
	preflight_add(report, s, check,
		      (struct preflight_item){
			      .severity = s->host.disk_free_bytes < least ? PREFLIGHT_BLOCKER :
									    PREFLIGHT_WARNING,
			      .path = s->host.image_path,
			      .message = xasprintf("the image will have about %" PRIu64
						   " bytes, and %" PRIu64 " are free where '%s' is",
						   e->total_bytes, s->host.disk_free_bytes,
						   s->host.image_path),
			      .remedy = "free space, or give another --image-path" });
}

static void check_unseen(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	for (size_t i = 0; i < s->unseen.n; i++)
		preflight_add(report, s, check,
			      (struct preflight_item){ .severity = PREFLIGHT_WARNING,
						       .message = xstrdup(s->unseen.v[i]) });
}

const struct preflight_check preflight_host_checks[] = {
	{ "criu", check_criu },
	{ "privilege", check_privilege },
	{ "resource-limits", check_limits },
	{ "program-missing", check_programs },
	{ "memory-tracking", check_tracking },
	{ "userfaultfd", check_userfaultfd },
	{ "page-server", check_page_server },
	{ "disk-space", check_space },
	{ "unseen", check_unseen },
	{ NULL, NULL },
};
