/* The root key file, and DIR/keys/secrets, which it opens:
 *
 *   offset size
 *        0    8  "ARKKISEC"
 *        8    4  format, 1; with earlier signing keys 2 (big-endian, as all integers)
 *       12    4  epoch of the root key
 *       16   16  archive id
 *       32   16  root check: BLAKE2b-128 keyed with the root key, of "arkki-root-check-v1"
 *       48   24  nonce
 *       72  160  XChaCha20-Poly1305-IETF under the root key of history_seed || access_seed ||
 *                git_seed || name_key || token_key (32 bytes each)
 *      232   16  tag; AAD = "arkki-secrets-v1" || epoch[4] || archive id[16]
 *
 * In format 2 the AAD begins "arkki-secrets-v2", and 88 bytes for each earlier signing key (keyring_signing.c), oldest
 * first, follow the five secrets before the tag.
 *
 * Check and tag are independent, so that damage can be told from a wrong key:
 * only when neither fits is the key another archive's. */
#include "archive/keyring_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/buf.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum {
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SECRET_SIZE = 5 * 32,
	ID_AT = 16,
	CHECK_AT = 32,
	CHECK_SIZE = 16,
	NONCE_AT = CHECK_AT + CHECK_SIZE,
	SEALED_AT = NONCE_AT + NONCE_SIZE,
	SECRETS_FILE_SIZE = SEALED_AT + SECRET_SIZE + TAG_SIZE,
	PLAIN_MAX = SECRET_SIZE + KEYRING_PAST_MAX * SECRETS_PAST_SIZE,
	SECRETS_FILE_MAX = SEALED_AT + PLAIN_MAX + TAG_SIZE,
	AAD_SIZE = 16 + 4 + 16,
	FORMAT = 1,
	FORMAT_PAST = 2,
};

static const char magic[8] = {'A', 'R', 'K', 'K', 'I', 'S', 'E', 'C'};
static const char root_label[] = "arkki-root-key-v1 ";

_Static_assert(offsetof(struct keyring_secrets, archive_id) == SECRET_SIZE,
    "the five secrets stand first, without gaps");

/* ---- the root key file ---- */
static bool parse_epoch(const char **p, const char *end, uint32_t *ret)
{
	uint64_t v = 0;

	if (*p == end || **p < '1' || **p > '9')
		return false;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		v = v * 10 + (uint64_t)(**p - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)v;
	return true;
}

/* What is wrong with it, or NULL. A missing last newline is forgiven. */
static const char *parse_root(const char *text, size_t len, struct keyring_root *ret)
{
	const size_t label_len = sizeof(root_label) - 1;
	const char *p = text, *end = text + len;

	if (len && end[-1] == '\n')
		end--;
	if (memchr(text, '\r', len))
		return "it has carriage returns; copy the file without changing its line ends";
	if ((size_t)(end - p) < label_len || memcmp(p, root_label, label_len) != 0)
		return "it must begin with \"arkki-root-key-v1 \"";
	p += label_len;
	if (!parse_epoch(&p, end, &ret->epoch))
		return "the epoch must be a number from 1 up";
	if (p == end || *p++ != ' ' ||
	    !hex_decode(ret->key.bytes, sizeof(ret->key.bytes), p, (size_t)(end - p)))
		return "the key must be 64 hex digits after one space, and nothing may follow";
	return NULL;
}

int keyring_root_parse(
    const char *name, const char *text, size_t len, struct keyring_root *ret, struct ark_error *err)
{
	const char *what = parse_root(text, len, ret);

	if (!what)
		return ARK_OK;
	explicit_bzero(ret, sizeof(*ret));
	return ark_fail(err, ARK_EINPUT, "%s is no root key file: %s", name, what);
}

static int check_permissions(int fd, const char *path, struct ark_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return ark_fail(err, ARK_EINPUT, "the root key %s is not a file", path);
	if (st.st_mode & 077)
		return ark_fail(err, ARK_EINPUT,
		    "the root key %s is open to others than its owner (mode %03o); mend: chmod 600 "
		    "%s",
		    path, (unsigned int)st.st_mode & 0777, path);
	return ARK_OK;
}

