/* The files of the web, compiled in: one style sheet, one icon, one script. */
#include <string.h>

#include <sodium.h>

#include "api/pages/pages.h"
#include "arkki/api/http_range.h"
#include "arkki/base/text.h"

#define PART(file) ".incbin \"api/web/" file "\"\n"
/* one file to the browser, a part each for the areas */
#define EMBED(name, parts)                                                                         \
	__asm__(".section .rodata\n.global " #name "\n" #name ":\n" parts #name                    \
		"_end:\n.byte 0\n.global " #name "_end\n.previous\n");                             \
	extern const char name[] __attribute__((visibility("hidden")));                            \
	extern const char name##_end[] __attribute__((visibility("hidden")))

EMBED(arkki_web_css, PART("arkki.css") PART("units.css") PART("document.css") PART("filing.css")
			 PART("uploads.css") PART("audit.css"));
EMBED(arkki_web_js, PART("arkki.js") PART("finding.js") PART("filing.js"));
EMBED(arkki_web_svg, PART("arkki.svg"));

static const struct asset {
	const char *name, *content_type, *bytes, *end;
} assets[] = {
    {"arkki.css", "text/css; charset=utf-8", arkki_web_css, arkki_web_css_end},
    {"arkki.js", "text/javascript; charset=utf-8", arkki_web_js, arkki_web_js_end},
    {"arkki.svg", "image/svg+xml", arkki_web_svg, arkki_web_svg_end},
};

void pages_start(struct app *app)
{
	crypto_generichash_state state;
	unsigned char hash[16];

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < sizeof(assets) / sizeof(*assets); i++)
		crypto_generichash_update(&state, (const unsigned char *)assets[i].bytes,
		    (size_t)(assets[i].end - assets[i].bytes));
	crypto_generichash_final(&state, hash, sizeof(hash));
	hex_encode(app->assets_tag, hash, (sizeof(app->assets_tag) - 1) / 2);
}

void web_asset(struct exchange *x)
{
	const char *name = http_param(x, 0), *v = http_query(x, "v");
	const struct app *app = app_of(x);
	const struct asset *a = NULL;
	char tag[TAG_SIZE];

	for (size_t i = 0; i < sizeof(assets) / sizeof(*assets); i++)
		if (strcmp(assets[i].name, name) == 0)
			a = &assets[i];
	if (!a) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	snprintf(tag, sizeof(tag), "\"%s\"", app->assets_tag);
	http_reply_header(x, "ETag", tag);
	http_reply_header(
	    x, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
	/* an address with the tag of what it holds never changes its meaning */
	http_reply_header(x, "Cache-Control",
	    v && strcmp(v, app->assets_tag) == 0 ? "public, max-age=31536000, immutable"
						 : "no-cache");
	if (etag_if_none_match(http_header_list(x, "If-None-Match"), tag) == ETAG_MATCH)
		http_reply_empty(x, 304);
	else
		http_reply_static(x, 200, a->content_type, a->bytes, (size_t)(a->end - a->bytes));
}
