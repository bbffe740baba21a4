/* A decoder that misbehaves: "application/x-escape" tries to break out of the sandbox in the way its document
 * names, and writes down what the kernel said. */
#ifndef ARKKI_TESTS_ESCAPE_DECODER_H
#define ARKKI_TESTS_ESCAPE_DECODER_H

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "index/extract_child.h"

static inline void say(struct textsink *out, const char *what, long result)
{
	char line[96];

	snprintf(
	    line, sizeof(line), "%s %s\n", what, result >= 0 ? "WORKED" : strerrorname_np(errno));
	textsink_add(out, line, strlen(line), true);
}

static inline void try_files(struct textsink *out)
{
	struct stat st;

	say(out, "open", open("/etc/hostname", O_RDONLY));
	say(out, "syscall-open", syscall(SYS_open, "/etc/hostname", O_RDONLY));
	say(out, "openat", openat(AT_FDCWD, ".", O_RDONLY));
	say(out, "openat2", syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
	say(out, "proc", open("/proc/self/mem", O_RDWR));
	say(out, "proc-fd", open("/proc/self/fd/3", O_RDWR));
	say(out, "create", open("/tmp/arkki-escape", O_WRONLY | O_CREAT, 0600));
	say(out, "stat", stat("/etc/hostname", &st));
	say(out, "readlink", readlink("/proc/self/exe", (char *)&st, sizeof(st)));
	say(out, "mkdir", mkdir("/tmp/arkki-escape-dir", 0700));
	say(out, "unlink", unlink("/tmp/arkki-escape"));
	say(out, "memfd", memfd_create("x", 0));
	say(out, "write-input", pwrite(3, "x", 1, 0));
	say(out, "map-input",
	    mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, 3, 0) == MAP_FAILED ? -1 : 0);
	for (int fd = 5; fd < 1024; fd++) {
		if (write(fd, "", 0) == 0 || lseek(fd, 0, SEEK_CUR) >= 0)
			say(out, "inherited-descriptor", fd);
	}
}

static inline void try_network(struct textsink *out)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	int pair[2];

	say(out, "socket", socket(AF_INET, SOCK_STREAM, 0));
	say(out, "socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say(out, "socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	say(out, "connect", connect(4, (struct sockaddr *)&to, sizeof(to)));
	say(out, "sendto", sendto(4, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	say(out, "pipe", pipe(pair));
}

static inline int child_of_clone(void *arg)
{
	(void)arg;
	_exit(0);
}

static inline void *thread_body(void *arg)
{
	return arg;
}

static inline void try_processes(struct textsink *out)
{
	static char stack[16384];
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	say(out, "fork", pid);
	say(out, "vfork", syscall(SYS_vfork));
	say(out, "clone", clone(child_of_clone, stack + sizeof(stack), SIGCHLD, NULL));
	say(out, "clone3", syscall(SYS_clone3, NULL, 0));
	errno = pthread_create(&thread, NULL, thread_body, NULL);
	say(out, "thread", errno ? -1 : 0);
	say(out, "kill-parent", kill(getppid(), 0));
	say(out, "tgkill-other", syscall(SYS_tgkill, 1, 1, 0));
	say(out, "prctl", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	say(out, "fcntl-setown", fcntl(4, F_SETOWN, 1));
	say(out, "rlimit", setrlimit(RLIMIT_CPU, &(struct rlimit){99, 99}));
	say(out, "exec-memory",
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0) == MAP_FAILED
		? -1
		: 0);
}

static inline void eat_memory(struct textsink *out)
{
	char *volatile p; /* so that the compiler does not see through it */
	size_t got = 0;

	while ((p = malloc(1 << 20)) && got < 8192) {
		memset(p, 1, 1 << 20);
		got++;
	}
	say(out, "memory", p ? 0 : -1);
}

static inline void flood(void)
{
	unsigned char head[5] = {'T', 0, 0, 0xff, 0xff};
	static char bytes[0xffff];

	memset(bytes, 'a', sizeof(bytes));
	while (write(4, head, 5) == 5 && write(4, bytes, sizeof(bytes)) > 0)
		continue;
}

static inline void write_raw(const char *bytes, size_t len)
{
	if (write(4, bytes, len) != (ssize_t)len)
		_exit(1);
}

static inline void escape_member(void *arg, const char *bytes, size_t len)
{
	textsink_add(arg, bytes, len, true);
}

static inline void attack(const char *how, struct textsink *out)
{
	char *none[] = {NULL};

	if (strcmp(how, "execve") == 0)
		say(out, "execve", execve("/bin/true", none, none));
	if (strcmp(how, "ptrace") == 0)
		say(out, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (strcmp(how, "vmread") == 0)
		say(out, "vmread", process_vm_readv(getppid(), NULL, 0, NULL, 0, 0));
	if (strcmp(how, "segv") == 0)
		raise(SIGSEGV);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "exit") == 0)
		_exit(0);
	if (strcmp(how, "flood") == 0)
		flood();
	if (strcmp(how, "garbage") == 0)
		write_raw("\xff\xff\xff\xff\xff\xff", 6);
	if (strcmp(how, "bad-utf8") == 0)
		write_raw("T\0\0\0\2\xc3\x28", 7);
	if (strcmp(how, "control") == 0)
		write_raw("T\0\0\0\2\x1b[", 7);
}

/* Two pages, one of them bare, and on the third, in an attachment of an attachment, what `how` says. */
static inline void begin_well(struct textsink *out)
{
	struct textsink *inner = malloc(sizeof(*inner));

	textsink_page(out);
	textsink_add(out, "ensin ty\xc3\xb6", 10, false);
	textsink_page(out);
	out->bare(out->arg, 2);
	textsink_page(out);
	if (!inner)
		return;
	textsink_init(inner, 1000, escape_member, out);
	inner->outer = out;
	format_member(inner, "liite.txt", "text/plain", "sitten", 6);
	free(inner);
}

static inline enum format_outcome escape_read(const struct format_input *in, struct textsink *out)
{
	volatile unsigned int turns = 0;
	char how[32] = "";

	memcpy(how, in->bytes, in->len < 31 ? in->len : 31);
	if (strncmp(how, "part ", 5) == 0) {
		begin_well(out);
		memmove(how, how + 5, sizeof(how) - 5);
	}
	if (strcmp(how, "blank segv") == 0) {
		textsink_page(out);
		out->bare(out->arg, 1);
		textsink_page(out);
		raise(SIGSEGV);
	}
	if (strcmp(how, "files") == 0)
		try_files(out);
	if (strcmp(how, "network") == 0)
		try_network(out);
	if (strcmp(how, "processes") == 0)
		try_processes(out);
	if (strcmp(how, "memory") == 0)
		eat_memory(out);
	attack(how, out);
	while (strcmp(how, "loop") == 0)
		turns++;
	return FORMAT_OK;
}

static inline bool escape_reads(const char *type)
{
	return strcmp(type, "application/x-escape") == 0;
}

static const struct format escape = {.name = "escape", .reads = escape_reads, .read = escape_read};

#endif