int keyring_root_read(const char *path, struct keyring_root *ret, struct ark_error *err)
{
	char text[ROOT_FILE_MAX + 1];
	size_t len = 0;
	int fd, rc;

	if (!path || !*path)
		return ark_fail(err, ARK_ENOTFOUND,
		    "no root key is given; name its file with --root-key FILE or "
		    "ARKKI_ROOT_KEY_FILE");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
	if (fd < 0 && errno == ENOENT)
		return ark_fail(err, ARK_ENOTFOUND,
		    "there is no root key file %s, and without it nothing in the archive can be "
		    "opened, by "
		    "anybody; if it lies elsewhere, name it with --root-key FILE or "
		    "ARKKI_ROOT_KEY_FILE; if it is "
		    "lost, bring back a copy of this epoch, or have the keepers of its shares type "
		    "them: arkki keys "
		    "join (a key backup holds keys/ and not the root key)",
		    path);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open the root key file %s", path);
	rc = check_permissions(fd, path, err);
	while (!rc && len < sizeof(text)) {
		ssize_t n = read(fd, text + len, sizeof(text) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = ark_fail_errno(err, ARK_EIO, "cannot read the root key file %s", path);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (!rc && len > ROOT_FILE_MAX)
		rc = ark_fail(err, ARK_EINPUT, "%s is no root key file: it is over %d bytes", path,
		    ROOT_FILE_MAX);
	if (!rc)
		rc = keyring_root_parse(path, text, len, ret, err);
	close(fd);
	explicit_bzero(text, sizeof(text));
	return rc;
}

/* The directory of path, into out. */
int keyring_parent(char out[4096], const char *path, struct ark_error *err)
{
	int rc = fs_path(out, err, "%s", path);
	char *slash;

	if (rc)
		return rc;
	while ((slash = strrchr(out, '/')) && slash != out && slash[1] == '\0')
		*slash = '\0';
	if (!slash)
		return fs_path(out, err, ".");
	slash[slash == out] = '\0';
	return ARK_OK;
}

int keyring_root_write(const char *path, const struct keyring_root *root, struct ark_error *err)
{
	char text[ROOT_FILE_MAX], hex[2 * SEAL_KEY_SIZE + 1], dir[4096];
	int fd = -1, rc = keyring_parent(dir, path, err);

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return ark_fail(err, ARK_EINPUT,
		    "%s exists already, and a root key is never overwritten; give another name",
		    path);
	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot create the root key file %s", path);
	hex_encode(hex, root->key.bytes, sizeof(root->key.bytes));
	snprintf(text, sizeof(text), "%s%u %s\n", root_label, (unsigned int)root->epoch, hex);
	rc = fs_write_all(fd, text, strlen(text), err);
	if (!rc)
		rc = fs_sync_file(fd, path, err);
	if (close(fd) < 0 && !rc)
		rc = ark_fail_errno(err, ARK_EIO, "cannot write %s", path);
	if (!rc)
		rc = fs_sync_dir(dir, err);
	if (rc)
		unlink(path);
	explicit_bzero(hex, sizeof(hex));
	explicit_bzero(text, sizeof(text));
	return rc;
}

int keyring_create_root(const char *root_path, struct ark_error *err)
{
	struct keyring_root root = {.epoch = 1};
	int rc;

	seal_key_generate(&root.key);
	rc = keyring_root_write(root_path, &root, err);
	explicit_bzero(&root, sizeof(root));
	return rc;
}

/* ---- keys/secrets ---- */
static void root_check(const struct keyring_root *root, unsigned char out[CHECK_SIZE])
{
	static const char label[] = "arkki-root-check-v1";

	crypto_generichash(out, CHECK_SIZE, (const unsigned char *)label, sizeof(label) - 1,
	    root->key.bytes, sizeof(root->key.bytes));
}

static void secrets_aad(
    unsigned char aad[AAD_SIZE], bool past, uint32_t epoch, const unsigned char *archive_id)
{
	memcpy(aad, past ? "arkki-secrets-v2" : "arkki-secrets-v1", 16);
	be32_put(aad + 16, epoch);
	memcpy(aad + 20, archive_id, 16);
}

/* plain: PLAIN_MAX bytes of locked memory. Returns the size of the file. */
static size_t secrets_encode(unsigned char out[SECRETS_FILE_MAX], const struct keyring_root *root,
    const struct keyring_secrets *secrets, unsigned char *plain)
{
	unsigned char aad[AAD_SIZE];
	size_t len = SECRET_SIZE + secrets->past_len * SECRETS_PAST_SIZE;

	memcpy(out, magic, sizeof(magic));
	be32_put(out + 8, secrets->past_len ? FORMAT_PAST : FORMAT);
	be32_put(out + 12, root->epoch);
	memcpy(out + ID_AT, secrets->archive_id, sizeof(secrets->archive_id));
	root_check(root, out + CHECK_AT);
	secrets_aad(aad, secrets->past_len != 0, root->epoch, secrets->archive_id);
	randombytes_buf(out + NONCE_AT, NONCE_SIZE);
	memcpy(plain, secrets, SECRET_SIZE);
	for (uint32_t i = 0; i < secrets->past_len; i++)
		keyring_past_encode(
		    &secrets->past[i], plain + SECRET_SIZE + (size_t)i * SECRETS_PAST_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEALED_AT, NULL, plain, len, aad,
	    sizeof(aad), NULL, out + NONCE_AT, root->key.bytes);
	return SEALED_AT + len + TAG_SIZE;
}

/* A format that nobody wrote is taken as the first: so that damage to those bytes is told from a wrong key. */
static bool size_fits(const unsigned char *in, size_t len)
{
	if (len < SECRETS_FILE_SIZE || len > SECRETS_FILE_MAX ||
	    memcmp(in, magic, sizeof(magic)) != 0)
		return false;
	return be32_get(in + 8) == FORMAT_PAST
		   ? len > SECRETS_FILE_SIZE && (len - SECRETS_FILE_SIZE) % SECRETS_PAST_SIZE == 0
		   : len == SECRETS_FILE_SIZE;
}

static bool secrets_take(
    const unsigned char *plain, size_t len, const unsigned char *id, struct keyring_secrets *ret)
{
	bool ok = true;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret, plain, SECRET_SIZE);
	memcpy(ret->archive_id, id, sizeof(ret->archive_id));
	for (size_t at = SECRET_SIZE; ok && at < len; at += SECRETS_PAST_SIZE)
		ok = keyring_past_decode(plain + at, &ret->past[ret->past_len++]);
	return ok;
}

/* Says which of file and key is at fault. */
static int secrets_decode(const unsigned char *in, size_t len, const char *root_path,
    const struct keyring_root *root, unsigned char *plain, struct keyring_secrets *ret,
    struct ark_error *err)
{
	unsigned char aad[AAD_SIZE], check[CHECK_SIZE];
	bool check_fits, opens, known, past;
	uint32_t epoch, format;

	if (!size_fits(in, len))
		return ark_fail(err, ARK_ECORRUPT,
		    "keys/secrets is not as arkki writes it; restore it from a key backup");
	format = be32_get(in + 8);
	past = format == FORMAT_PAST;
	known = past || format == FORMAT;
	epoch = be32_get(in + 12);
	secrets_aad(aad, past, epoch, in + ID_AT);
	root_check(root, check);
	check_fits = bytes_equal(check, in + CHECK_AT, sizeof(check));
	opens = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, in + SEALED_AT,
		    len - SEALED_AT, aad, sizeof(aad), in + NONCE_AT, root->key.bytes) == 0;
	if (!opens && !check_fits)
		return ark_fail(err, ARK_EINPUT,
		    "the root key in %s does not belong to this archive; give the one made with it "
		    "(epoch %u)",
		    root_path, (unsigned int)epoch);
	if (!opens || !check_fits || !known ||
	    !secrets_take(plain, len - SEALED_AT - TAG_SIZE, in + ID_AT, ret))
		return ark_fail(err, ARK_ECORRUPT,
		    "keys/secrets is damaged (the root key is right); restore it from a key "
		    "backup");
	if (epoch != root->epoch)
		return ark_fail(err, ARK_EINPUT,
		    "%s says epoch %u, and the archive is at epoch %u with the same key; correct "
		    "the file",
		    root_path, (unsigned int)root->epoch, (unsigned int)epoch);
	return ARK_OK;
}

