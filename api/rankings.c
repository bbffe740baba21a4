/* Invariants, under the lock: `bytes` is the sum of all kept; the list runs from the one used last to the
 * one to be dropped first; no two have the same owner and name. */
#include "api/rankings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	KEPT_MAX = 512,
	BYTES_MAX = 64 << 20,
	OWNER_MAX = 8, /* of one owner: the same search from its first page again and again */
};
static const int64_t AGE_MAX_US = 15LL * 60 * 1000000;

struct placed { /* zeroed first: the bytes make its name */
	unsigned char document[16];
	uint32_t version;
	uint16_t similar; /* as many as group has at most */
	uint8_t same;     /* how many of them are named, from same_at on */
	uint8_t whole;
	uint32_t same_at;
};

struct ranking {
	atomic_uint references;
	struct search_result first;
	struct placed *hits, *same;
	size_t len, same_len;
};

struct kept {
	char owner[33], name[33];
	struct ranking *ranking;
	size_t bytes;
	int64_t made_us;
	struct kept *newer, *older;
};

struct rankings {
	pthread_mutex_t lock;
	struct kept *newest, *oldest;
	size_t len, bytes;
};

/* ---- one ---- */

static bool place(
    struct placed *p, const char *document, uint32_t version, bool whole, struct ark_error *err)
{
	*p = (struct placed){.version = version, .whole = whole};
	if (hex_decode(p->document, sizeof(p->document), document, strlen(document)))
		return true;
	ark_fail(err, ARK_ECORRUPT, "the index names a document that cannot be one");
	return false;
}

static bool place_all(
    struct ranking *k, const struct search_hit *hits, size_t len, struct ark_error *err)
{
	for (size_t i = 0; i < len; i++) {
		struct placed *p = &k->hits[k->len++];
		const struct search_hit *h = &hits[i];

		if (!place(p, h->document, h->version, h->whole, err))
			return false;
		p->similar = h->similar > UINT16_MAX ? UINT16_MAX : (uint16_t)h->similar;
		p->same = (uint8_t)(h->similar < SEARCH_SAME_MAX ? h->similar : SEARCH_SAME_MAX);
		p->same_at = (uint32_t)k->same_len;
		for (uint8_t j = 0; j < p->same; j++)
			if (!place(&k->same[k->same_len++], h->same[j].document, h->same[j].version,
				h->same[j].whole, err))
				return false;
	}
	return true;
}

int ranking_new(struct search_result *first, const struct search_hit *hits, size_t len,
    struct ranking **ret, struct ark_error *err)
{
	struct ranking *k = calloc(1, sizeof(*k));
	size_t same = 0;
	int rc = ARK_OK;

	for (size_t i = 0; i < len; i++)
		same += hits[i].similar < SEARCH_SAME_MAX ? hits[i].similar : SEARCH_SAME_MAX;
	if (k) {
		atomic_init(&k->references, 1);
		k->first = *first;
		*first = (struct search_result){0};
		k->hits = calloc(len ? len : 1, sizeof(*k->hits));
		k->same = calloc(same ? same : 1, sizeof(*k->same));
	}
	if (!k || !k->hits || !k->same)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a search");
	else if (!place_all(k, hits, len, err))
		rc = ARK_ECORRUPT;
	if (rc) {
		ranking_unref(k);
		return rc;
	}
	free(k->first.hits);
	k->first.hits = NULL;
	k->first.hits_len = 0;
	*ret = k;
	return ARK_OK;
}

void ranking_unref(struct ranking *k)
{
	if (!k || atomic_fetch_sub(&k->references, 1) > 1)
		return;
	search_result_clear(&k->first);
	free(k->hits);
	free(k->same);
	free(k);
}

const struct search_result *ranking_first(const struct ranking *k)
{
	return &k->first;
}

size_t ranking_len(const struct ranking *k)
{
	return k->len;
}

void ranking_hit(const struct ranking *k, size_t at, struct search_hit *ret)
{
	const struct placed *p = &k->hits[at];

	*ret = (struct search_hit){
	    .version = p->version, .whole = p->whole != 0, .similar = p->similar};
	hex_encode(ret->document, p->document, sizeof(p->document));
	for (size_t i = 0; i < p->same; i++) {
		const struct placed *s = &k->same[p->same_at + i];

		hex_encode(ret->same[i].document, s->document, sizeof(s->document));
		ret->same[i].version = s->version;
		ret->same[i].whole = s->whole != 0;
	}
}

