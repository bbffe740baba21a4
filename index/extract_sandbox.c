#include "index/extract_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's kernel headers: a kernel that knows less takes a shorter struct. */
struct landlock_attr {
	uint64_t fs;     /* version 1 */
	uint64_t net;    /* version 4 */
	uint64_t scoped; /* version 6 */
};

int sandbox_landlock_version(void)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

enum { FS_EXECUTE = 1 << 0, FS_READ_FILE = 1 << 2, FS_READ_DIR = 1 << 3 };

/* A path that is not there is left out: then nobody can open it either. */
static bool allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	bool done = true;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return true;
	if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
		rule.allowed_access |= FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		done = false;
	close(rule.parent_fd);
	return done;
}

/* What every program needs to start: the loader, which is executed too, its list, and libc, wherever
 * this process has them from. */
static int allow_runtime(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *name = info->dlpi_name, *base = strrchr(name, '/');
	const int *ruleset = arg;

	(void)size;
	if (!base)
		return 0;
	if (strncmp(base, "/ld-", 4) == 0 || strncmp(base, "/ld64", 5) == 0)
		return !allow_path(*ruleset, name, FS_READ_FILE | FS_EXECUTE);
	if (strcmp(base, "/libc.so.6") == 0)
		return !allow_path(*ruleset, name, FS_READ_FILE);
	return 0;
}

static bool allow_paths(int ruleset, const struct sandbox_paths *paths, size_t n)
{
	bool done = n == 0 || (dl_iterate_phdr(allow_runtime, &ruleset) == 0 &&
				  allow_path(ruleset, "/etc/ld.so.cache", FS_READ_FILE));

	for (size_t i = 0; i < n && done; i++) {
		if (paths[i].program)
			done = allow_path(ruleset, paths[i].program, FS_READ_FILE | FS_EXECUTE);
		for (size_t k = 0; done && paths[i].reads && paths[i].reads[k]; k++)
			done = allow_path(ruleset, paths[i].reads[k], FS_READ_FILE);
	}
	return done;
}

/* A ruleset that handles everything the kernel can: what is not among the paths is refused. */
static int landlock_enter(const struct sandbox_paths *paths, size_t n, struct ark_error *err)
{
	static const unsigned int fs_bits[] = {0, 13, 14, 15, 15, 16};
	int version = sandbox_landlock_version(), fd;
	struct landlock_attr attr = {0};
	size_t size = offsetof(struct landlock_attr, net);

	if (version == 0 && n > 0)
		return ark_fail(err, ARK_EIO, "helper programs need a kernel with Landlock");
	if (version == 0)
		return ARK_OK; /* seccomp stands alone; extractor_sandbox() says so */
	attr.fs = (UINT64_C(1) << fs_bits[version < 5 ? version : 5]) - 1;
	if (version >= 4) {
		attr.net = 3; /* bind and connect of TCP */
		size = offsetof(struct landlock_attr, scoped);
	}
	if (version >= 6) {
		attr.scoped = 3; /* abstract sockets, signals */
		size = sizeof(attr);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "Landlock makes no ruleset");
	if (!allow_paths(fd, paths, n) || syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
		int status = ark_fail_errno(err, ARK_EIO, "Landlock does not restrict");

		close(fd);
		return status;
	}
	close(fd);
	return ARK_OK;
}

/* Sanitizers reserve terabytes of addresses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOUND_ADDRESSES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define BOUND_ADDRESSES 0
#endif
#endif
#ifndef BOUND_ADDRESSES
#define BOUND_ADDRESSES 1
#endif

static int set_limits(
    const struct sandbox_limits *limits, rlim_t descriptors, struct ark_error *err)
{
	const struct {
		__rlimit_resource_t resource;
		rlim_t soft, hard;
	} list[] = {
	    {RLIMIT_CORE, 0, 0},
	    {RLIMIT_FSIZE, 0, 0},
	    {RLIMIT_NOFILE, descriptors, descriptors},
	    {RLIMIT_NPROC, 0, 0},
	    {RLIMIT_MEMLOCK, 0, 0},
	    {RLIMIT_MSGQUEUE, 0, 0},
	    {RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 1},
	    {RLIMIT_AS, limits->memory, limits->memory},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		struct rlimit r = {.rlim_cur = list[i].soft, .rlim_max = list[i].hard};

		/* a program too: what stands between here and its start still is our code */
		if (list[i].resource == RLIMIT_AS && !BOUND_ADDRESSES)
			continue;
		if (setrlimit(list[i].resource, &r) < 0)
			return ark_fail_errno(err, ARK_EIO, "resource limits cannot be set");
	}
	return ARK_OK;
}

