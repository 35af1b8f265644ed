/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled profiles are judged by what they answer: a small interpreter of classic BPF asks them
 * for tables of (architecture, call, arguments), as the kernel would.
 */
#include "runtime/seccomp/compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <seccomp.h>

#include <cmocka.h>

#include "core/strbuf.h"

#define X86_64 AUDIT_ARCH_X86_64
#define I386 AUDIT_ARCH_I386
#define X32 0x40000000
#define ALLOW SECCOMP_RET_ALLOW
#define ERR(e) (SECCOMP_RET_ERRNO | (e))
#define KILL SECCOMP_RET_KILL_THREAD

/* ---- the interpreter ---- */

static bool jump_taken(const struct sock_filter *f, uint32_t a, uint32_t x)
{
	uint32_t with = BPF_SRC(f->code) == BPF_X ? x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == with;
	case BPF_JGT:
		return a > with;
	case BPF_JGE:
		return a >= with;
	case BPF_JSET:
		return a & with;
	default:
		fail_msg("unexpected jump %#x", f->code);
		return false;
	}
}

static uint32_t compute(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_AND:
		return a & f->k;
	case BPF_OR:
		return a | f->k;
	case BPF_RSH:
		return a >> f->k;
	default:
		fail_msg("unexpected arithmetic %#x", f->code);
		return 0;
	}
}

static uint32_t judge(const struct seccomp_filter *filter, const struct seccomp_data *data)
{
	const unsigned char *bytes = (const unsigned char *)data;
	uint32_t memory[BPF_MEMWORDS] = { 0 };
	uint32_t a = 0;
	uint32_t x = 0;

	for (size_t pc = 0; pc < filter->n_insns; pc++) {
		const struct sock_filter *f = &filter->insns[pc];

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			if (BPF_MODE(f->code) == BPF_ABS) {
				assert_true(f->k + 4 <= sizeof(*data) && f->k % 4 == 0);
				memcpy(&a, bytes + f->k, 4);
			} else {
				assert_int_equal(BPF_MODE(f->code), BPF_MEM);
				a = memory[f->k];
			}
			break;
		case BPF_ST:
			memory[f->k] = a;
			break;
		case BPF_ALU:
			a = compute(f, a);
			break;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				pc += f->k;
			else
				pc += jump_taken(f, a, x) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		default:
			fail_msg("unexpected instruction %#x", f->code);
		}
	}
	fail_msg("the program ends without an answer");
	return 0;
}

/* ---- profiles ---- */

struct profile {
	struct oci_linux linux_;
	struct seccomp_filter filter;
	struct err err;
	int r;
};

/* `seccomp` is the object's content, with ' for ". */
static void compile(struct profile *ret, const char *seccomp)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*ret = (struct profile){ 0 };
	strbuf_addf(&text, "{\"seccomp\":{%s}}", seccomp);
	for (size_t i = 0; i < text.len; i++)
		if (text.buf[i] == '\'')
			text.buf[i] = '"';
	if (json_decode(&oci_linux_desc, &ret->linux_, text.buf, text.len, "test", &ret->err) < 0)
		fail_msg("%s", ret->err.msg);
	ret->r = seccomp_filter_compile(&ret->filter, ret->linux_.seccomp, &ret->err);
}

static void release(struct profile *p)
{
	seccomp_filter_done(&p->filter);
	json_done(&oci_linux_desc, &p->linux_);
}

static void compile_ok(struct profile *ret, const char *seccomp)
{
	compile(ret, seccomp);
	if (ret->r < 0)
		fail_msg("%s", ret->err.msg);
}

static void check_refused(const char *seccomp, const char *message)
{
	struct profile p;

	compile(&p, seccomp);
	assert_true(p.r < 0);
	assert_string_equal(p.err.msg, message);
	assert_null(p.filter.insns);
	release(&p);
}

static uint32_t ask(const struct profile *p, uint32_t arch, int nr, uint64_t a0, uint64_t a1)
{
	const struct seccomp_data data = { .nr = nr, .arch = arch, .args = { a0, a1 } };

	return judge(&p->filter, &data);
}

/* ---- tests ---- */

