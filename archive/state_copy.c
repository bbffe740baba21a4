/* state.sqlite as one moment has it: through the backup interface of SQLite, into memory (it holds tokens and marks,
 * which are small). */
#include <sqlite3.h>

#include "archive/backup_private.h"

enum { STATE_MAX = 1 << 30, PAGES = 256, WAIT_MS = 10000 };

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int code;

	if (!b)
		return sqlite3_errcode(to);
	do {
		code = sqlite3_backup_step(b, PAGES);
		if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
			sqlite3_sleep(5);
	} while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
	(void)sqlite3_backup_finish(b);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int state_copy(const char *path, struct buf *out, struct ark_error *err)
{
	sqlite3 *from = NULL, *to = NULL;
	sqlite3_int64 len = 0;
	unsigned char *bytes = NULL;
	int rc = ARK_OK;
	int code = sqlite3_open_v2(path, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(from, WAIT_MS);
	if (code == SQLITE_OK)
		code = sqlite3_open(":memory:", &to);
	if (code == SQLITE_OK)
		code = copy_pages(from, to);
	if (code != SQLITE_OK) {
		rc = ark_fail(err, code == SQLITE_NOMEM ? ARK_ENOMEM : ARK_EIO,
		    "cannot copy %s: %s", path, sqlite3_errstr(code));
		goto out;
	}
	bytes = sqlite3_serialize(to, "main", &len, 0);
	if (!bytes || len > STATE_MAX)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a copy of %s", path);
	else
		buf_add(out, bytes, (size_t)len);
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a copy of %s", path);
out:
	sqlite3_free(bytes);
	sqlite3_close(to);
	sqlite3_close(from);
	return rc;
}