size_t ranking_behind(
    const struct ranking *k, const char *document, uint32_t version, size_t otherwise)
{
	unsigned char bytes[16];

	if (hex_decode(bytes, sizeof(bytes), document, strlen(document)))
		for (size_t i = 0; i < k->len; i++)
			if (memcmp(k->hits[i].document, bytes, sizeof(bytes)) == 0 &&
			    (!version || k->hits[i].version == version))
				return i + 1;
	return otherwise < k->len ? otherwise : k->len;
}

const void *ranking_bytes(const struct ranking *k, size_t *ret_len)
{
	*ret_len = k->len * sizeof(*k->hits);
	return k->hits;
}

static size_t size_of(const struct ranking *k)
{
	size_t n = sizeof(struct kept) + sizeof(*k) + (k->len + k->same_len) * sizeof(*k->hits) +
		   k->first.read.cap;

	for (size_t f = 0; f < SEARCH_FACETS; f++)
		for (size_t i = 0; i < k->first.facets[f].len; i++)
			n += sizeof(struct search_count) +
			     strlen(k->first.facets[f].counts[i].value) + 17;
	return n;
}

/* ---- those kept ---- */

int rankings_new(struct rankings **ret, struct ark_error *err)
{
	struct rankings *r = calloc(1, sizeof(*r));

	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for the searches under way");
	pthread_mutex_init(&r->lock, NULL);
	*ret = r;
	return ARK_OK;
}

static void unlink_kept(struct rankings *r, struct kept *e)
{
	*(e->newer ? &e->newer->older : &r->newest) = e->older;
	*(e->older ? &e->older->newer : &r->oldest) = e->newer;
	r->len--;
	r->bytes -= e->bytes;
}

static void drop(struct rankings *r, struct kept *e)
{
	unlink_kept(r, e);
	ranking_unref(e->ranking);
	free(e);
}

static void link_newest(struct rankings *r, struct kept *e)
{
	e->newer = NULL;
	e->older = r->newest;
	/* what was freed was unlinked before: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	*(r->newest ? &r->newest->newer : &r->oldest) = e;
	r->newest = e;
	r->len++;
	r->bytes += e->bytes;
}

void rankings_free(struct rankings *r)
{
	if (!r)
		return;
	while (r->oldest)
		/* what was freed was unlinked before: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		drop(r, r->oldest);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Makes room for one of `owner`, and drops what is too old or of the same name. */
static void make_room(struct rankings *r, const struct kept *coming)
{
	int64_t now = clock_monotonic_us();
	size_t own = 0;

	for (struct kept *e = r->newest, *older; e; e = older) {
		bool mine = strcmp(e->owner, coming->owner) == 0;

		older = e->older;
		if (now - e->made_us > AGE_MAX_US ||
		    (mine && (strcmp(e->name, coming->name) == 0 || ++own >= OWNER_MAX)))
			drop(r, e);
	}
	while (r->oldest && (r->len >= KEPT_MAX || r->bytes + coming->bytes > BYTES_MAX))
		/* what was freed was unlinked before: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		drop(r, r->oldest);
}

void rankings_keep(struct rankings *r, const char *owner, const char *name, struct ranking *k)
{
	struct kept *e = calloc(1, sizeof(*e));

	if (!e)
		return;
	memcpy(e->owner, owner, sizeof(e->owner));
	memcpy(e->name, name, sizeof(e->name));
	e->bytes = size_of(k);
	e->made_us = clock_monotonic_us();
	e->ranking = k;
	atomic_fetch_add(&k->references, 1);
	pthread_mutex_lock(&r->lock);
	make_room(r, e);
	link_newest(r, e);
	pthread_mutex_unlock(&r->lock);
}

struct ranking *rankings_find(struct rankings *r, const char *owner, const char *name)
{
	struct ranking *found = NULL;
	struct kept *e;

	pthread_mutex_lock(&r->lock);
	for (e = r->newest; e; e = e->older)
		if (strcmp(e->owner, owner) == 0 && strcmp(e->name, name) == 0)
			break;
	if (e && clock_monotonic_us() - e->made_us > AGE_MAX_US) {
		drop(r, e);
	} else if (e) {
		found = e->ranking;
		atomic_fetch_add(&found->references, 1);
		unlink_kept(r, e);
		link_newest(r, e);
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}
