/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/validate.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "core/auto.h"
#include "spec/sysctl_name.h"
#include "spec/validate_parts.h"

/*
 * Namespaces and what needs one.
 */

static int validate_namespaces(const struct oci_linux *linux_, struct err *err)
{
	for (size_t i = 0; i < linux_->n_namespaces; i++) {
		const char *type = linux_->namespaces[i].type;
		int r = validate_word(&spec_namespaces, type, err, "linux.namespaces[%zu].type", i);

		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++)
			if (str_eq(linux_->namespaces[j].type, type))
				return err_set(err, ERR_INVALID,
					       "linux.namespaces[%zu].type: duplicate of "
					       "linux.namespaces[%zu], %s may be there once",
					       i, j, type);
	}
	return 0;
}

static int validate_time_offset(const struct oci_time_offset *offset, struct err *err)
{
	if (!str_eq(offset->key, "monotonic") && !str_eq(offset->key, "boottime"))
		return err_set(err, ERR_INVALID,
			       "linux.timeOffsets: unknown clock '%s', expected monotonic or "
			       "boottime",
			       offset->key);
	if (offset->nanosecs > 999999999)
		return err_set(err, ERR_INVALID,
			       "linux.timeOffsets.%s.nanosecs: %u, expected 0 to 999999999",
			       offset->key, offset->nanosecs);
	return 0;
}

