/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/plan_systemd.h"

#include <ctype.h>
#include <inttypes.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"

#define USEC_PER_SEC 1000000U
#define PERCENT_USEC 10000U /* of a second of processor time */
#define PERIOD_DEFAULT_US 100000U
#define INFINITE UINT64_MAX
#define CPUS_MAX 8192U /* CPU_SET_MAX_NCPU in systemd, and CONFIG_NR_CPUS at most */
#define ANNOTATION_PREFIX "org.systemd.property."
#define PROPERTY_NAME_MIN 3

/* In the place of an earlier one with this name: the unified map overrides what stands before it. */
static void set(struct systemd_plan *plan, const char *name, struct systemd_value value)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (!str_eq(plan->v[i].name, name))
			continue;
		systemd_value_done(&plan->v[i].value);
		plan->v[i].value = value;
		return;
	}
	systemd_plan_add(plan, name, value);
}

static void set_u64(struct systemd_plan *plan, const char *name, uint64_t value)
{
	set(plan, name, systemd_value_u64(value));
}

/* --- the unit ------------------------------------------------------------------------------ */

void systemd_plan_add_unit(struct systemd_plan *plan, const struct cgroup_systemd_name *name,
			   const char *id, const struct systemd_plan_facts *facts)
{
	auto_free char *description = xasprintf("floe-runtime container %s", id);

	systemd_plan_add(plan, "Description", systemd_value_string(description));
	if (name->is_slice) {
		struct systemd_value slices = systemd_value_array("s");

		systemd_value_push(&slices, systemd_value_string(name->slice));
		systemd_plan_add(plan, "Wants", slices);
	} else {
		systemd_plan_add(plan, "Slice", systemd_value_string(name->slice));
		systemd_plan_add(plan, "Delegate", systemd_value_bool(true));
	}
	systemd_plan_add(plan, "MemoryAccounting", systemd_value_bool(true));
	systemd_plan_add(plan, "CPUAccounting", systemd_value_bool(true));
	systemd_plan_add(plan, facts->is_v2 ? "IOAccounting" : "BlockIOAccounting",
			 systemd_value_bool(true));
	systemd_plan_add(plan, "TasksAccounting", systemd_value_bool(true));
	/* A container is ended by whoever runs it, not by the order of a shutdown. */
	systemd_plan_add(plan, "DefaultDependencies", systemd_value_bool(false));
}

/* --- values of files ----------------------------------------------------------------------- */

/* "max", "-1", "123", "64M" (the kernel's memparse()). */
static bool parse_amount(const char *text, uint64_t *ret)
{
	static const char units[] = "kmgtpe";
	size_t digits = strspn(text, "0123456789");
	auto_free char *number = xstrndup(text, digits);
	const char *unit = NULL;

	if (str_eq(text, "max") || str_eq(text, "-1")) {
		*ret = INFINITE;
		return true;
	}
	if (parse_u64(number, ret) < 0)
		return false;
	if (!text[digits])
		return true;
	unit = strchr(units, tolower((unsigned char)text[digits]));
	if (!unit || text[digits + 1])
		return false;
	return !__builtin_mul_overflow(*ret, (uint64_t)1 << (10 * (unit - units + 1)), ret);
}

static void set_bit(uint8_t *mask, size_t *n, uint32_t bit)
{
	mask[bit / 8] |= (uint8_t)(1U << bit % 8);
	*n = MAX(*n, (size_t)bit / 8 + 1);
}

/* "0-3" or "7" */
static int parse_range(char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	if (parse_u32(text, ret_first) < 0 || parse_u32(dash ? dash : text, ret_last) < 0 ||
	    *ret_first > *ret_last || *ret_last >= CPUS_MAX)
		return -EINVAL;
	return 0;
}

/* "0-3,7" as bits, the lowest of the first byte for 0. */
static int parse_cpus(const char *text, struct systemd_value *ret)
{
	auto_free char *copy = xstrdup(text);
	auto_free uint8_t *mask = xcalloc(CPUS_MAX / 8, 1);
	char *rest = copy;
	char *part;
	size_t n = 0;

	while ((part = strsep(&rest, ",\n"))) {
		uint32_t first;
		uint32_t last;

		part += strspn(part, " ");
		if (!*part)
			continue;
		if (parse_range(part, &first, &last) < 0)
			return -EINVAL;
		for (uint32_t i = first; i <= last; i++)
			set_bit(mask, &n, i);
	}
	*ret = systemd_value_bytes(mask, n);
	return 0;
}

