/* doctor: is this archive set up and kept as it should be? See doctor.h. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "arkki/archive/conf.h"
#include "arkki/base/fs.h"
#include "arkki/index/analyse.h"
#include "arkki/index/extract.h"
#include "tools/cli.h"
#include "tools/doctor.h"

void doctor_say(struct doctor *d, enum verdict verdict, const char *what, const char *fmt, ...)
{
	static const char *const words[] = {"ok", "warn", "bad"};
	va_list ap;

	printf("%-4s  %s: ", words[verdict], what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	d->said[verdict]++;
}

/* Whoever holds the other end of the admin socket. */
static void find_server(struct doctor *d)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char path[4096];
	int run = fs_path(path, NULL, "%s/run", d->dir) ? -1 : open(path, O_PATH | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the directory's own name may be too long for an address */
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/admin.sock", run);
	if (fd >= 0 && run >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		d->server = peer.pid;
	if (fd >= 0)
		close(fd);
	if (run >= 0)
		close(run);
	if (d->server)
		doctor_say(d, VERDICT_OK, "server", "runs as process %d", (int)d->server);
	else
		doctor_say(
		    d, VERDICT_OK, "server", "none runs; the archive is looked at as it lies");
}

static void check_extractor(struct doctor *d, enum extract_kind kind, const char *what,
    enum verdict otherwise, const char *mend)
{
	const struct extract_config config = {.kind = kind};
	struct extractor *e = NULL;
	struct ark_error err;

	if (extractor_new(&config, &e, &err))
		doctor_say(d, otherwise, what, "%s; %s", err.text, mend);
	else
		doctor_say(d, VERDICT_OK, what, "%s", extractor_sandbox(e));
	extractor_free(e);
}

static void check_words(struct doctor *d)
{
	struct analyse_cache *cache = NULL;
	struct analyser *a = NULL;
	struct ark_error err;
	int rc = analyse_cache_new(&cache, &err);

	if (!rc)
		rc = analyser_new(cache, &a, &err);
	if (rc)
		doctor_say(d, VERDICT_BAD, "Finnish words", "%s", err.text);
	else
		doctor_say(d, VERDICT_OK, "Finnish words", "the dictionary opens");
	analyser_free(a);
	analyse_cache_free(cache);
}

int cmd_doctor(const struct cli *c)
{
	struct doctor d = {.root_key = c->root_key, .ca_file = c->ca_file};
	char conf[4096];
	struct ark_error err;

	if (c->words_len != 1)
		return cli_usage(c->command);
	d.dir = c->words[0];
	if (fs_path(conf, &err, "%s/arkki.conf", d.dir))
		return cli_failed(&err);
	if (!fs_exists(conf)) {
		ark_fail(&err, ARK_ENOTFOUND,
		    "%s is not an arkki archive (no arkki.conf in it); make one with `arkki init`",
		    d.dir);
		return cli_failed(&err);
	}
	if (conf_text(d.dir, "origin", d.origin, sizeof(d.origin), &err))
		return cli_failed(&err);
	find_server(&d);
	check_extractor(&d, EXTRACT_TEXT, "sandbox", VERDICT_BAD,
	    "arkki does not serve without it: use a kernel with seccomp and Landlock, and let this "
	    "user "
	    "make them");
	check_extractor(&d, EXTRACT_OCR, "pictures of text", VERDICT_WARN,
	    "install the packages of `make deps`; until then scans stay without text");
	check_words(&d);
	doctor_permissions(&d);
	doctor_root_key(&d);
	doctor_index_volume(&d);
	doctor_swap(&d);
	doctor_core_files(&d);
	doctor_room(&d);
	doctor_clock(&d);
	doctor_archive(&d);
	if (c->url)
		doctor_site(&d, c->url);
	printf("%u in order, %u to look at, %u to mend\n", d.said[VERDICT_OK], d.said[VERDICT_WARN],
	    d.said[VERDICT_BAD]);
	return d.said[VERDICT_BAD] ? CLI_FAILED : CLI_OK;
}
