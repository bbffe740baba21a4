/* keys status, rotate, backup, split, join: the keys of an archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/key_shares.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

/* ---- through the admin socket ---- */

static int ask(
    const struct cli *c, const char *dir, json_t *asked, json_t **ret, struct ark_error *err)
{
	struct client_request r = {.method = asked ? "POST" : "GET", .path = "/admin/keys"};
	struct client *client = NULL;
	struct buf body = BUF_INIT;
	long status = 0;
	int rc = asked ? json_write(&body, asked, err) : ARK_OK;

	if (!rc)
		rc = client_open(dir, c->root_key, &client, err);
	r.body = body.data;
	r.body_len = body.len;
	if (!rc)
		rc = client_send(client, &r, &status, ret, err);
	if (!rc)
		rc = client_ok(status, *ret, err);
	client_close(client);
	buf_free(&body);
	return rc;
}

static void print_state(const json_t *s)
{
	long long epoch = cli_number(s, "epoch"), shares = cli_number(s, "sharesEpoch");
	json_t *b;
	size_t i;

	printf("epoch %lld, %lld keys\n", epoch, cli_number(s, "slots"));
	if (!shares)
		printf("shares: never made; `arkki keys split` makes them\n");
	else
		printf("shares: of epoch %lld%s\n", shares,
		    shares == epoch ? "" : ", which is past: make them anew");
	if (!json_array_size(json_object_get(s, "backups")))
		printf("key backups: none; `arkki keys backup add` registers one\n");
	json_array_foreach(json_object_get(s, "backups"), i, b)
	{
		const char *at = json_text(b, "at"), *error = json_text(b, "error");

		printf("key backup %s in %s: epoch %lld, %lld keys, %s%s%s\n", json_text(b, "name"),
		    json_text(b, "path"), cli_number(b, "epoch"), cli_number(b, "slots"),
		    at ? at : "never copied", error ? "; failed: " : "", error ? error : "");
	}
}

