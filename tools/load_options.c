#include "tools/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 64 << 20, METADATA_MAX = 16 << 10, TOKEN_MAX = 4096 };

void load_usage(FILE *out)
{
	fputs(
	    "usage: arkki-load file  --url http://127.0.0.1:PORT --metadata FILE [--path "
	    "/v1/documents]\n"
	    "                        [--size BYTES] [--locations FILE] [common options]\n"
	    "       arkki-load get   --url http://127.0.0.1:PORT --paths FILE [--suffix TEXT] "
	    "[common]\n"
	    "       arkki-load bytes --out DIR [--size BYTES] [--requests N] [--seed N]\n"
	    "common: --clients N (8)  --requests N (1000)  --warmup N (0)  --seconds N (30)\n"
	    "        --token-file FILE  --header 'Name: value' (repeatable; {n} is the number)\n"
	    "        --pid PID of the server (repeatable)  --seed N (1)\n"
	    "One line of JSON on standard output; exit 0 when every answer was a 2xx, 1 when not,\n"
	    "2 for a wrong command line. Only loopback addresses are taken.\n",
	    out);
}

static bool __attribute__((format(printf, 1, 2))) wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("arkki-load: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return false;
}

/* The file's bytes and a NUL, ended with free(); NULL after a message. */
static char *read_text(const char *path, size_t limit)
{
	FILE *f = fopen(path, "re");
	char *text = NULL, *ret = NULL;
	struct stat st;
	size_t n;

	if (!f || fstat(fileno(f), &st) < 0) {
		wrong("cannot read %s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
		wrong("%s is no file of at most %zu bytes", path, limit);
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		wrong("no memory for %s", path);
		goto out;
	}
	n = fread(text, 1, (size_t)st.st_size, f);
	text[n] = '\0';
	ret = text;
	text = NULL;
out:
	free(text);
	if (f)
		fclose(f);
	return ret;
}

static bool read_number(const char *name, const char *text, unsigned long most, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || *ret > most)
		return wrong("--%s %s: a number up to %lu is expected", name, text, most);
	return true;
}

/* http://ADDRESS:PORT with a numeric loopback address, or localhost. */
static bool read_url(const char *url, struct load_options *o)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&o->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&o->address;
	const char *authority = url + 7, *colon;
	char address[50];
	unsigned long port;
	size_t len;

	colon = strncmp(url, "http://", 7) == 0 ? strrchr(authority, ':') : NULL;
	if (!colon || strlen(authority) >= sizeof(o->host))
		return wrong("--url %s: http://127.0.0.1:PORT is expected", url);
	memcpy(o->host, authority, strlen(authority) + 1);
	len = (size_t)(colon - authority);
	if (!read_number("url, port", colon + 1, 65535, &port) || len >= sizeof(address))
		return false;
	memcpy(address, authority, len);
	address[len] = '\0';
	if (!strcmp(address, "[::1]")) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		v6->sin6_addr = in6addr_loopback;
		o->address_len = sizeof(*v6);
		return true;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	o->address_len = sizeof(*v4);
	if (inet_pton(AF_INET, strcmp(address, "localhost") ? address : "127.0.0.1",
		&v4->sin_addr) != 1 ||
	    ntohl(v4->sin_addr.s_addr) >> 24 != 127)
		return wrong("--url %s: only loopback addresses are taken", url);
	return true;
}

/* The lines of a file as paths; the text stays in paths[0]'s allocation. */
static bool read_paths(const char *file, struct load_options *o)
{
	char *text = read_text(file, INPUT_MAX), *save = NULL;
	size_t lines = 1;

	if (!text)
		return false;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	free(o->paths);
	o->paths = calloc(lines + 1, sizeof(*o->paths));
	if (!o->paths) {
		free(text);
		return wrong("no memory for %s", file);
	}
	o->paths[0] = text; /* so that it is freed even when the first line is empty */
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*line != '/' || strpbrk(line, " \r\t"))
			return wrong("%s: no path: %.80s", file, line);
		o->paths[1 + o->path_count++] = line;
	}
	return o->path_count ? true : wrong("%s holds no path", file);
}

enum {
	URL = 1,
	PATH,
	PATHS,
	SUFFIX,
	METADATA,
	TOKEN,
	HEADER,
	LOCATIONS,
	OUT,
	PID,
	SIZE,
	CLIENTS,
	REQUESTS,
	WARMUP,
	SECONDS,
	SEED,
	HELP,
};

