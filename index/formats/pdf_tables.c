#include "index/formats/pdf_tables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA "/usr/share/poppler/"

enum { TABLES_MAX = 1024, FILE_MAX = 8 << 20, ALL_MAX = 64 << 20, PATH_SIZE = 512 };

struct table {
	char *path;
	size_t from, len; /* in `bytes` */
};

/* Written once, before the first decoder. */
static struct {
	pthread_once_t once;
	struct table *table; /* sorted by path */
	size_t n;
	char *bytes;
	size_t len;
} tables = {.once = PTHREAD_ONCE_INIT};

static int by_path(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Appends the file to the memory file; false: it is not taken. */
static bool append(int to, const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;
	off_t left = 0;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < FILE_MAX)
		left = st.st_size;
	*ret_len = (size_t)left;
	while (left > 0 && (n = sendfile(to, fd, NULL, (size_t)left)) > 0)
		left -= n;
	close(fd);
	return *ret_len > 0 && left == 0;
}

static void take_file(int to, const char *path)
{
	struct table t = {.from = tables.len};

	if (tables.n == TABLES_MAX || tables.len > ALL_MAX || !append(to, path, &t.len))
		goto out;
	t.path = strdup(path);
	if (!t.path)
		goto out;
	tables.len += t.len;
	tables.table[tables.n++] = t;
	return;
out:
	/* what a refused file left behind the others is written over, or lies there unnamed */
	lseek(to, (off_t)tables.len, SEEK_SET);
}

static void take_folder(int to, const char *folder)
{
	DIR *dir = opendir(folder);
	char path[PATH_SIZE];

	for (struct dirent *e; dir && (e = readdir(dir));) {
		int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (e->d_name[0] != '.' && n > 0 && n < PATH_SIZE)
			take_file(to, path);
	}
	if (dir)
		closedir(dir);
}

/* One folder below is one collection of characters. */
static void take_collections(int to, const char *folder)
{
	DIR *dir = opendir(folder);
	char path[PATH_SIZE];

	for (struct dirent *e; dir && (e = readdir(dir));) {
		int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (e->d_name[0] != '.' && n > 0 && n < PATH_SIZE)
			take_folder(to, path);
	}
	if (dir)
		closedir(dir);
}

static void load(void)
{
	int fd = memfd_create("arkki-tables", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *bytes = MAP_FAILED;

	tables.table = calloc(TABLES_MAX, sizeof(*tables.table));
	if (fd >= 0 && tables.table) {
		take_folder(fd, DATA "cidToUnicode");
		take_collections(fd, DATA "cMap");
	}
	if (tables.len && ftruncate(fd, (off_t)tables.len) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		bytes = mmap(NULL, tables.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED || !tables.table) {
		tables.n = 0;
		return;
	}
	tables.bytes = bytes;
	qsort(tables.table, tables.n, sizeof(*tables.table), by_path);
}

void pdf_tables_load(void)
{
	pthread_once(&tables.once, load);
}

/* Poppler's openFile(const char *, const char *), by the name that C++ gives it. */
FILE *pdf_tables_open(const char *path, const char *mode) __asm__("_Z8openFilePKcS0_");

FILE *pdf_tables_open(const char *path, const char *mode)
{
	char name[PATH_SIZE], closing[8];
	const struct table *found = NULL;
	struct table key = {.path = name};

	if (snprintf(name, sizeof(name), "%s", path) < PATH_SIZE && tables.n && mode[0] == 'r')
		found = bsearch(&key, tables.table, tables.n, sizeof(key), by_path);
	if (found)
		return fmemopen(tables.bytes + found->from, found->len, "r");
	snprintf(closing, sizeof(closing), "%se", mode);
	return fopen(path, closing);
}
