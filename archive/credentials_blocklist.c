/* The list of breached passwords: a big sorted file of lines, of which a search by halving reads some thirty pieces. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/credentials_private.h"

enum {
	LINE_MAX_SIZE = 2048, /* longer lines are longer than any password */
	SHA1_HEX = 40,
};

struct list {
	int fd;
	off_t size;
	bool hashes; /* its lines begin with SHA-1 sums */
	char line[LINE_MAX_SIZE];
	size_t len;
};

static int io_failed(struct ark_error *err, const char *path)
{
	return ark_fail_errno(err, ARK_EIO, "cannot read the list of breached passwords, %s", path);
}

/* The bytes from `at` up to the next end of a line, *ret_next behind it; what is over LINE_MAX_SIZE of it is passed over. */
static bool read_line(struct list *l, off_t at, off_t *ret_next)
{
	char piece[LINE_MAX_SIZE];
	bool first = true;

	l->len = 0;
	while (at < l->size) {
		ssize_t n = pread(l->fd, piece, sizeof(piece), at);
		const char *end;

		if (n <= 0)
			return false;
		end = memchr(piece, '\n', (size_t)n);
		if (first) {
			l->len = end ? (size_t)(end - piece) : (size_t)n;
			memcpy(l->line, piece, l->len);
			first = false;
		}
		at += end ? end - piece + 1 : n;
		if (end)
			break;
	}
	if (l->len && l->line[l->len - 1] == '\r')
		l->len--;
	*ret_next = at;
	return true;
}

static bool hash_line(const struct list *l)
{
	if (l->len < SHA1_HEX || (l->len > SHA1_HEX && l->line[SHA1_HEX] != ':'))
		return false;
	for (size_t i = 0; i < SHA1_HEX; i++)
		if (!strchr("0123456789ABCDEF", l->line[i]) || !l->line[i])
			return false;
	return true;
}

static int compare(const struct list *l, const char *key, size_t key_len)
{
	size_t len = l->hashes && l->len > SHA1_HEX ? SHA1_HEX : l->len;
	int order = memcmp(l->line, key, len < key_len ? len : key_len);

	if (order)
		return order;
	return len < key_len ? -1 : len > key_len;
}

/* Of the lines that begin in [low, high) the one with the key. low is always where a line begins, and the wanted line, if it is
 * there, begins in between. */
static int halve(
    struct list *l, const char *path, const char *key, size_t key_len, struct ark_error *err)
{
	off_t low = 0, high = l->size;

	while (low < high) {
		off_t mid = low + (high - low) / 2, begin = mid, next;
		int order;

		/* the first line that begins at mid or later: the end of a line before it says where */
		if (mid > low && !read_line(l, mid - 1, &begin))
			return io_failed(err, path);
		if (begin >= high) {
			high = mid;
			continue;
		}
		if (!read_line(l, begin, &next))
			return io_failed(err, path);
		order = compare(l, key, key_len);
		if (order == 0)
			return ARK_OK;
		if (order < 0)
			low = next;
		else
			high = mid;
	}
	return ARK_ENOTFOUND;
}

static bool sha1_hex(const char *password, char out[SHA1_HEX + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!EVP_Digest(password, strlen(password), sum, &len, EVP_sha1(), NULL) ||
	    len * 2 != SHA1_HEX)
		return false;
	for (unsigned int i = 0; i < len; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[SHA1_HEX] = '\0';
	return true;
}

int blocklist_find(const char *path, const char *password, struct ark_error *err)
{
	struct list l = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	char sum[SHA1_HEX + 1] = "";
	struct stat st;
	off_t next;
	int rc;

	if (l.fd < 0 || fstat(l.fd, &st) != 0) {
		rc = io_failed(err, path);
		goto out;
	}
	l.size = st.st_size;
	if (l.size && !read_line(&l, 0, &next)) {
		rc = io_failed(err, path);
		goto out;
	}
	l.hashes = hash_line(&l);
	if (l.hashes && !sha1_hex(password, sum))
		rc = ark_fail(err, ARK_EIO, "libcrypto makes no SHA-1");
	else if (l.hashes)
		rc = halve(&l, path, sum, SHA1_HEX, err);
	else
		rc = halve(&l, path, password, strlen(password), err);
out:
	sodium_memzero(sum, sizeof(sum));
	if (l.fd >= 0)
		close(l.fd);
	return rc;
}