static void test_default_and_rules(void **state UNUSED)
{
	struct profile p;

	compile_ok(&p, "'defaultAction':'SCMP_ACT_ALLOW','syscalls':["
		       "{'names':['mkdir','no_such_call','rmdir'],'action':'SCMP_ACT_ERRNO'},"
		       "{'names':['chmod'],'action':'SCMP_ACT_ERRNO','errnoRet':38},"
		       "{'names':['chown'],'action':'SCMP_ACT_KILL_PROCESS'},"
		       "{'names':['sync'],'action':'SCMP_ACT_TRACE','errnoRet':7},"
		       "{'names':['acct'],'action':'SCMP_ACT_TRAP'},"
		       "{'names':['link'],'action':'SCMP_ACT_LOG'},"
		       "{'names':['unlink'],'action':'SCMP_ACT_KILL'},"
		       "{'names':['swapon'],'action':'SCMP_ACT_KILL_THREAD'}]");
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(read), 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(rmdir), 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(chmod), 0, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(chown), 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(sync), 0, 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(acct), 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(link), 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(unlink), 0, 0), KILL);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(swapon), 0, 0), KILL);
	/* What is newer than the profile stays allowed when the default allows. */
	assert_int_equal(ask(&p, X86_64, 460, 0, 0), ALLOW);
	/* Architectures that are not in the filter. */
	assert_int_equal(ask(&p, I386, 39, 0, 0), KILL);
	assert_int_equal(ask(&p, X86_64, X32 | 0, 0, 0), KILL);
	assert_int_equal(ask(&p, AUDIT_ARCH_AARCH64, 0, 0, 0), KILL);
	assert_false(p.filter.notifies);
	release(&p);
}

static void test_errno_of_default_is_not_that_of_rules(void **state UNUSED)
{
	struct profile p;

	compile_ok(&p, "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':95,'syscalls':["
		       "{'names':['read','process_madvise'],'action':'SCMP_ACT_ALLOW'},"
		       "{'names':['write'],'action':'SCMP_ACT_ERRNO','errnoRet':95},"
		       "{'names':['open'],'action':'SCMP_ACT_ERRNO'}]");
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(read), 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(write), 0, 0), ERR(95));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(open), 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(close), 0, 0), ERR(95));
	release(&p);
}

static void check_operator(const char *op, uint64_t value, uint64_t value_two, const uint64_t *hit,
			   size_t n_hit, const uint64_t *miss, size_t n_miss)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct profile p;

	strbuf_addf(&text,
		    "'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],"
		    "'action':'SCMP_ACT_ERRNO','args':[{'index':1,'value':%llu,'valueTwo':%llu,"
		    "'op':'%s'}]}]",
		    (unsigned long long)value, (unsigned long long)value_two, op);
	compile_ok(&p, text.buf);
	for (size_t i = 0; i < n_hit; i++)
		assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 0, hit[i]), ERR(EPERM));
	for (size_t i = 0; i < n_miss; i++)
		assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 0, miss[i]), ALLOW);
	release(&p);
}

#define VALUES(...)                                                                                \
	(const uint64_t[]){ __VA_ARGS__ }, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)

static void test_operators(void **state UNUSED)
{
	const uint64_t big = UINT64_C(0x500000000);

	check_operator("SCMP_CMP_EQ", 5, 0, VALUES(5), VALUES(4, 6, big + 5));
	check_operator("SCMP_CMP_NE", 5, 0, VALUES(4, 6, big + 5), VALUES(5));
	check_operator("SCMP_CMP_LT", 5, 0, VALUES(0, 4), VALUES(5, 6, big));
	check_operator("SCMP_CMP_LE", 5, 0, VALUES(0, 4, 5), VALUES(6, big));
	check_operator("SCMP_CMP_GE", 5, 0, VALUES(5, 6, big, UINT64_MAX), VALUES(0, 4));
	check_operator("SCMP_CMP_GT", 5, 0, VALUES(6, big, UINT64_MAX), VALUES(0, 4, 5));
	check_operator("SCMP_CMP_GT", big, 0, VALUES(big + 1), VALUES(big, 5, 0xffffffff));
	check_operator("SCMP_CMP_EQ", UINT64_MAX, 0, VALUES(UINT64_MAX), VALUES(0xffffffff, 0));
	/* value is the mask, valueTwo what the masked argument must be. */
	check_operator("SCMP_CMP_MASKED_EQ", 0x7e020000, 0, VALUES(0, 0x11, 0x80000000),
		       VALUES(0x20000, 0x40000000));
	check_operator("SCMP_CMP_MASKED_EQ", 0xf0, 0x30, VALUES(0x30, 0x3f, 0x130),
		       VALUES(0, 0x20, 0x70));
}

