#include "api/language.h"

#include <string.h>
#include <strings.h>

static const char *const tags[] = {"fi", "sv", "en"};

bool language_from_tag(const char *tag, enum http_language *ret)
{
	for (int i = 0; i < 3; i++) {
		if (!strcmp(tag, tags[i])) {
			*ret = (enum http_language)i;
			return true;
		}
	}
	return false;
}

/* "0.8" as 800; a malformed weight counts as 0. */
static int weight(const char *text)
{
	int w, scale = 100;

	if (*text != '0' && *text != '1')
		return 0;
	w = (*text++ - '0') * 1000;
	if (*text++ != '.')
		return w;
	for (; *text >= '0' && *text <= '9' && scale; text++, scale /= 10)
		w += (*text - '0') * scale;
	return w > 1000 ? 0 : w;
}

enum http_language language_choose(const char *accept)
{
	enum http_language best = HTTP_FI;
	int best_weight = 0;

	for (const char *p = accept; p && *p;) {
		size_t item, tag;
		const char *q;
		int w = 1000;

		p += strspn(p, " \t,");
		item = strcspn(p, ",");
		tag = strcspn(p, ",; \t-");
		q = memchr(p, ';', item);
		if (q) {
			q += 1 + strspn(q + 1, " \t");
			w = !strncasecmp(q, "q=", 2) ? weight(q + 2) : 0;
		}
		for (int i = 0; i < 3 && w > best_weight; i++) {
			if ((tag == 2 && !strncasecmp(p, tags[i], 2)) || (tag == 1 && *p == '*')) {
				best = (enum http_language)i;
				best_weight = w;
			}
		}
		p += item;
	}
	return best;
}
