/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/log_advice.h"

#include <string.h>

#include "core/str.h"

/* Options of CRIU that our commands have as well, under the same names. */
static const char *const own_options[] = {
	"auto-dedup", "ext-unix-sk", "file-locks",	"lazy-pages",
	"link-remap", "lsm-profile", "network-lock",	"manage-cgroups-mode",
	"shell-job",  "tcp-close",   "tcp-established", "tcp-skip-in-flight",
};

/* By the first word; a value may follow. */
static bool is_own_option(const char *option)
{
	size_t len = strcspn(option, " ");

	for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
		if (strlen(own_options[i]) == len && strncmp(own_options[i], option, len) == 0)
			return true;
	return false;
}

int log_advice_tell(const struct criu_log_finding *finding, struct err *err)
{
	if (!err || (!finding->line && !finding->cause))
		return err ? err->code : -EREMOTEIO;
	if (!finding->cause && err_is_set(err) && !str_has_prefix(err->msg, "criu failed"))
		err_append(err, "; its log says: %s", finding->line);
	else
		(void)err_set(err, ERR_REMOTE, "%s",
			      finding->cause ? finding->cause : finding->line);
	if (finding->option && is_own_option(finding->option))
		err_append(err, "; use --%s", finding->option);
	else if (finding->option)
		err_append(err,
			   "; put '%s' into a configuration file for CRIU (/etc/criu/floe.conf, or "
			   "the "
			   "one that the annotation org.criu.config names)",
			   finding->option);
	if (finding->remedy)
		err_append(err, "%s %s", finding->option ? "," : ";", finding->remedy);
	return err->code;
}
