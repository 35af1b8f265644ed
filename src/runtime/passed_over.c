/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/passed_over.h"

#include <json-c/json.h>

#include "core/log.h"
#include "core/str.h"

static bool has_member(const struct json_extra *extra, const char *key)
{
	return json_object_object_get_ex(extra->object, key, NULL);
}

static void warn_platform(const char *path, const char *platform)
{
	log_warning("%s is of no effect: it is for %s", path, platform);
}

static void warn_intel_rdt(const struct oci_intel_rdt *rdt)
{
	/* Of the specification before 1.3. */
	static const char *const dropped[] = { "enableCMT", "enableMBM" };

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (has_member(&rdt->extra, dropped[i]))
			log_warning("linux.intelRdt.%s is of no effect: use enableMonitoring",
				    dropped[i]);
}

void warn_of_passed_over(const struct runtime_spec *spec)
{
	static const struct {
		const char *key;
		const char *platform;
	} sections[] = {
		{ "windows", "Windows" },
		{ "solaris", "Solaris" },
		{ "freebsd", "FreeBSD" },
		{ "zos", "z/OS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (has_member(&spec->extra, sections[i].key))
			warn_platform(sections[i].key, sections[i].platform);
	if (spec->process && !str_is_empty(spec->process->command_line))
		warn_platform("process.commandLine", "Windows");
	if (spec->process && !str_is_empty(spec->process->user.username))
		warn_platform("process.user.username", "Windows");
	if (spec->linux_ && spec->linux_->intel_rdt)
		warn_intel_rdt(spec->linux_->intel_rdt);
}
