#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "arkki/api/server.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

enum { ANSWER_MAX = 64 << 20 };

struct client {
	char socket[108]; /* through /proc/self/fd: a socket's path may have 107 bytes only */
	int run_fd;
	CURL *curl;
	struct archive *archive; /* ours, when no server held it */
	struct api_server *server;
	bool replayed; /* the last answer said Idempotency-Replayed */
	char etag[64]; /* of the last answer */
	char receipt[256];
};

static bool answers(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static int run_directory(struct client *c, const char *dir, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/run", dir);

	if (rc)
		return rc;
	c->run_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->run_fd < 0)
		return ark_fail_errno(
		    err, ARK_ENOTFOUND, "%s is not an arkki archive: cannot open %s", dir, path);
	snprintf(c->socket, sizeof(c->socket), "/proc/self/fd/%d/admin.sock", c->run_fd);
	return ARK_OK;
}

int client_open(const char *dir, const char *root_key, struct client **ret, struct ark_error *err)
{
	struct client *c = calloc(1, sizeof(*c));
	int rc = ARK_OK;

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for a client");
	rc = run_directory(c, dir, err);
	if (rc) {
		free(c);
		return rc;
	}
	if (!answers(c->socket)) {
		rc = archive_open(
		    dir, root_key, ARCHIVE_WRITE, cli_progress, NULL, &c->archive, err);
		if (!rc)
			rc = api_server_start(
			    c->archive, &(struct api_addresses){0}, &c->server, err);
	}
	if (!rc) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		c->curl = curl_easy_init();
		if (!c->curl)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a client");
	}
	if (rc) {
		client_close(c);
		return rc;
	}
	*ret = c;
	return ARK_OK;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	api_server_stop(c->server);
	archive_close(c->archive);
	close(c->run_fd);
	free(c);
}

bool client_is_remote(const struct client *c)
{
	return !c->archive;
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_add(b, bytes, size * n);
	return buf_failed(b) ? 0 : size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	static const char name[] = "Idempotency-Replayed: true", etag[] = "ETag: ";
	static const char receipt[] = "Arkki-Receipt: ";
	size_t len = size * n, at = sizeof(etag) - 1;
	struct client *c = arg;

	if (len >= sizeof(name) - 1 && strncasecmp(bytes, name, sizeof(name) - 1) == 0)
		c->replayed = true;
	if (len >= at && strncasecmp(bytes, etag, at) == 0)
		snprintf(
		    c->etag, sizeof(c->etag), "%.*s", (int)strcspn(bytes + at, "\r\n"), bytes + at);
	at = sizeof(receipt) - 1;
	if (len >= at && strncasecmp(bytes, receipt, at) == 0)
		snprintf(c->receipt, sizeof(c->receipt), "%.*s", (int)strcspn(bytes + at, "\r\n"),
		    bytes + at);
	return len;
}

const char *client_receipt(const struct client *c)
{
	return c->receipt;
}

const char *client_etag(const struct client *c)
{
	return c->etag;
}

bool client_replayed(const struct client *c)
{
	return c->replayed;
}

static curl_mime *mime_of(CURL *curl, const struct client_request *r)
{
	curl_mime *mime = curl_mime_init(curl);

	for (size_t i = 0; mime && i < r->parts_len; i++) {
		const struct client_part *p = &r->parts[i];
		curl_mimepart *part = curl_mime_addpart(mime);

		curl_mime_name(part, p->name);
		if (p->media_type)
			curl_mime_type(part, p->media_type);
		if (p->read)
			curl_mime_data_cb(
			    part, (curl_off_t)p->size, p->read, NULL, NULL, p->read_arg);
		else if (p->file)
			curl_mime_filedata(part, p->file);
		else
			curl_mime_data(part, p->bytes, p->len);
		curl_mime_filename(part, p->file_name);
		if ((p->file || p->read) &&
		    !p->media_type) /* curl would guess by the name: the bytes decide */
			curl_mime_type(part, "application/octet-stream");
	}
	return mime;
}

