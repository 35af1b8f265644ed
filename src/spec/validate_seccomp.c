/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp. Names of system calls are not checked: a profile lists those of kernels and
 * architectures that are not here.
 */
#include "spec/validate.h"

#include "spec/validate_parts.h"

#define NOTIFY "SCMP_ACT_NOTIFY"
#define ARG_INDEX_MAX 5 /* seccomp_data.args[6] */

static int validate_seccomp_args(const struct oci_seccomp_syscall *call, size_t i, struct err *err)
{
	for (size_t j = 0; j < call->n_args; j++) {
		const struct oci_seccomp_arg *arg = &call->args[j];
		int r;

		if (arg->index > ARG_INDEX_MAX)
			return err_set(
				err, ERR_INVALID,
				"linux.seccomp.syscalls[%zu].args[%zu].index: %u, expected 0 "
				"to %d",
				i, j, arg->index, ARG_INDEX_MAX);
		r = validate_word(&spec_seccomp_operators, arg->op, err,
				  "linux.seccomp.syscalls[%zu].args[%zu].op", i, j);
		if (r < 0)
			return r;
	}
	return 0;
}

static int validate_seccomp_names(const struct oci_seccomp_syscall *call, size_t i, struct err *err)
{
	bool is_notify = str_eq(call->action, NOTIFY);

	for (size_t j = 0; j < call->n_names; j++) {
		if (!*call->names[j])
			return err_set(
				err, ERR_INVALID,
				"linux.seccomp.syscalls[%zu].names[%zu]: empty string is not "
				"a valid syscall",
				i, j);
		/* Whoever answers notifications could not be written to while it is asked. */
		if (is_notify && str_eq(call->names[j], "write"))
			return err_set(err, ERR_INVALID,
				       "linux.seccomp.syscalls[%zu].action: " NOTIFY
				       " cannot be used for the write syscall",
				       i);
	}
	return 0;
}

static int validate_seccomp_calls(const struct oci_seccomp *seccomp, bool *ret_notifies,
				  struct err *err)
{
	for (size_t i = 0; i < seccomp->n_syscalls; i++) {
		const struct oci_seccomp_syscall *call = &seccomp->syscalls[i];
		int r = validate_word(&spec_seccomp_actions, call->action, err,
				      "linux.seccomp.syscalls[%zu].action", i);

		if (r == 0)
			r = validate_seccomp_names(call, i, err);
		if (r == 0)
			r = validate_seccomp_args(call, i, err);
		if (r < 0)
			return r;
		*ret_notifies |= str_eq(call->action, NOTIFY);
	}
	return 0;
}

static int validate_seccomp_words(const struct oci_seccomp *seccomp, struct err *err)
{
	int r = validate_word(&spec_seccomp_actions, seccomp->default_action, err,
			      "linux.seccomp.defaultAction");

	for (size_t i = 0; r == 0 && i < seccomp->n_architectures; i++)
		r = validate_word(&spec_seccomp_archs, seccomp->architectures[i], err,
				  "linux.seccomp.architectures[%zu]", i);
	for (size_t i = 0; r == 0 && i < seccomp->n_flags; i++)
		r = validate_word(&spec_seccomp_flags, seccomp->flags[i], err,
				  "linux.seccomp.flags[%zu]", i);
	return r;
}

int validate_seccomp(const struct oci_seccomp *seccomp, struct err *err)
{
	bool notifies = false;
	int r;

	/* An object without content switches seccomp off, as runc has it. */
	if (!seccomp || (str_is_empty(seccomp->default_action) && seccomp->n_syscalls == 0))
		return 0;
	r = validate_seccomp_words(seccomp, err);
	if (r < 0)
		return r;
	if (str_eq(seccomp->default_action, NOTIFY))
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.defaultAction: " NOTIFY
			       " cannot be used as default action");
	r = validate_seccomp_calls(seccomp, &notifies, err);
	if (r < 0)
		return r;
	if (notifies && str_is_empty(seccomp->listener_path))
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.listenerPath: missing, a profile with " NOTIFY
			       " needs the socket of a listener");
	return 0;
}