int keyring_secrets_read(const char *keys_dir, const char *root_path,
    const struct keyring_root *root, struct keyring_secrets *ret, struct ark_error *err)
{
	unsigned char *plain = sodium_malloc(PLAIN_MAX);
	struct buf file = BUF_INIT;
	char path[4096];
	int rc = plain ? fs_path(path, err, "%s/secrets", keys_dir)
		       : ark_fail(err, ARK_ENOMEM, "no memory for keys");

	if (!rc)
		rc = fs_read_file(path, SECRETS_FILE_MAX, &file, err);
	if (rc == ARK_ENOTFOUND)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "%s is missing: this is no archive, or keys/ must be restored from a key "
		    "backup",
		    path);
	else if (rc == ARK_EINPUT)
		rc = ark_fail(err, ARK_ECORRUPT, "%s is not as arkki writes it", path);
	if (!rc)
		rc = secrets_decode(
		    (const unsigned char *)file.data, file.len, root_path, root, plain, ret, err);
	if (rc)
		explicit_bzero(ret, sizeof(*ret));
	sodium_free(plain);
	buf_free(&file);
	return rc;
}

int keyring_secrets_write(const char *keys_dir, const struct keyring_root *root,
    const struct keyring_secrets *secrets, struct ark_error *err)
{
	unsigned char file[SECRETS_FILE_MAX], *plain = sodium_malloc(PLAIN_MAX);
	char path[4096];
	int rc = plain ? fs_path(path, err, "%s/secrets", keys_dir)
		       : ark_fail(err, ARK_ENOMEM, "no memory for keys");

	if (!rc)
		rc = fs_replace_file(
		    path, file, secrets_encode(file, root, secrets, plain), 0600, err);
	sodium_free(plain);
	return rc;
}

