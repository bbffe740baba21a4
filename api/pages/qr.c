/* A QR code as inline SVG: one path, a square of 1 for each dark module, with the margin of 4 that readers need. */
#include <stdio.h>
#include <string.h>

#include <qrencode.h>
#include <sodium.h>

#include "api/pages/account.h"

enum { MARGIN = 4 };

bool qr_write(struct html *h, const char *text, const char *alt)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	struct buf path = BUF_INIT;
	char size[16];

	if (!code)
		return false;
	for (int y = 0; y < code->width; y++)
		for (int x = 0; x < code->width; x++)
			if (code->data[y * code->width + x] & 1)
				buf_addf(&path, "M%d %dh1v1h-1z", x + MARGIN, y + MARGIN);
	snprintf(size, sizeof(size), "%d", code->width + 2 * MARGIN);
	html_put(h,
	    "<svg class=\"qr\" role=\"img\" aria-label=\"$\" viewBox=\"0 0 $ $\" "
	    "shape-rendering=\"crispEdges\"><rect width=\"$\" height=\"$\" fill=\"#fff\"/>"
	    "<path fill=\"#000\" d=\"$\"/></svg>",
	    alt, size, size, size, size, path.data);
	/* the secret is in it */
	sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	buf_wipe_free(&path);
	return true;
}