static int validate_time_offsets(const struct oci_linux *linux_, struct err *err)
{
	const struct oci_namespace *time = oci_linux_namespace(linux_, "time");

	if (linux_->n_time_offsets == 0)
		return 0;
	if (!time)
		return err_set(err, ERR_INVALID,
			       "linux.timeOffsets: time namespace offsets specified, but time "
			       "namespace isn't enabled in the config, add one of type time to "
			       "linux.namespaces");
	if (!str_is_empty(time->path))
		return err_set(
			err, ERR_INVALID,
			"linux.timeOffsets: the offsets of the time namespace at '%s' cannot "
			"be changed, remove the path or the offsets",
			time->path);
	for (size_t i = 0; i < linux_->n_time_offsets; i++) {
		int r = validate_time_offset(&linux_->time_offsets[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int validate_paths(const struct oci_linux *linux_, struct err *err)
{
	if (oci_linux_namespace(linux_, "mount") ||
	    (!linux_->n_masked_paths && !linux_->n_readonly_paths))
		return 0;
	return err_set(err, ERR_INVALID,
		       "linux.%s: unable to restrict sys entries without a private MNT namespace, "
		       "add one of type mount to linux.namespaces",
		       linux_->n_masked_paths ? "maskedPaths" : "readonlyPaths");
}

/* Names as dev_valid_name() of the kernel takes them. */
static bool is_interface_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < IFNAMSIZ && !str_eq(name, ".") && !str_eq(name, "..") &&
	       strcspn(name, "/: \t\n\v\f\r") == n;
}

static int validate_net_devices(const struct oci_linux *linux_, struct err *err)
{
	if (linux_->n_net_devices && !oci_linux_namespace(linux_, "network"))
		return err_set(err, ERR_INVALID,
			       "linux.netDevices: unable to move network devices without a private "
			       "NET namespace, add one of type network to linux.namespaces");
	for (size_t i = 0; i < linux_->n_net_devices; i++) {
		const struct oci_net_device *device = &linux_->net_devices[i];
		const char *wrong = !is_interface_name(device->key) ? device->key : NULL;

		if (!wrong && !str_is_empty(device->name) && !is_interface_name(device->name))
			wrong = device->name;
		if (wrong)
			return err_set(err, ERR_INVALID,
				       "linux.netDevices[\"%s\"]: '%s' is no interface name, "
				       "expected 1 to 15 characters without '/', ':' and space",
				       device->key, wrong);
	}
	return 0;
}

/*
 * Kernel parameters. Those of the network are checked as far as the document goes; whether a
 * namespace that is joined by path is the host's own is for whoever opens it.
 */

static int validate_parameter(const struct oci_linux *linux_, const char *name, struct err *err)
{
	auto_free char *path = sysctl_name_to_path(name);
	const char *type = path ? sysctl_path_namespace(path) : NULL;

	if (!path)
		return err_set(err, ERR_INVALID,
			       "linux.sysctl[\"%s\"]: no parameter has such a name, expected one "
			       "such as net.ipv4.ip_forward",
			       name);
	if (str_eq(path, "kernel/hostname"))
		return err_set(
			err, ERR_INVALID,
			"linux.sysctl: sysctl \"%s\" is not allowed as it conflicts with the "
			"OCI \"hostname\" field",
			name);
	if (type && oci_linux_namespace(linux_, type))
		return 0;
	if (str_eq(type, "ipc"))
		return err_set(err, ERR_INVALID,
			       "linux.sysctl: sysctl \"%s\" is not allowed in the hosts ipc "
			       "namespace, add one of type ipc to linux.namespaces",
			       name);
	if (str_eq(type, "network"))
		return err_set(err, ERR_INVALID,
			       "linux.sysctl: sysctl \"%s\" not allowed in host network namespace, "
			       "add one of type network to linux.namespaces",
			       name);
	return err_set(err, ERR_INVALID,
		       "linux.sysctl: sysctl \"%s\" is not in a separate kernel namespace%s%s",
		       name, type ? ", add one to linux.namespaces of type " : "",
		       type ? type : "");
}

static int validate_sysctl(const struct oci_linux *linux_, struct err *err)
{
	for (size_t i = 0; i < linux_->sysctl.n; i++) {
		int r = validate_parameter(linux_, linux_->sysctl.v[i].key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Devices and resources.
 */

static int validate_devices(const struct oci_linux *linux_, struct err *err)
{
	for (size_t i = 0; i < linux_->n_devices; i++) {
		const struct oci_device *device = &linux_->devices[i];
		const char *type = device->type ? device->type : "";

		if (strlen(type) != 1 || !strchr("cbup", *type))
			return err_set(err, ERR_INVALID,
				       "linux.devices[%zu].type: '%s', expected c, b, u or p", i,
				       type);
		if (str_is_empty(device->path))
			return err_set(err, ERR_INVALID,
				       "linux.devices[%zu].path: missing, expected a path in the "
				       "container",
				       i);
		/* A number that is absent is 0, as in the specification's Go structs. */
		if (*type != 'p' && (device->major.v < 0 || device->major.v > UINT32_MAX ||
				     device->minor.v < 0 || device->minor.v > UINT32_MAX))
			return err_set(err, ERR_INVALID,
				       "linux.devices[%zu]: %jd:%jd is no device number", i,
				       (intmax_t)device->major.v, (intmax_t)device->minor.v);
	}
	return 0;
}

static bool is_device_number_or_any(const struct opt_i64 *number)
{
	return !number->set || (number->v >= -1 && number->v <= UINT32_MAX);
}

/* None at all is all of them. An "a" among others means nothing, as with runc. */
static bool is_device_access(const char *access)
{
	return str_is_empty(access) || (!access[strspn(access, "rwma")] && strpbrk(access, "rwm"));
}

static int validate_device_rules(const struct oci_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->n_devices; i++) {
		const struct oci_device_rule *rule = &resources->devices[i];

		if (!str_is_empty(rule->type) &&
		    (strlen(rule->type) != 1 || !strchr("abc", *rule->type)))
			return err_set(
				err, ERR_INVALID,
				"linux.resources.devices[%zu].type: '%s', expected a, b or c", i,
				rule->type);
		if (!is_device_access(rule->access))
			return err_set(err, ERR_INVALID,
				       "linux.resources.devices[%zu].access: '%s', expected some "
				       "of r, w and m",
				       i, rule->access);
		if (!is_device_number_or_any(&rule->major) ||
		    !is_device_number_or_any(&rule->minor))
			return err_set(err, ERR_INVALID,
				       "linux.resources.devices[%zu]: %jd:%jd is no device number, "
				       "expected -1 for any",
				       i, (intmax_t)rule->major.v, (intmax_t)rule->minor.v);
	}
	return 0;
}

/* The size is a part of the names of the cgroup's files: "2MB", "1GB". */
static bool is_page_size(const char *size)
{
	size_t n = size ? strspn(size, "0123456789") : 0;

	return n > 0 && size[0] != '0' && size[n] && strchr("KMGT", size[n]) &&
	       str_eq(size + n + 1, "B");
}

static int validate_hugepages(const struct oci_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const char *size = resources->hugepage_limits[i].page_size;

		if (!is_page_size(size))
			return err_set(err, ERR_INVALID,
				       "linux.resources.hugepageLimits[%zu].pageSize: '%s', "
				       "expected a size such as 64KB, 2MB or 1GB",
				       i, size ? size : "");
	}
	return 0;
}

static int validate_unified(const struct oci_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->unified.n; i++) {
		const char *key = resources->unified.v[i].key;

		if (!*key || strchr(key, '/') || str_eq(key, ".") || str_eq(key, ".."))
			return err_set(err, ERR_INVALID,
				       "linux.resources.unified: '%s' must be a file name (no "
				       "slashes), such as memory.high",
				       key);
	}
	return 0;
}

int oci_resources_validate(const struct oci_resources *resources, struct err *err)
{
	int r;

	if (!resources)
		return 0;
	r = validate_device_rules(resources, err);
	if (r == 0)
		r = validate_hugepages(resources, err);
	if (r == 0)
		r = validate_unified(resources, err);
	return r;
}

/*
 * The rest.
 */

static int validate_propagation(const struct oci_linux *linux_, struct err *err)
{
	if (str_is_empty(linux_->rootfs_propagation))
		return 0;
	return validate_word(&spec_propagations, linux_->rootfs_propagation, err,
			     "linux.rootfsPropagation");
}

static int validate_intel_rdt(const struct oci_intel_rdt *rdt, struct err *err)
{
	const char *id = rdt ? rdt->clos_id : NULL;

	/* "/" alone is the default group. */
	if (!id || str_eq(id, "/") || !(str_eq(id, ".") || str_eq(id, "..") || strchr(id, '/')))
		return 0;
	return err_set(
		err, ERR_INVALID,
		"linux.intelRdt.closID: '%s', expected the name of a directory of resctrl, or "
		"/ for the default one",
		id);
}

/* set_mempolicy(2): with or without nodes, by mode. */
static int validate_policy_nodes(const struct oci_memory_policy *policy, struct err *err)
{
	bool has_nodes = !str_is_empty(policy->nodes);
	bool forbids = str_eq(policy->mode, "MPOL_DEFAULT") || str_eq(policy->mode, "MPOL_LOCAL");
	bool optional = str_eq(policy->mode, "MPOL_PREFERRED");

	if (has_nodes && forbids)
		return err_set(
			err, ERR_INVALID,
			"linux.memoryPolicy.nodes: '%s', with mode %s set_mempolicy(2) takes "
			"no nodes: invalid argument",
			policy->nodes, policy->mode);
	if (!has_nodes && !forbids && !optional)
		return err_set(err, ERR_INVALID,
			       "linux.memoryPolicy.nodes: missing, mode %s needs at least one node",
			       policy->mode);
	if (has_nodes && !is_number_list(policy->nodes))
		return err_set(err, ERR_INVALID,
			       "linux.memoryPolicy.nodes: invalid memory policy nodes '%s', "
			       "expected a list such as 0-3,7",
			       policy->nodes);
	return 0;
}

static int validate_memory_policy(const struct oci_memory_policy *policy, struct err *err)
{
	int r;

	if (!policy || oci_memory_policy_is_empty(policy))
		return 0;
	r = validate_word(&spec_memory_modes, policy->mode, err,
			  "linux.memoryPolicy.mode: invalid memory policy mode");
	for (size_t i = 0; r == 0 && i < policy->n_flags; i++)
		r = validate_word(&spec_memory_flags, policy->flags[i], err,
				  "linux.memoryPolicy.flags[%zu]: invalid memory policy flag", i);
	return r < 0 ? r : validate_policy_nodes(policy, err);
}

/* Flags of the personality have no definition in the specification; runc warns, so they pass. */
static int validate_personality(const struct oci_personality *personality, struct err *err)
{
	if (!personality)
		return 0;
	return validate_word(&spec_personality_domains, personality->domain, err,
			     "linux.personality.domain");
}

int validate_linux(const struct oci_linux *linux_, struct err *err)
{
	int r = validate_namespaces(linux_, err);

	if (r == 0)
		r = validate_mappings(linux_->uid_mappings, linux_->n_uid_mappings,
				      linux_->gid_mappings, linux_->n_gid_mappings, "linux", err);
	if (r == 0)
		r = validate_time_offsets(linux_, err);
	if (r == 0)
		r = validate_paths(linux_, err);
	if (r == 0)
		r = validate_net_devices(linux_, err);
	if (r == 0)
		r = validate_sysctl(linux_, err);
	if (r == 0)
		r = validate_devices(linux_, err);
	if (r == 0)
		r = oci_resources_validate(linux_->resources, err);
	if (r == 0)
		r = validate_propagation(linux_, err);
	if (r == 0)
		r = validate_intel_rdt(linux_->intel_rdt, err);
	if (r == 0)
		r = validate_memory_policy(linux_->memory_policy, err);
	if (r == 0)
		r = validate_personality(linux_->personality, err);
	if (r == 0)
		r = validate_seccomp(linux_->seccomp, err);
	return r;
}