static void test_several_args(void **state UNUSED)
{
	struct profile p;

	/* All of them. */
	compile_ok(&p, "'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],"
		       "'action':'SCMP_ACT_ERRNO','args':["
		       "{'index':0,'value':1,'op':'SCMP_CMP_EQ'},"
		       "{'index':1,'value':2,'op':'SCMP_CMP_EQ'}]}]");
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 1, 2), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 1, 3), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 0, 2), ALLOW);
	release(&p);
	/* An index twice: any of them. */
	compile_ok(&p, "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':1,'syscalls':["
		       "{'names':['personality','process_madvise'],'action':'SCMP_ACT_ALLOW',"
		       "'args':[{'index':0,'value':0,'op':'SCMP_CMP_EQ'},"
		       "{'index':0,'value':8,'op':'SCMP_CMP_EQ'},"
		       "{'index':1,'value':77,'op':'SCMP_CMP_EQ'}]}]");
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 8, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 5, 77), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 5, 0), ERR(EPERM));
	release(&p);
}

static void test_several_entries_for_one_call(void **state UNUSED)
{
	struct profile p;

	compile_ok(&p, "'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
		       "{'names':['personality'],'action':'SCMP_ACT_ALLOW',"
		       "'args':[{'index':0,'value':0,'op':'SCMP_CMP_EQ'}]},"
		       "{'names':['personality'],'action':'SCMP_ACT_ALLOW',"
		       "'args':[{'index':0,'value':8,'op':'SCMP_CMP_EQ'}]},"
		       "{'names':['read'],'action':'SCMP_ACT_ALLOW'},"
		       "{'names':['read'],'action':'SCMP_ACT_ALLOW'},"
		       "{'names':['close'],'action':'SCMP_ACT_ERRNO'}]");
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 8, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(personality), 1, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(read), 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(close), 0, 0), ERR(EPERM));
	release(&p);
}

static void test_architectures(void **state UNUSED)
{
	struct profile p;

	compile_ok(&p, "'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86_64',"
		       "'SCMP_ARCH_X86','SCMP_ARCH_X32','SCMP_ARCH_X86','SCMP_ARCH_S390X',"
		       "'SCMP_ARCH_LOONGARCH64'],'syscalls':["
		       "{'names':['mkdir','socket','process_madvise'],'action':'SCMP_ACT_ALLOW'}]");
	assert_int_equal(ask(&p, X86_64, 83, 0, 0), ALLOW);
	assert_int_equal(ask(&p, I386, 39, 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, X32 | 83, 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, 84, 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, I386, 40, 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, X32 | 84, 0, 0), ERR(EPERM));
	/* socket: a call of its own, and one of those behind socketcall. */
	assert_int_equal(ask(&p, I386, 359, 0, 0), ALLOW);
	assert_int_equal(ask(&p, I386, 102, 1, 0), ALLOW);
	assert_int_equal(ask(&p, I386, 102, 2, 0), ERR(EPERM));
	assert_int_equal(ask(&p, AUDIT_ARCH_ARM, 39, 0, 0), KILL);
	release(&p);
	check_refused("'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_VAX']",
		      "linux.seccomp.architectures[0]: 'SCMP_ARCH_VAX' is not a valid arch for "
		      "seccomp");
}

static void test_enosys(void **state UNUSED)
{
	struct profile p;

	/* clone3 is 435 on both. */
	compile_ok(&p, "'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86'],"
		       "'syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'},"
		       "{'names':['clone3'],'action':'SCMP_ACT_ERRNO'}]");
	assert_int_equal(ask(&p, X86_64, 0, 0, 0), ALLOW);
	assert_int_equal(ask(&p, X86_64, 435, 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, X86_64, 436, 0, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, X86_64, 0x3fffffff, 0, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, I386, 3, 0, 0), ALLOW);
	assert_int_equal(ask(&p, I386, 435, 0, 0), ERR(EPERM));
	assert_int_equal(ask(&p, I386, 436, 0, 0), ERR(ENOSYS));
	/* x32 is not in the filter: killed as before. */
	assert_int_equal(ask(&p, X86_64, X32 | 0, 0, 0), KILL);
	assert_int_equal(ask(&p, X86_64, X32 | 500, 0, 0), KILL);
	assert_int_equal(ask(&p, AUDIT_ARCH_AARCH64, 5000, 0, 0), KILL);
	release(&p);

	compile_ok(&p, "'defaultAction':'SCMP_ACT_KILL_PROCESS',"
		       "'architectures':['SCMP_ARCH_X32','SCMP_ARCH_X86_64'],"
		       "'syscalls':[{'names':['read','clone3'],'action':'SCMP_ACT_ALLOW'}]");
	assert_int_equal(ask(&p, X86_64, 1, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&p, X86_64, 436, 0, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, X86_64, X32 | 1, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&p, X86_64, X32 | 435, 0, 0), ALLOW);
	assert_true(ask(&p, X86_64, X32 | 600, 0, 0) == ERR(ENOSYS));
	release(&p);
}

