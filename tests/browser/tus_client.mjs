// The client that others use for resumable uploads (tus-js-client) against /v1/uploads: whole, in pieces, cut off and gone on
// with, with bytes in the first request, given up.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import tus from "tus-js-client";

import { check, same } from "./check.mjs";

const MIB = 1 << 20;

/** The upload's address once all is sent. with: options of the client's. */
function sent(r, bytes, options = {}, begun = () => {}) {
	return new Promise((done, failed) => {
		const upload = new tus.Upload(bytes, {
			endpoint: `${r.site.archive.base}/v1/uploads`, retryDelays: [0, 100, 300, 1000, 3000], parallelUploads: 1,
			headers: { Authorization: `Bearer ${r.site.token.maija}` },
			metadata: { filename: "ääkkösiä \"ja\" muuta.bin", filetype: "application/octet-stream" },
			...options, onError: failed, onSuccess: () => done(upload),
		});
		begun(upload, failed);
		upload.start();
	});
}

/** What the upload becomes has the bytes that were sent. */
async function fileIt(r, upload, bytes) {
	const metadata = {
		units: ["koivula"], type: "memo", title: "Siirretty toisella ohjelmalla", language: "fi", date: "2026-03-12",
		publicity: { class: "public" },
	};
	const answer = await fetch(`${r.site.archive.base}/v1/documents`, {
		method: "POST", headers: { Authorization: `Bearer ${r.site.token.maija}`, "Content-Type": "application/json" },
		body: JSON.stringify({ upload: upload.url.split("/").pop(), metadata }),
	});
	const document = await answer.json();
	same(answer.status, 201, JSON.stringify(document));
	same(document.sha256, createHash("sha256").update(bytes).digest("hex"), "the bytes");
	same(document.fileName, "ääkkösiä \"ja\" muuta.bin", "the name");
}

/** Sends a part, is stopped, and leaves where it was in `storage`. */
function cutOff(r, bytes, options, after) {
	return new Promise((done, failed) => {
		let upload;
		const stop = (sentBytes) => sentBytes > after && upload.abort().then(() => done(upload), failed);
		sent(r, bytes, { ...options, onProgress: stop }, (u) => (upload = u)).then(() => failed(new Error("was not cut off")), failed);
	});
}

const storageOf = () => new tus.FileUrlStorage(join(mkdtempSync(join(tmpdir(), "arkki-tus-")), "urls.json"));

// No page is looked at: once, whether there is a script or not.
const oncePerWalk = (tests) => Object.fromEntries(Object.entries(tests).map(([name, run]) =>
	[name, async (r) => { if (r.script && r.width === 1280) await run(r); }]));

export const tusTests = oncePerWalk({
	async tus__another_client_sends_whole_and_in_pieces(r) {
		for (const options of [{}, { chunkSize: MIB + 13 }, { uploadDataDuringCreation: true },
			{ uploadDataDuringCreation: true, chunkSize: 700000 }]) {
			const bytes = randomBytes(3 * MIB + 7);
			await fileIt(r, await sent(r, bytes, options), bytes);
		}
	},

	async tus__another_client_goes_on_where_it_was(r) {
		const bytes = randomBytes(6 * MIB), urlStorage = storageOf();
		const first = await cutOff(r, bytes, { urlStorage, chunkSize: MIB }, 2.5 * MIB);
		const methods = [];
		const upload = await new Promise((done, failed) => {
			sent(r, bytes, { urlStorage, onBeforeRequest: (q) => { methods.push(q.getMethod()); } }, (u) => {
				const start = u.start.bind(u);
				u.start = () => u.findPreviousUploads().then((known) => {
					same(known.length, 1, "it remembers");
					u.resumeFromPreviousUpload(known[0]);
					start();
				}).catch(failed);
			}).then(done, failed);
		});
		same(upload.url, first.url, "the same upload");
		same(methods.join(" "), "HEAD PATCH", "from where it was");
		await fileIt(r, upload, bytes);
	},

	async tus__another_client_goes_on_after_a_piece_that_broke(r) {
		const bytes = randomBytes(5 * MIB), methods = [];
		let broken = 0;
		const upload = await sent(r, bytes, {
			chunkSize: 2 * MIB,
			onBeforeRequest: (q) => { methods.push(q.getMethod()); },
			// the answer of a piece gets lost: the client asks how far the server is
			onAfterResponse: (q) => {
				if (q.getMethod() === "PATCH" && !broken++) throw new Error("the answer is lost");
			},
			onShouldRetry: () => true,
		});
		check(methods.includes("HEAD"), methods.join(" "));
		await fileIt(r, upload, bytes);
	},

	async tus__another_client_gives_an_upload_up(r) {
		const upload = await cutOff(r, randomBytes(4 * MIB), { chunkSize: MIB }, 1.5 * MIB);
		await upload.abort(true);
		const answer = await fetch(upload.url ?? "", { method: "HEAD", headers: {
			Authorization: `Bearer ${r.site.token.maija}`, "Tus-Resumable": "1.0.0" } }).catch(() => ({ status: 0 }));
		check([404, 410, 0].includes(answer.status), "it is gone", answer.status);
	},

	async tus__another_client_is_told_what_is_refused(r) {
		const refused = await sent(r, randomBytes(10), { headers: {}, retryDelays: null }).then(() => null, (e) => e);
		same(refused?.originalResponse?.getStatus(), 401, "without a token");
	},
});