/* --- quota --------------------------------------------------------------------------------- */

/* Microseconds a second; INFINITE for no quota. */
static uint64_t quota_per_sec(uint64_t quota, uint64_t period)
{
	__uint128_t usec;

	if (quota == INFINITE || period == 0)
		return INFINITE;
	usec = (__uint128_t)quota * USEC_PER_SEC / period;
	usec = (usec + PERCENT_USEC - 1) / PERCENT_USEC * PERCENT_USEC;
	return usec < INFINITE ? (uint64_t)usec : INFINITE;
}

/* "max 100000", "50000 100000", "50000" */
static bool parse_cpu_max(const char *text, uint64_t *ret_quota, uint64_t *ret_period)
{
	size_t len = strcspn(text, " ");
	auto_free char *quota = xstrndup(text, len);
	const char *period = text + len + strspn(text + len, " ");

	*ret_period = PERIOD_DEFAULT_US;
	if (!parse_amount(quota, ret_quota) || (*period && parse_u64(period, ret_period) < 0))
		return false;
	return *ret_period > 0;
}

static const struct cgroup_write *find_write(const struct cgroup_plan *limits, const char *file)
{
	for (size_t i = 0; i < limits->n; i++)
		if (str_eq(limits->v[i].file, file))
			return &limits->v[i];
	return NULL;
}

static uint64_t period_v1(const struct cgroup_plan *limits)
{
	const struct cgroup_write *w = find_write(limits, "cpu.cfs_period_us");
	uint64_t period;

	return w && parse_u64(w->value, &period) == 0 ? period : PERIOD_DEFAULT_US;
}

static bool round_quota(uint64_t *quota, uint64_t period)
{
	uint64_t per_sec = quota_per_sec(*quota, period);

	if (per_sec == INFINITE)
		return false;
	*quota = (uint64_t)((__uint128_t)per_sec * period / USEC_PER_SEC);
	return true;
}

void cgroup_plan_round_quota(struct cgroup_plan *limits)
{
	for (size_t i = 0; i < limits->n; i++) {
		struct cgroup_write *w = &limits->v[i];
		uint64_t period = period_v1(limits);
		uint64_t quota;

		if (str_eq(w->file, "cpu.cfs_quota_us") && parse_amount(w->value, &quota) &&
		    round_quota(&quota, period))
			replace_ptr(w->value, xasprintf("%" PRIu64, quota));
		if (str_eq(w->file, "cpu.max") && parse_cpu_max(w->value, &quota, &period) &&
		    round_quota(&quota, period))
			replace_ptr(w->value, xasprintf("%" PRIu64 " %" PRIu64, quota, period));
	}
}

static void add_quota(struct systemd_plan *plan, uint64_t quota, uint64_t period,
		      const struct systemd_plan_facts *facts)
{
	set_u64(plan, "CPUQuotaPerSecUSec", quota_per_sec(quota, period));
	if (facts->version >= 242)
		set_u64(plan, "CPUQuotaPeriodUSec", period);
}

/* --- limits -------------------------------------------------------------------------------- */

enum conversion { AMOUNT, WEIGHT, CPUS };

struct file_property {
	const char *file;
	const char *property;
	enum conversion conversion;
	unsigned int since; /* version of systemd */
};

static const struct file_property properties_v2[] = {
	{ "memory.max", "MemoryMax", AMOUNT, 231 },
	{ "memory.high", "MemoryHigh", AMOUNT, 231 },
	{ "memory.low", "MemoryLow", AMOUNT, 231 },
	{ "memory.min", "MemoryMin", AMOUNT, 240 },
	{ "memory.swap.max", "MemorySwapMax", AMOUNT, 232 },
	{ "memory.zswap.max", "MemoryZSwapMax", AMOUNT, 253 },
	{ "pids.max", "TasksMax", AMOUNT, 227 },
	{ "cpu.weight", "CPUWeight", WEIGHT, 232 },
	{ "io.weight", "IOWeight", WEIGHT, 230 },
	{ "cpuset.cpus", "AllowedCPUs", CPUS, 244 },
	{ "cpuset.mems", "AllowedMemoryNodes", CPUS, 244 },
};