static void test_no_enosys(void **state UNUSED)
{
	static const struct {
		const char *profile;
		uint32_t answer;
	} cases[] = {
		{ "'defaultAction':'SCMP_ACT_ALLOW'", ALLOW },
		{ "'defaultAction':'SCMP_ACT_LOG'", SECCOMP_RET_LOG },
		{ "'defaultAction':'SCMP_ACT_TRACE'", SECCOMP_RET_TRACE | EPERM },
		{ "'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':9", SECCOMP_RET_TRACE | 9 },
		{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38", ERR(ENOSYS) },
		/* No call named on this architecture: nothing is "newer". */
		{ "'defaultAction':'SCMP_ACT_ERRNO'", ERR(EPERM) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct profile p;

		strbuf_addf(&text, "%s,'syscalls':[{'names':['%s'],'action':'SCMP_ACT_TRAP'}]",
			    cases[i].profile, i == 5 ? "no_such_call" : "read");
		compile_ok(&p, text.buf);
		assert_int_equal(ask(&p, X86_64, 500, 0, 0), cases[i].answer);
		assert_int_equal(ask(&p, X86_64, 1, 0, 0), cases[i].answer);
		release(&p);
	}
}

/*
 * A profile of the size of the engines' default ones, which libseccomp turns into a binary tree:
 * every call of x86_64 but each fifth, on three architectures, with conditions in between.
 */
static void test_large_profile(void **state UNUSED)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct profile p;
	int n_checked = 0;
	int last = 0;

	strbuf_adds(&text, "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
			   "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32'],"
			   "'syscalls':[{'action':'SCMP_ACT_ALLOW','names':['no_such_call'");
	for (int nr = 0; nr < 450; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name && nr % 5 != 0 && strcmp(name, "clone") != 0)
			strbuf_addf(&text, ",'%s'", name);
		if (name)
			last = nr;
		free(name);
	}
	strbuf_adds(&text, "]},{'names':['clone'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,"
			   "'value':2114060288,'op':'SCMP_CMP_MASKED_EQ'}]}]");
	compile_ok(&p, text.buf);
	for (int nr = 0; nr <= last; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		int i386 = name ? seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name) : -1;
		int x32 = name ? seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, name) : -1;
		uint32_t want = name && nr % 5 != 0 ? ALLOW : ERR(ENOSYS);

		assert_int_equal(ask(&p, X86_64, nr, 0, 0),
				 name && strcmp(name, "clone") == 0 ? ALLOW : want);
		if (i386 >= 0 && strcmp(name, "clone") != 0)
			assert_int_equal(ask(&p, I386, i386, 0, 0), want);
		if (x32 >= 0 && strcmp(name, "clone") != 0)
			assert_int_equal(ask(&p, X86_64, x32, 0, 0), want);
		n_checked += name != NULL;
		free(name);
	}
	assert_true(n_checked > 300);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(clone), 0x7e020000, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(clone), 0x11, 0), ALLOW);
	assert_int_equal(ask(&p, I386, 120, 0x10000000, 0), ERR(ENOSYS));
	assert_int_equal(ask(&p, X86_64, 500, 0, 0), ERR(ENOSYS));
	release(&p);
}