int client_send(struct client *c, const struct client_request *r, long *ret_status,
    json_t **ret_body, struct ark_error *err)
{
	struct buf url = BUF_INIT, answer = {.limit = ANSWER_MAX};
	struct curl_slist *headers = NULL;
	curl_mime *mime = NULL;
	char user[100], why[CURL_ERROR_SIZE] = "";
	int rc = ARK_OK;

	c->replayed = false;
	c->etag[0] = '\0';
	c->receipt[0] = '\0';
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
	buf_addf(&url, "http://arkki%s", r->path);
	snprintf(user, sizeof(user), "Arkki-User: %s", r->user ? r->user : "");
	if (r->user)
		headers = curl_slist_append(headers, user);
	headers = curl_slist_append(headers, "Expect:");
	for (size_t i = 0; i < 8 && r->headers[i]; i++)
		headers = curl_slist_append(headers, r->headers[i]);
	curl_easy_setopt(c->curl, CURLOPT_URL, url.data);
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	if (r->parts) {
		mime = mime_of(c->curl, r);
		curl_easy_setopt(c->curl, CURLOPT_MIMEPOST, mime);
	} else if (r->body) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, r->body);
		headers = curl_slist_append(headers, "Content-Type: application/json");
	}
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	if (buf_failed(&url) || curl_easy_perform(c->curl) != CURLE_OK)
		rc = ark_fail(err, ARK_EIO, "no answer from %s: %s", c->socket, why);
	curl_slist_free_all(headers);
	curl_mime_free(mime);
	if (!rc) {
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, ret_status);
		if (ret_body) {
			*ret_body = NULL;
			if (answer.len && json_read(answer.data, answer.len, ret_body, err))
				*ret_body = NULL;
		}
	}
	buf_free(&url);
	buf_free(&answer);
	return rc;
}

static size_t pour(char *bytes, size_t size, size_t n, void *arg)
{
	const int *fd = arg;

	return fs_write_all(*fd, bytes, size * n, NULL) ? 0 : size * n;
}

int client_fetch(struct client *c, const struct client_request *r, int fd, long *ret_status,
    struct ark_error *err)
{
	struct curl_slist *headers = NULL;
	char name[128], why[CURL_ERROR_SIZE] = "", url[600];
	long status = 0;
	int rc = ARK_OK;

	snprintf(name, sizeof(name), "Arkki-User: %s", r->user);
	snprintf(url, sizeof(url), "http://localhost%s", r->path);
	headers = curl_slist_append(headers, name);
	for (size_t i = 0; r->headers[i]; i++)
		headers = curl_slist_append(headers, r->headers[i]);
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, pour);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &fd);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	if (curl_easy_perform(c->curl) != CURLE_OK)
		rc = ark_fail(err, ARK_EIO, "it did not arrive whole: %s", why);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!rc && status != 200)
		rc = ark_fail(err, ARK_EREFUSED, "refused (status %ld)", status);
	if (ret_status)
		*ret_status = status;
	curl_slist_free_all(headers);
	return rc;
}

int client_fetch_file(struct client *c, const struct client_request *r, const char *to,
    long *ret_status, struct ark_error *err)
{
	bool to_stdout = strcmp(to, "-") == 0;
	int fd =
	    to_stdout ? STDOUT_FILENO : open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	int rc;

	if (ret_status)
		*ret_status = 0;
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot make %s", to);
	rc = client_fetch(c, r, fd, ret_status, err);
	if (to_stdout)
		return rc;
	if (!rc)
		rc = fs_sync_file(fd, to, err);
	close(fd);
	if (rc)
		unlink(to);
	return rc;
}

int client_ok(long status, const json_t *body, struct ark_error *err)
{
	const char *detail = json_text(body, "detail"), *title = json_text(body, "title");

	if (status >= 200 && status < 300)
		return ARK_OK;
	return ark_fail(err, status == 404 ? ARK_ENOTFOUND : ARK_EREFUSED, "%s (status %ld)",
	    detail  ? detail
	    : title ? title
		    : "refused",
	    status);
}

int client_ask(
    struct client *c, const struct client_request *r, json_t **ret, struct ark_error *err)
{
	json_t *answer = NULL;
	long status = 0;
	int rc = client_send(c, r, &status, &answer, err);

	if (!rc)
		rc = client_ok(status, answer, err);
	if (!rc && !answer)
		rc = ark_fail(err, ARK_EIO, "the server's answer is no JSON");
	if (rc)
		json_decref(answer);
	else
		*ret = answer;
	return rc;
}

long long cli_number(const json_t *object, const char *member)
{
	return (long long)json_integer_value(json_object_get(object, member));
}
