/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/names.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "core/str.h"
#include "runtime/seccomp/compile.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

static const struct seccomp_action actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG, false },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP, false },
};

static const struct {
	const char *name;
	enum scmp_compare value;
} operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
};

static const char *const archs[] = {
	"SCMP_ARCH_AARCH64",	 "SCMP_ARCH_ARM",    "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",	 "SCMP_ARCH_MIPS",   "SCMP_ARCH_MIPS64",
	"SCMP_ARCH_MIPS64N32",	 "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
	"SCMP_ARCH_PPC",	 "SCMP_ARCH_PPC64",  "SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_RISCV64",	 "SCMP_ARCH_S390",   "SCMP_ARCH_S390X",
	"SCMP_ARCH_SH",		 "SCMP_ARCH_SHEB",   "SCMP_ARCH_X32",
	"SCMP_ARCH_X86",	 "SCMP_ARCH_X86_64",
};

static const struct {
	const char *name;
	unsigned int value;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

const struct seccomp_action *seccomp_action_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (str_eq(actions[i].name, name))
			return &actions[i];
	return NULL;
}

int seccomp_operator_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (str_eq(operators[i].name, name))
			return (int)operators[i].value;
	return -EINVAL;
}

/* libseccomp has the same names in lower case and without the prefix. */
static uint32_t resolve_arch(const char *name)
{
	char lower[24] = "";

	name += strlen("SCMP_ARCH_");
	for (size_t i = 0; name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	return seccomp_arch_resolve_name(lower);
}

int seccomp_arch_by_name(const char *name, uint32_t *ret_token)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		if (!str_eq(archs[i], name))
			continue;
		*ret_token = resolve_arch(name);
		return *ret_token ? 0 : -EOPNOTSUPP;
	}
	return -EINVAL;
}

unsigned int seccomp_flag_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (str_eq(flags[i].name, name))
			return flags[i].value;
	return 0;
}

const char *const *seccomp_known_actions(void)
{
	static const char *list[ARRAY_SIZE(actions) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		list[i] = actions[i].name;
	return list;
}

const char *const *seccomp_known_operators(void)
{
	static const char *list[ARRAY_SIZE(operators) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		list[i] = operators[i].name;
	return list;
}

const char *const *seccomp_known_archs(void)
{
	static const char *list[ARRAY_SIZE(archs) + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (resolve_arch(archs[i]))
			list[n++] = archs[i];
	return list;
}

const char *const *seccomp_known_flags(void)
{
	static const char *list[ARRAY_SIZE(flags) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		list[i] = flags[i].name;
	return list;
}
