/* index.html of a package: what is in it, for a person without any program of ours. */
#include <stdio.h>
#include <string.h>

#include "api/exports.h"
#include "api/html.h"
#include "arkki/base/json.h"

enum word {
	W_TITLE,
	W_MADE,
	W_BY,
	W_PURPOSE,
	W_NONE,
	W_VERSION,
	W_FILE,
	W_SIZE,
	W_FILED,
	W_SHA,
	W_PUBLIC,
	W_WITHHELD,
	W_PROOF,
	W_HISTORY,
	W_CHECK,
	WORDS
};

static const char *const words[WORDS][3] = {
    [W_TITLE] = {"Vienti arkistosta", "Export ur arkivet", "Export from the archive"},
    [W_MADE] = {"Tehty", "Gjord", "Made"},
    [W_BY] = {"Tekijä", "Av", "By"},
    [W_PURPOSE] = {"Käyttötarkoitus", "Ändamål", "Purpose"},
    [W_NONE] = {"Paketissa ei ole asiakirjoja.", "Paketet innehåller inga handlingar.",
	"There are no documents in this package."},
    [W_VERSION] = {"Versio", "Version", "Version"},
    [W_FILE] = {"Tiedosto", "Fil", "File"},
    [W_SIZE] = {"Tavuja", "Byte", "Bytes"},
    [W_FILED] = {"Tallennettu", "Arkiverad", "Filed"},
    [W_SHA] = {"SHA-256", "SHA-256", "SHA-256"},
    [W_PUBLIC] = {"julkinen toisinto", "offentlig version", "public rendition"},
    [W_WITHHELD] = {"sisältö ei kuulu tähän vientiin", "innehållet ingår inte i denna export",
	"the content is not part of this export"},
    [W_PROOF] = {"todiste", "bevis", "proof"},
    [W_HISTORY] = {"tapahtumahistoria", "händelsehistorik", "history"},
    [W_CHECK] =
	{"Tarkista paketti: arkki export verify PAKETTI --vkey AVAIN. Avain saadaan muualta kuin "
	 "tästä paketista.",
	    "Kontrollera paketet: arkki export verify PAKET --vkey NYCKEL. Nyckeln fås från annat "
	    "håll än ur "
	    "detta paket.",
	    "Check the package: arkki export verify PACKAGE --vkey KEY. Get the key from elsewhere "
	    "than this "
	    "package."},
};

static const char head[] =
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">"
    "<style>body{font:1rem/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #888;padding:.2rem "
    ".6rem;text-align:left;"
    "vertical-align:top}code{font-size:.8rem;overflow-wrap:anywhere}</style>";

/* A path of the package as a relative link: only what a URL must not hold is encoded. */
static void link_of(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (strchr("%?#\"'<>&", *path) || (unsigned char)*path <= ' ')
			buf_addf(out, "%%%02X", (unsigned int)(unsigned char)*path);
		else
			buf_addc(out, *path);
	}
}

static void put_file(struct html *h, const json_t *v, int l)
{
	const char *file = json_text(v, "file"), *name = json_text(v, "fileName");
	const char *form = json_text(v, "form");
	struct buf link = BUF_INIT;

	if (!file) {
		html_put(h, "<td>$</td>", words[W_WITHHELD][l]);
		return;
	}
	link_of(&link, file);
	html_put(h, "<td><a href=\"$\">$</a>", link.data, name ? name : strrchr(file, '/') + 1);
	if (form && strcmp(form, "public") == 0)
		html_put(h, " ($)", words[W_PUBLIC][l]);
	html_raw(h, "</td>");
	if (buf_failed(&link))
		h->out.failed = true;
	buf_free(&link);
}

static void put_version(struct html *h, const char *document, const json_t *v, int l)
{
	char number[24], size[24], proof[128];

	snprintf(number, sizeof(number), "%lld",
	    (long long)json_integer_value(json_object_get(v, "version")));
	snprintf(
	    size, sizeof(size), "%lld", (long long)json_integer_value(json_object_get(v, "size")));
	html_put(h, "<tr><td>$</td>", number);
	put_file(h, v, l);
	html_put(h, "<td>$</td><td>$</td><td><code>$</code></td><td>", size,
	    json_text(v, "filedAt"), json_text(v, "sha256"));
	if (!json_object_get(v, "rendition")) {
		snprintf(proof, sizeof(proof), "documents/%s/v%04lld/proof.json", document,
		    (long long)json_integer_value(json_object_get(v, "version")));
		html_put(h, "<a href=\"$\">$</a>", proof, words[W_PROOF][l]);
	}
	html_raw(h, "</td></tr>");
}

static void put_document(struct html *h, const json_t *d, int l)
{
	const char *id = json_text(d, "id");
	char history[128];
	json_t *v;
	size_t i;

	snprintf(history, sizeof(history), "documents/%s/history.json", id);
	html_put(h, "<h2>$</h2><p>$ · $ · <a href=\"$\">$</a> · <code>$</code></p>",
	    json_text(d, "title"), json_text(d, "date"), json_text(d, "type"), history,
	    words[W_HISTORY][l], id);
	html_put(h, "<table><tr><th>$</th><th>$</th><th>$</th><th>$</th><th>$</th><th></th></tr>",
	    words[W_VERSION][l], words[W_FILE][l], words[W_SIZE][l], words[W_FILED][l],
	    words[W_SHA][l]);
	json_array_foreach(json_object_get(d, "versions"), i, v)
	{
		put_version(h, id, v, l);
	}
	html_raw(h, "</table>");
}

int export_page(
    const json_t *about, enum http_language language, struct buf *out, struct ark_error *err)
{
	static const char *const codes[] = {[HTTP_FI] = "fi", [HTTP_SV] = "sv", [HTTP_EN] = "en"};
	const json_t *documents = json_object_get(about, "documents");
	int l = (int)language;
	struct html h = {0};
	json_t *d;
	size_t i;

	html_put(&h, "<!doctype html><html lang=\"$\"><head>", codes[l]);
	html_literal(&h, head, sizeof(head) - 1);
	html_put(&h, "<title>$</title></head><body><h1>$: $</h1><p>$ $ · $ $ ($)</p>",
	    words[W_TITLE][l], words[W_TITLE][l], json_text(about, "origin"), words[W_MADE][l],
	    json_text(about, "time"), words[W_BY][l], json_text(about, "by"),
	    json_text(about, "org"));
	if (json_text(about, "purpose"))
		html_put(&h, "<p>$: $</p>", words[W_PURPOSE][l], json_text(about, "purpose"));
	if (json_array_size(documents) == 0)
		html_put(&h, "<p>$</p>", words[W_NONE][l]);
	json_array_foreach(documents, i, d)
	{
		put_document(&h, d, l);
	}
	html_put(&h, "<p>$</p></body></html>\n", words[W_CHECK][l]);
	*out = h.out;
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a page") : ARK_OK;
}