int keyring_epoch_on_disk(const char *keys_dir, uint32_t *ret, struct ark_error *err)
{
	struct buf file = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/secrets", keys_dir);

	if (!rc)
		rc = fs_read_file(path, SECRETS_FILE_MAX, &file, err);
	if (!rc && (file.len < ID_AT || memcmp(file.data, magic, sizeof(magic)) != 0))
		rc = ark_fail(err, ARK_ECORRUPT, "%s is not as arkki writes it", path);
	if (!rc)
		*ret = be32_get((const unsigned char *)file.data + 12);
	buf_free(&file);
	return rc;
}

int keyring_create(const char *keys_dir, const char *root_path, struct ark_error *err)
{
	struct keyring_secrets secrets;
	struct keyring_root root;
	char path[4096], parent[4096];
	int rc;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "this system gives no random bytes");
	rc = keyring_root_read(root_path, &root, err);
	if (rc)
		return rc;
	memset(&secrets, 0, sizeof(secrets));
	randombytes_buf(&secrets, SECRET_SIZE);
	randombytes_buf(secrets.archive_id, sizeof(secrets.archive_id));
	rc = keyring_parent(parent, keys_dir, err);
	if (!rc)
		rc = fs_path(path, err, "%s/secrets", keys_dir);
	if (rc)
		goto out;
	if (mkdir(keys_dir, 0700) < 0) {
		rc =
		    errno == EEXIST
			? ark_fail(err, ARK_EINPUT, "%s exists; keys are never made anew", keys_dir)
			: ark_fail_errno(err, ARK_EIO, "cannot make the directory %s", keys_dir);
		goto out;
	}
	rc = keyring_secrets_write(keys_dir, &root, &secrets, err);
	if (!rc)
		rc = fs_sync_dir(parent, err);
	if (rc) {
		unlink(path);
		rmdir(keys_dir);
	}
out:
	explicit_bzero(&root, sizeof(root));
	explicit_bzero(&secrets, sizeof(secrets));
	return rc;
}