static const struct file_property properties_v1[] = {
	{ "memory.limit_in_bytes", "MemoryLimit", AMOUNT, 0 },
	{ "cpu.shares", "CPUShares", WEIGHT, 0 },
	{ "blkio.weight", "BlockIOWeight", WEIGHT, 0 },
	{ "pids.max", "TasksMax", AMOUNT, 227 },
};

static void convert(struct systemd_plan *plan, const struct file_property *to, const char *text)
{
	struct systemd_value cpus;
	uint64_t number;

	switch (to->conversion) {
	case AMOUNT:
		if (parse_amount(text, &number))
			set_u64(plan, to->property, number);
		break;
	case WEIGHT:
		if (str_has_prefix(text, "default "))
			text += strlen("default ");
		if (parse_u64(text, &number) == 0)
			set_u64(plan, to->property, number);
		break;
	case CPUS:
		if (parse_cpus(text, &cpus) == 0)
			set(plan, to->property, cpus);
		break;
	}
}

static const struct file_property *find_property(const char *file,
						 const struct systemd_plan_facts *facts)
{
	const struct file_property *table = facts->is_v2 ? properties_v2 : properties_v1;
	size_t n = facts->is_v2 ? ARRAY_SIZE(properties_v2) : ARRAY_SIZE(properties_v1);

	for (size_t i = 0; i < n; i++)
		if (str_eq(table[i].file, file) && facts->version >= table[i].since)
			return &table[i];
	return NULL;
}

static void add_write(struct systemd_plan *plan, const struct cgroup_write *w,
		      const struct systemd_plan_facts *facts)
{
	/* A block I/O weight is for the BFQ scheduler first, whose scale is another. */
	bool by_fallback = str_eq(w->fallback_file, "io.weight");
	const char *file = by_fallback ? w->fallback_file : w->file;
	const char *text = by_fallback ? w->fallback_value : w->value;
	const struct file_property *to = find_property(file, facts);
	uint64_t quota;
	uint64_t period;

	if (to)
		convert(plan, to, text);
	if (!facts->is_v2)
		return;
	if (str_eq(file, "cpu.max") && parse_cpu_max(text, &quota, &period))
		add_quota(plan, quota, period, facts);
	if (str_eq(file, "memory.oom.group") && facts->version >= 253 && !facts->for_update)
		set(plan, "OOMPolicy",
		    systemd_value_string(str_eq(text, "1") ? "kill" : "continue"));
}

static void add_quota_v1(struct systemd_plan *plan, const struct cgroup_plan *limits,
			 const struct systemd_plan_facts *facts)
{
	const struct cgroup_write *w = find_write(limits, "cpu.cfs_quota_us");
	uint64_t quota = INFINITE;

	if (!w && !find_write(limits, "cpu.cfs_period_us"))
		return;
	if (!w || parse_amount(w->value, &quota))
		add_quota(plan, quota, period_v1(limits), facts);
}

/* The last one of a file that may be written more than once. */
static bool is_idle(const struct cgroup_plan *limits)
{
	bool idle = false;

	for (size_t i = 0; i < limits->n; i++)
		if (str_eq(limits->v[i].file, "cpu.idle"))
			idle = str_eq(limits->v[i].value, "1");
	return idle;
}

void systemd_plan_add_limits(struct systemd_plan *plan, const struct cgroup_plan *limits,
			     const struct systemd_plan_facts *facts)
{
	for (size_t i = 0; i < limits->n; i++)
		add_write(plan, &limits->v[i], facts);
	if (!facts->is_v2) {
		add_quota_v1(plan, limits, facts);
		return;
	}
	if (!is_idle(limits) || facts->version < 252)
		return;
	/* An idle group has no weight; systemd writes cpu.idle for this one. */
	if (find_write(limits, "cpu.weight"))
		log_warning("unable to apply both a CPU weight and CPU idle: an idle group has no "
			    "weight");
	set_u64(plan, "CPUWeight", 0);
}

/* --- devices ------------------------------------------------------------------------------- */

/* "/dev/char/1:3", "char-136", "block-*"; NULL where there is no way to say it. Names by number came
 * with systemd 240. */