static int drop_privileges(struct ark_error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (syscall(SYS_capset, &head, none) < 0)
		return ark_fail_errno(err, ARK_EIO, "capabilities cannot be dropped");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return ark_fail_errno(err, ARK_EIO, "privileges cannot be given up");
	return ARK_OK;
}

/* What decoding needs. No stat by path: it would tell which files exist. No fcntl and
 * no kill: both can signal others. */
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek),
    SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(sched_yield),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* No decoder of good faith comes near these. */
static const int deadly[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(init_module),
    SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(reboot),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup)};

/* Allows the call only where its argument agrees with `test`. */
static int allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp test)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &test);
}

static int add_deadly(scmp_filter_ctx filter, bool program)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly) && r == 0; i++) {
		if (!program || deadly[i] != SCMP_SYS(execve))
			r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	}
	return r;
}

/* What a program does to start, and to read the files that Landlock leaves it: no other way to open,
 * no writing, code from files only. access and stat tell which files exist, which the programs' own
 * looking for their tables needs; what they print is all that can carry it out. */
static int add_program_rules(scmp_filter_ctx filter)
{
	static const int start[] = {SCMP_SYS(execve), SCMP_SYS(access), SCMP_SYS(newfstatat),
	    SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
	    SCMP_SYS(rseq)};
	const struct scmp_arg_cmp code = {
	    .arg = 2, .op = SCMP_CMP_EQ, .datum_a = PROT_READ | PROT_EXEC};
	const struct scmp_arg_cmp from_file = {
	    .arg = 3, .op = SCMP_CMP_MASKED_EQ, .datum_a = MAP_ANONYMOUS, .datum_b = 0};
	const struct scmp_arg_cmp code_of_file[] = {code, from_file};
	const struct scmp_arg_cmp to_read = {.arg = 2,
	    .op = SCMP_CMP_MASKED_EQ,
	    .datum_a = O_ACCMODE | O_CREAT | O_TRUNC | O_PATH,
	    .datum_b = O_RDONLY};
	const struct scmp_arg_cmp only_ask = {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0};
	int r = 0;

	for (size_t i = 0; i < sizeof(start) / sizeof(*start) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, start[i], 0);
	if (r == 0)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, code_of_file);
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(openat), to_read);
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(prlimit64), only_ask);
	return r;
}

static int add_rules(scmp_filter_ctx filter, bool program)
{
	const struct scmp_arg_cmp no_code = {
	    .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
	const struct scmp_arg_cmp itself = {
	    .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
	int r = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = add_deadly(filter, program);
	/* memory, but no new code in it */
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(mmap), no_code);
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(mprotect), no_code);
	/* abort() signals itself, so that a crash is seen as what it is */
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(tgkill), itself);
	if (r == 0 && program)
		r = add_program_rules(filter);
	return r;
}

static int seccomp_enter(bool program, struct ark_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return ark_fail(err, ARK_ENOMEM, "no memory for the seccomp filter");
	r = add_rules(filter, program);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r == 0)
		return ARK_OK;
	errno = -r;
	return ark_fail_errno(err, ARK_EIO, "seccomp does not take the filter");
}

int sandbox_enter(const struct sandbox_limits *limits, struct ark_error *err)
{
	int status;

	status = drop_privileges(err);
	if (status == ARK_OK) /* needs one free descriptor: before the limits */
		status = landlock_enter(NULL, 0, err);
	if (status == ARK_OK)
		status = set_limits(limits, 0, err);
	if (status == ARK_OK)
		status = seccomp_enter(false, err);
	return status;
}

int sandbox_narrow(const struct sandbox_paths *paths, size_t n, struct ark_error *err)
{
	int status = drop_privileges(err);

	if (status == ARK_OK)
		status = landlock_enter(paths, n, err);
	return status;
}

int sandbox_enter_program(
    const struct sandbox_limits *limits, const struct sandbox_paths *paths, struct ark_error *err)
{
	enum { DESCRIPTORS = 16 }; /* catdoc has five at once */
	int status = sandbox_narrow(paths, 1, err);

	if (status == ARK_OK)
		status = set_limits(limits, DESCRIPTORS, err);
	if (status == ARK_OK)
		status = seccomp_enter(true, err);
	return status;
}