static int act(const struct cli *c, const char *dir, json_t *asked)
{
	json_t *answer = NULL;
	struct ark_error err;
	int rc = ask(c, dir, asked, &answer, &err);

	if (!rc)
		print_state(answer);
	json_decref(asked);
	json_decref(answer);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int rotate(const struct cli *c)
{
	if (c->words_len == 4 && strcmp(c->words[2], "signing") == 0)
		return act(c, c->words[1],
		    json_pack("{s:s,s:s}", "action",
			c->retire ? "retire-signing" : "rotate-signing", "key", c->words[3]));
	if (c->words_len != 3 ||
	    (strcmp(c->words[2], "root") != 0 && strcmp(c->words[2], "shards") != 0))
		return cli_usage(c->command);
	return act(c, c->words[1], json_pack("{s:s}", "action", "rotate"));
}

static int backup(const struct cli *c)
{
	const char *what = c->words_len > 2 ? c->words[1] : "";

	if (strcmp(what, "list") == 0 && c->words_len == 3)
		return act(c, c->words[2], NULL);
	if (strcmp(what, "run") == 0 && c->words_len == 3)
		return act(c, c->words[2], json_pack("{s:s}", "action", "backup-run"));
	if (strcmp(what, "remove") == 0 && c->words_len == 4)
		return act(c, c->words[2],
		    json_pack("{s:s,s:s,s:b}", "action", "backup-remove", "name", c->words[3],
			"abandon", c->yes));
	if (strcmp(what, "add") == 0 && c->words_len == 5)
		return act(c, c->words[2],
		    json_pack("{s:s,s:s,s:s}", "action", "backup-add", "name", c->words[3], "path",
			c->words[4]));
	return cli_usage(c->command);
}

/* ---- shares ---- */

/* "3-of-5" */
static bool parse_shares(const char *text, unsigned int *needed, unsigned int *all)
{
	char end;

	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	return text && sscanf(text, "%2u-of-%2u%c", needed, all, &end) == 2;
}

static int put_share(const struct cli *c, const char *head, const char *share, unsigned int number,
    struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = ARK_OK;

	buf_addf(&text, "%s%s\n", head, share);
	if (buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a share");
	else if (!c->out)
		printf("%s\n", text.data);
	else
		rc = fs_path(path, err, "%s/share-%02u.txt", c->out, number);
	if (!rc && c->out && fs_exists(path))
		rc = ark_fail(err, ARK_EINPUT, "%s exists; shares are not overwritten", path);
	if (!rc && c->out)
		rc = fs_replace_file(path, text.data, text.len, 0600, err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	return rc;
}

static int split(const struct cli *c)
{
	char shares[SLIP39_SHARES_MAX][SLIP39_TEXT_SIZE], keys[4096], head[400];
	unsigned int needed = 0, all = 0;
	json_t *asked, *answer = NULL;
	struct ark_error err;
	uint32_t epoch = 0;
	int rc;

	if (c->words_len != 2 || !parse_shares(c->shares, &needed, &all))
		return cli_usage(c->command);
	rc = fs_path(keys, &err, "%s/keys", c->words[1]);
	if (!rc)
		rc = key_shares_make(keys, c->root_key, needed, all, shares, &epoch, &err);
	if (rc)
		return cli_failed(&err);
	asked = json_pack("{s:s,s:i,s:i}", "action", "split", "needed", needed, "shares", all);
	rc = ask(c, c->words[1], asked, &answer, &err);
	for (unsigned int i = 0; !rc && i < all; i++) {
		snprintf(head, sizeof(head),
		    "# root key of %.200s, epoch %u: share %u of %u, any %u of which give it "
		    "back\n",
		    json_text(answer, "origin"), (unsigned int)epoch, i + 1, all, needed);
		rc = put_share(c, head, shares[i], i + 1, &err);
	}
	if (!rc)
		fprintf(stderr,
		    "arkki: %u shares of epoch %u: give each to another keeper; they are void "
		    "after the next "
		    "change of keys\n",
		    all, (unsigned int)epoch);
	explicit_bzero(shares, sizeof(shares));
	json_decref(asked);
	json_decref(answer);
	return rc ? cli_failed(&err) : CLI_OK;
}

struct reading {
	char *share[SLIP39_MNEMONICS_MAX];
	size_t n;
	unsigned int epoch;
};

/* A share a line; a line that begins with '#' may say the epoch. */
static void read_shares(struct reading *r)
{
	char *line = NULL, *at;
	size_t cap = 0;
	ssize_t len;

	while (r->n < SLIP39_MNEMONICS_MAX && (len = getline(&line, &cap, stdin)) > 0) {
		while (len > 0 && strchr("\r\n \t", line[len - 1]))
			line[--len] = '\0';
		if (line[0] == '#') {
			at = strstr(line, "epoch ");
			if (at)
				r->epoch = (unsigned int)strtoul(at + 6, NULL, 10);
		} else if (len > 0) {
			r->share[r->n] = strdup(line);
			if (r->share[r->n])
				r->n++;
		}
	}
	if (line)
		explicit_bzero(line, cap);
	free(line);
}

static int join(const struct cli *c)
{
	struct reading *r;
	struct ark_error err;
	char keys[4096];
	const char *dir = c->words_len == 2 ? keys : NULL;
	int rc = ARK_OK;

	if (c->words_len > 2 || !c->out)
		return cli_usage(c->command);
	r = calloc(1, sizeof(*r));
	if (!r)
		return CLI_FAILED;
	if (dir)
		rc = fs_path(keys, &err, "%s/keys", c->words[1]);
	if (!rc) {
		if (isatty(STDIN_FILENO))
			fprintf(stderr, "arkki: type the shares, one a line, then Ctrl-D\n");
		read_shares(r);
		if (!r->epoch)
			r->epoch = 1;
		rc = key_shares_join(
		    (const char *const *)r->share, r->n, dir, r->epoch, c->out, &err);
	}
	if (!rc)
		printf("wrote the root key %s%s\n", c->out,
		    dir ? ", which opens the archive" : "; name the archive to have it tried");
	for (size_t i = 0; i < r->n; i++) {
		explicit_bzero(r->share[i], strlen(r->share[i]));
		free(r->share[i]);
	}
	free(r);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_keys(const struct cli *c)
{
	static const struct {
		const char *name;
		int (*run)(const struct cli *c);
	} parts[] = {{"rotate", rotate}, {"backup", backup}, {"split", split}, {"join", join}};
	const char *what = c->words_len ? c->words[0] : "";

	if (strcmp(what, "status") == 0 && c->words_len == 2)
		return act(c, c->words[1], NULL);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(what, parts[i].name) == 0)
			return parts[i].run(c);
	return cli_usage(c->command);
}
