/* A document as an A4 PDF. */
#include "tools/demo.h"

#include <stdio.h>

#include "api/paper.h"
#include "arkki/base/json.h"

static void put_document(struct paper *p, void *arg)
{
	static const enum paper_kind kinds[] = {
	    [DEMO_H1] = PAPER_H1,
	    [DEMO_H2] = PAPER_H2,
	    [DEMO_H3] = PAPER_H3,
	    [DEMO_PARAGRAPH] = PAPER_PARAGRAPH,
	    [DEMO_ITEM] = PAPER_ITEM,
	};
	const struct demo_version *v = arg;

	for (size_t i = 0; i < v->blocks; i++)
		paper_put(p, kinds[v->block[i].kind], v->block[i].text);
}

int demo_render_pdf(
    const struct demo_document *doc, size_t at, struct buf *out, struct ark_error *err)
{
	const struct demo_version *v = &doc->version[at];
	char time[40];
	const struct paper_about about = {.title = json_text(v->whole, "title"),
	    .creator = "arkki demo",
	    .language = json_text(v->whole, "language"),
	    .time = time};
	struct ark_error why = {0};
	int rc;

	snprintf(time, sizeof(time), "%sT09:00:00Z", v->date);
	rc = paper_draw(&about, put_document, (void *)(uintptr_t)v, out, &why);
	return rc ? ark_fail(err, rc, "%s: %s", doc->name, why.text) : ARK_OK;
}