static char *device_name(const struct device_rule *rule)
{
	const char *type = rule->type == 'b' ? "block" : "char";

	if (rule->major == DEVICE_ANY)
		return rule->minor == DEVICE_ANY ? xasprintf("%s-*", type) : NULL;
	if (rule->minor == DEVICE_ANY)
		return xasprintf("%s-%" PRId64, type, rule->major);
	return xasprintf("/dev/%s/%" PRId64 ":%" PRId64, type, rule->major, rule->minor);
}

static int list_devices(const struct device_rules *rules, struct systemd_value *list)
{
	struct device_exceptions x;
	int r = device_exceptions_from_rules(&x, rules, NULL);

	if (r < 0)
		return r;
	if (x.default_allow)
		r = x.n > 0 ? -EOPNOTSUPP : 1;
	for (size_t i = 0; r == 0 && i < x.n; i++) {
		const struct device_rule *rule = &x.v[i];
		auto_free char *name = device_name(rule);
		char access[4];
		size_t n = 0;

		if (!name) {
			r = -EOPNOTSUPP;
			break;
		}
		if (rule->access & DEVICE_READ)
			access[n++] = 'r';
		if (rule->access & DEVICE_WRITE)
			access[n++] = 'w';
		if (rule->access & DEVICE_MKNOD)
			access[n++] = 'm';
		access[n] = '\0';
		systemd_value_push(list, systemd_value_string_pair(name, access));
	}
	device_exceptions_done(&x);
	return r;
}

void systemd_plan_add_devices(struct systemd_plan *plan, const struct device_rules *rules,
			      const struct systemd_plan_facts *facts)
{
	struct systemd_value list = systemd_value_array("(ss)");
	bool is_strict = facts->version >= 240 && list_devices(rules, &list) == 0;

	if (!is_strict) {
		systemd_value_done(&list);
		list = systemd_value_array("(ss)");
	}
	systemd_plan_add(plan, "DevicePolicy", systemd_value_string(is_strict ? "strict" : "auto"));
	/* A list that is empty takes away what is there. */
	systemd_plan_add(plan, "DeviceAllow", systemd_value_array("(ss)"));
	if (list.n > 0)
		systemd_plan_add(plan, "DeviceAllow", list);
	else
		systemd_value_done(&list);
}

/* --- annotations --------------------------------------------------------------------------- */

static int check_name(const char *annotation, const char *name, struct err *err)
{
	if (strlen(name) < PROPERTY_NAME_MIN)
		return err_set(err, ERR_INVALID,
			       "invalid annotation '%s': the property's name is too short",
			       annotation);
	for (const char *s = name; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
			return err_set(err, ERR_INVALID,
				       "invalid annotation '%s': the name of a property has only "
				       "letters",
				       annotation);
	return 0;
}

/* "TimeoutStopSec", but not "TimeoutStopUSec", which is the property itself. */
static bool is_in_seconds(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && str_has_suffix(name, "Sec") && name[len - 4] >= 'a' &&
	       name[len - 4] <= 'z';
}

static int add_annotation(struct systemd_plan *plan, const char *annotation, const char *name,
			  const char *text, struct err *err)
{
	auto_free char *property = xstrdup(name);
	auto_systemd_value struct systemd_value value = SYSTEMD_VALUE_INIT;
	int r = check_name(annotation, name, err);

	if (r < 0)
		return r;
	r = systemd_value_parse(&value, text, err);
	if (r < 0)
		return err_wrap(err, r, "invalid annotation '%s'", annotation);
	if (is_in_seconds(name)) {
		r = systemd_value_to_usec(&value);
		if (r < 0)
			return err_set(err, ERR_INVALID,
				       "invalid annotation '%s': \"%s\" is no %s of seconds",
				       annotation, text,
				       r == -ERANGE ? "possible number" : "number");
		replace_ptr(property, xasprintf("%.*sUSec", (int)strlen(name) - 3, name));
	}
	systemd_plan_add(plan, property, value);
	value = (struct systemd_value)SYSTEMD_VALUE_INIT;
	return 0;
}

int systemd_plan_add_annotations(struct systemd_plan *plan,
				 const struct json_string_map *annotations, struct err *err)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const char *key = annotations->v[i].key;
		const char *name = str_skip_prefix(key, ANNOTATION_PREFIX);
		int r;

		if (!name)
			continue;
		r = add_annotation(plan, key, name, annotations->v[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}
