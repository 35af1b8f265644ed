/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/version.h"

#include <seccomp.h>

#include "criu/find.h"
#include "floe-config.h"
#include "spec/defaults.h"

int version_print(const struct runtime_context *context, struct err *err)
{
	auto_criu_location struct criu_location criu = CRIU_LOCATION_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const struct scmp_version *seccomp = seccomp_version();
	const struct criu_find_opts find = {
		.option = context->criu_option,
		.configured = context->criu_configured,
	};
	struct err criu_err = ERR_INIT;

	strbuf_addf(&sb, "floe-runtime version %s\n", FLOE_VERSION);
	if (FLOE_COMMIT[0])
		strbuf_addf(&sb, "commit: %s\n", FLOE_COMMIT);
	strbuf_addf(&sb, "spec: %s\n", SPEC_OCI_VERSION);
	if (seccomp)
		strbuf_addf(&sb, "libseccomp: %u.%u.%u\n", seccomp->major, seccomp->minor,
			    seccomp->micro);
	if (criu_find(&criu, &find, &criu_err) == 0)
		strbuf_addf(&sb, "criu: %s (%s)\n", criu.path, criu_source_to_string(criu.source));
	else
		strbuf_addf(&sb, "criu: none: %s\n", criu_err.msg);
	return cli_print(sb.buf, err);
}