static void test_notify(void **state UNUSED)
{
	struct profile p;

	compile_ok(&p, "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/a','flags':["
		       "'SECCOMP_FILTER_FLAG_TSYNC','SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],"
		       "'syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]");
	assert_true(p.filter.notifies);
	assert_int_equal(p.filter.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | 1U << 5);
	assert_int_equal(ask(&p, X86_64, SCMP_SYS(mkdir), 0, 0), SECCOMP_RET_USER_NOTIF);
	release(&p);
	check_refused("'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/a'",
		      "SCMP_ACT_NOTIFY cannot be used as default action");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/a','syscalls':["
		      "{'names':['mkdir','write'],'action':'SCMP_ACT_NOTIFY'}]",
		      "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','syscalls':["
		      "{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]",
		      "linux.seccomp.listenerPath: it is required for SCMP_ACT_NOTIFY");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','listenerMetadata':'x'",
		      "linux.seccomp.listenerMetadata: it is only allowed with listenerPath");
}

static void check_flags(const char *flags, unsigned int want, unsigned int optional)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct profile p;

	strbuf_addf(&text, "'defaultAction':'SCMP_ACT_ALLOW'%s", flags);
	compile_ok(&p, text.buf);
	assert_int_equal(p.filter.flags, want);
	assert_int_equal(p.filter.optional_flags, optional);
	release(&p);
}

static void test_flags(void **state UNUSED)
{
	check_flags("", SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	check_flags(",'flags':[]", 0, 0);
	check_flags(",'flags':['SECCOMP_FILTER_FLAG_LOG']", SECCOMP_FILTER_FLAG_LOG, 0);
	check_flags(",'flags':['SECCOMP_FILTER_FLAG_TSYNC','SECCOMP_FILTER_FLAG_SPEC_ALLOW']",
		    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0);
	/* It is about a listener, and there is none. */
	check_flags(",'flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']", 0, 0);
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_X']",
		      "linux.seccomp.flags[0]: unknown flag 'SECCOMP_FILTER_FLAG_X'");
}

static void test_refusals(void **state UNUSED)
{
	struct profile p;

	check_refused("'defaultAction':'ALLOW'",
		      "linux.seccomp.defaultAction: unknown action 'ALLOW'");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':1",
		      "linux.seccomp.defaultAction: SCMP_ACT_ALLOW takes no errno");
	check_refused("'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096",
		      "linux.seccomp.defaultAction: errno 4096 is above 4095");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
		      "'action':'SCMP_ACT_TRAP'},{'names':['read'],'action':'X'}]",
		      "linux.seccomp.syscalls[1].action: unknown action 'X'");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
		      "'action':'SCMP_ACT_KILL','errnoRet':1}]",
		      "linux.seccomp.syscalls[0].action: SCMP_ACT_KILL takes no errno");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
		      "'action':'SCMP_ACT_TRAP','args':[{'index':6,'value':0,"
		      "'op':'SCMP_CMP_EQ'}]}]",
		      "linux.seccomp.syscalls[0].args[0].index: 6 is above 5");
	check_refused("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
		      "'action':'SCMP_ACT_TRAP','args':[{'index':5,'value':0,'op':'EQ'}]}]",
		      "linux.seccomp.syscalls[0].args[0].op: unknown operator 'EQ'");
	/* Nothing is asked for: no filter. */
	compile_ok(&p, "'defaultAction':''");
	assert_int_equal(p.filter.n_insns, 0);
	assert_int_equal(p.filter.flags, 0);
	release(&p);
}

static void test_known_names(void **state UNUSED)
{
	const char *const *list = seccomp_known_archs();
	bool has_native = false;

	assert_string_equal(seccomp_known_actions()[0], "SCMP_ACT_ALLOW");
	assert_string_equal(seccomp_known_operators()[6], "SCMP_CMP_NE");
	assert_null(seccomp_known_operators()[7]);
	assert_string_equal(seccomp_known_flags()[0], "SECCOMP_FILTER_FLAG_LOG");
	for (; *list; list++) {
		has_native |= strcmp(*list, "SCMP_ARCH_X86_64") == 0;
		assert_true(!list[1] || strcmp(list[0], list[1]) < 0);
	}
	assert_true(has_native);
}

static int only_on_x86_64(void **state UNUSED)
{
#ifdef __x86_64__
	return 0;
#else
	(void)fprintf(stderr, "SKIP: the tables are for x86_64\n");
	exit(77);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_and_rules),
		cmocka_unit_test(test_errno_of_default_is_not_that_of_rules),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_several_args),
		cmocka_unit_test(test_several_entries_for_one_call),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_enosys),
		cmocka_unit_test(test_no_enosys),
		cmocka_unit_test(test_large_profile),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_known_names),
	};

	return cmocka_run_group_tests(tests, only_on_x86_64, NULL);
}
