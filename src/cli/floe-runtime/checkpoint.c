/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/checkpoint_rows.h"
#include "cli/floe-runtime/checkpoint_stats.h"
#include "cli/floe-runtime/commands.h"
#include "core/log.h"
#include "runtime/checkpoint/preflight.h"

const struct cli_choice cgroups_mode_choices[] = {
	{ "soft", CHECKPOINT_CGROUPS_SOFT },
	{ "full", CHECKPOINT_CGROUPS_FULL },
	{ "strict", CHECKPOINT_CGROUPS_STRICT },
	{ "ignore", CHECKPOINT_CGROUPS_IGNORE },
	{ NULL, 0 },
};

const struct cli_choice network_lock_choices[] = {
	{ "iptables", CHECKPOINT_NETWORK_LOCK_IPTABLES },
	{ "nftables", CHECKPOINT_NETWORK_LOCK_NFTABLES },
	{ "skip", CHECKPOINT_NETWORK_LOCK_SKIP },
	{ NULL, 0 },
};

enum dry_run_format { DRY_RUN_DEFAULT, DRY_RUN_TEXT, DRY_RUN_JSON };

static const struct cli_choice dry_run_formats[] = {
	{ "text", DRY_RUN_TEXT },
	{ "json", DRY_RUN_JSON },
	{ NULL, 0 },
};

struct options {
	struct checkpoint_options checkpoint;
	bool print_stats;
	bool dry_run;
	enum dry_run_format format;
};

/* Exit code 0: it will work; 1: it will not. */
static int dry_run(struct runtime *rt, const char *id, const struct options *cli,
		   const struct checkpoint_options *opts, struct err *err)
{
	auto_preflight_report struct preflight_report report = PREFLIGHT_REPORT_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = container_preflight(rt, id, opts, &report, err);

	if (r < 0)
		return r;
	if (cli->format == DRY_RUN_JSON) {
		auto_free char *text = json_encode(&preflight_report_desc, &report, JSON_INDENT2);

		strbuf_addf(&sb, "%s\n", text);
	} else {
		preflight_report_to_text(&report, log_is_enabled(LOG_LEVEL_DEBUG), &sb);
	}
	r = cli_print(sb.buf, err);
	return r < 0 ? r : !preflight_is_ok(&report);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct checkpoint_options opts = cli->checkpoint;
	struct runtime *rt;
	int r;

	no_empty(&opts.image_path);
	no_empty(&opts.work_path);
	no_empty(&opts.parent_path);
	no_empty(&opts.page_server);

	if (cli->format != DRY_RUN_DEFAULT && !cli->dry_run)
		return err_set(err, ERR_USAGE, "--format is for --dry-run only");
	r = command_open_root(inv, false, &rt, err);
	if (r == 0 && cli->dry_run)
		return dry_run(rt, inv->args[0], cli, &opts, err);
	if (r == 0)
		r = container_checkpoint(rt, inv->args[0], &opts, err);
	if (r == 0 && cli->print_stats)
		r = checkpoint_print_stats(&opts, err);
	return r;
}

#define T struct options
static const struct cli_option rows[] = {
	CHECKPOINT_COMMON_ROWS(T, checkpoint),
	OPT_STRING(T, checkpoint.parent_path, "parent-path", 0, "DIR",
		   "image of a pre-dump to build upon, relative to the image's directory"),
	OPT_FLAG(T, checkpoint.leave_running, "leave-running", 0,
		 "let the container go on afterwards"),
	OPT_FLAG(T, checkpoint.pre_dump, "pre-dump", 0,
		 "write the memory only and let the container go on; a later checkpoint is then "
		 "short"),
	OPT_FLAG(T, checkpoint.tcp_skip_in_flight, "tcp-skip-in-flight", 0,
		 "leave out TCP connections that are not established yet"),
	OPT_FLAG(T, checkpoint.link_remap, "link-remap", 0,
		 "keep open files that were deleted, by a link to them"),
	OPT_STRING(T, checkpoint.page_server, "page-server", 0, "ADDRESS:PORT",
		   "send memory to CRIU's page server there"),
	OPT_I64(T, checkpoint.status_fd, "status-fd", 0, "FD",
		"descriptor that gets one NUL byte when the lazy page server is ready"),
	OPT_FLAG(T, print_stats, "print-stats", 0,
		 "print CRIU's times (in microseconds) and page counts as JSON"),
	OPT_FLAG(T, dry_run, "dry-run", 0,
		 "tell what stands in the way of a checkpoint, without touching the container"),
	OPT_ENUM(T, format, "format", 0, "FORMAT", dry_run_formats,
		 "form of the dry run's output (default: text)"),
};
#undef T

const struct cli_command checkpoint_command = {
	.name = "checkpoint",
	.arguments = "CONTAINER-ID",
	.summary = "freeze a container into an image on disk",
	.description =
		"CRIU writes all processes of the container, with memory, files and sockets, to "
		"the image; then the container is gone, unless it was to go on. 'floe-runtime "
		"restore' lets it continue where it was. When it fails the container goes on, and "
		"the error quotes CRIU's log. With --dry-run nothing is stopped or written: each "
		"obstacle is "
		"named with process, descriptor and what lifts it, and the exit code is 0 when the "
		"checkpoint will work and 1 when it will not.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