static const struct option longs[] = {
    {"url", required_argument, NULL, URL},
    {"path", required_argument, NULL, PATH},
    {"paths", required_argument, NULL, PATHS},
    {"suffix", required_argument, NULL, SUFFIX},
    {"metadata", required_argument, NULL, METADATA},
    {"token-file", required_argument, NULL, TOKEN},
    {"header", required_argument, NULL, HEADER},
    {"locations", required_argument, NULL, LOCATIONS},
    {"out", required_argument, NULL, OUT},
    {"pid", required_argument, NULL, PID},
    {"size", required_argument, NULL, SIZE},
    {"clients", required_argument, NULL, CLIENTS},
    {"requests", required_argument, NULL, REQUESTS},
    {"warmup", required_argument, NULL, WARMUP},
    {"seconds", required_argument, NULL, SECONDS},
    {"seed", required_argument, NULL, SEED},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool read_count(int option, const char *name, struct load_options *o)
{
	unsigned long n = 0;

	switch (option) {
	case PID:
		if (o->pids == LOAD_PIDS_MAX || !read_number(name, optarg, 1UL << 30, &n))
			return false;
		o->pid[o->pids++] = (long)n;
		return true;
	case SIZE:
		if (!read_number(name, optarg, LOAD_SIZE_MAX, &n))
			return false;
		o->size = n;
		return true;
	case CLIENTS:
		return read_number(name, optarg, LOAD_CLIENTS_MAX, &o->clients);
	case REQUESTS:
		return read_number(name, optarg, LOAD_REQUESTS_MAX, &o->requests);
	case WARMUP:
		return read_number(name, optarg, LOAD_REQUESTS_MAX, &o->warmup);
	case SECONDS:
		return read_number(name, optarg, LOAD_SECONDS_MAX, &o->seconds);
	default:
		return read_number(name, optarg, 1UL << 62, &o->seed);
	}
}

static bool read_option(int option, const char *name, struct load_options *o)
{
	switch (option) {
	case URL:
		return read_url(optarg, o);
	case PATH:
		o->path = optarg;
		return *optarg == '/' || wrong("--path begins with /");
	case PATHS:
		return !o->paths && read_paths(optarg, o);
	case SUFFIX:
		o->suffix = optarg;
		return true;
	case METADATA:
		free(o->metadata);
		o->metadata = read_text(optarg, METADATA_MAX);
		return o->metadata != NULL;
	case TOKEN:
		free(o->token);
		o->token = read_text(optarg, TOKEN_MAX);
		if (o->token)
			o->token[strcspn(o->token, "\r\n")] = '\0';
		return o->token != NULL;
	case HEADER:
		if (o->headers == LOAD_HEADERS_MAX || strpbrk(optarg, "\r\n"))
			return wrong("--header: at most %d, each one line", LOAD_HEADERS_MAX);
		o->header[o->headers++] = optarg;
		return true;
	case LOCATIONS:
		o->locations = optarg;
		return true;
	case OUT:
		o->out = optarg;
		return true;
	case HELP:
	case '?':
		return false;
	default:
		return read_count(option, name, o);
	}
}

static bool complete(const struct load_options *o)
{
	if (!o->clients || !o->requests || !o->seconds)
		return wrong("clients, requests and seconds are at least 1");
	if (o->mode == LOAD_BYTES)
		return o->out || wrong("bytes needs --out");
	if (!o->address_len)
		return wrong("--url is missing");
	if (o->mode == LOAD_FILE && !o->metadata)
		return wrong("file needs --metadata");
	if (o->mode == LOAD_GET && !o->path_count)
		return wrong("get needs --paths");
	if (o->size * o->clients > 1UL << 30)
		return wrong("clients times size is over 1 GiB");
	return true;
}

bool load_options_read(int argc, char **argv, struct load_options *ret)
{
	static const char *const modes[] = {"file", "get", "bytes"};
	struct load_options *o = ret;
	int option, at = 0;

	*o = (struct load_options){.path = "/v1/documents",
	    .suffix = "",
	    .clients = 8,
	    .requests = 1000,
	    .seconds = 30,
	    .size = 50 << 10,
	    .seed = 1};
	while (argc > 1 && (size_t)o->mode < sizeof(modes) / sizeof(*modes) &&
	       strcmp(argv[1], modes[o->mode]) != 0)
		o->mode++;
	if (argc < 2 || (size_t)o->mode == sizeof(modes) / sizeof(*modes))
		return wrong("the first word is file, get or bytes");
	optind = 2;
	while ((option = getopt_long(argc, argv, "", longs, &at)) != -1)
		if (!read_option(option, longs[at].name, o))
			return false;
	if (optind != argc)
		return wrong("unexpected: %s", argv[optind]);
	return complete(o);
}

void load_options_free(struct load_options *o)
{
	if (o->paths)
		free(o->paths[0]);
	free(o->paths);
	free(o->metadata);
	free(o->token);
}
