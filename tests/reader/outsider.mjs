// What an outsider does with a log and the verifier key alone, as archive/README.md sections "Disclosures" and "Following a
// log" describe it. Following is done the slow way here: everything is read, nothing is continued.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashLevels, rootOf, tilePath, tilesOf } from './ledger.mjs';
import { ed25519Verify, sha256 } from './primitives.mjs';

const node = (left, right) => sha256(Buffer.from([1]), left, right);

function parseKey(text) {
	const [name, id, base64, ...more] = text.split('+');
	const rest = [base64, ...more].join('+'); // base64 has pluses of its own
	const key = Buffer.from(rest ?? '', 'base64');
	if (key.length !== 33 || key[0] !== 1 || sha256(name, '\n', key).toString('hex', 0, 4) !== id)
		throw new Error('not an Ed25519 verifier key');
	return { name, id, publicKey: key.subarray(1) };
}

function openCheckpoint(note, key) {
	const split = note.lastIndexOf('\n\n');
	const body = note.slice(0, split + 1);
	const [origin, size, root] = body.split('\n');
	if (split < 0 || origin !== key.name || !/^(0|[1-9]\d*)$/.test(size) || Buffer.from(root ?? '', 'base64').length !== 32)
		throw new Error(`not a checkpoint of ${key.name}`);
	const mine = note.slice(split + 2).split('\n').filter((line) => line.startsWith(`\u2014 ${key.name} `))
		.map((line) => Buffer.from(line.slice(key.name.length + 3), 'base64')).filter((bytes) => bytes.toString('hex', 0, 4) === key.id);
	if (!mine.length || !mine.every((bytes) => bytes.length === 68 && ed25519Verify(key.publicKey, Buffer.from(body), bytes.subarray(4))))
		throw new Error('the signature is not that of the log');
	return { size: Number(size), root: Buffer.from(root, 'base64') };
}

// ---- disclosures ----

const HEX32 = /^[0-9a-f]{64}$/;

function commitmentOf(letter, part) {
	const shown = part.salt !== undefined || part.json !== undefined;
	if (shown === (part.commitment !== undefined)) throw new Error(`part ${letter} is shown and hidden, or neither`);
	if (!HEX32.test(shown ? part.salt : part.commitment)) throw new Error(`part ${letter} has no 64 hex digits`);
	if (!shown) return Buffer.from(part.commitment, 'hex');
	return sha256('arkki-part-v1\n', letter, Buffer.from(part.salt, 'hex'), Buffer.from(part.json, 'utf8'));
}

function parseProof(text) {
	const split = text.indexOf('\n\n');
	const [magic, ...lines] = text.slice(0, split).split('\n');
	if (split < 0 || magic !== 'c2sp.org/tlog-proof@v1') throw new Error('not a tlog-proof');
	if (lines[0]?.startsWith('extra ')) lines.shift();
	const index = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '');
	if (!index) throw new Error('the proof has no index');
	return { index: Number(index[1]), hashes: lines.map((line) => Buffer.from(line, 'base64')), checkpoint: text.slice(split + 2) };
}

// RFC 9162, 2.1.3.2, from the top down: the tree is split where the standard's definition splits it.
function rootByProof(index, size, leaf, hashes) {
	if (size === 1) {
		if (hashes.length) throw new Error('the proof is too long');
		return leaf;
	}
	if (!hashes.length) throw new Error('the proof is too short');
	const left = 2 ** Math.floor(Math.log2(size - 1));
	const rest = hashes.slice(0, -1);
	const other = hashes[hashes.length - 1];
	return index < left ? node(rootByProof(index, left, leaf, rest), other) : node(other, rootByProof(index - left, size - left, leaf, rest));
}

function checkOne({ log, index, parts, proof: text }, key) {
	if (log !== key.name) throw new Error(`it is of the log ${log}`);
	const commitments = [...'ABC'].map((letter) => commitmentOf(letter, parts[letter]));
	const entry = Buffer.concat([Buffer.from([1]), sha256('arkki-entry-v1\n', ...commitments)]);
	const proof = parseProof(text);
	if (proof.index !== index) throw new Error('the proof is of another entry');
	const { size, root } = openCheckpoint(proof.checkpoint, key);
	if (index >= size || !rootByProof(index, size, sha256(Buffer.from([0]), entry), proof.hashes).equals(root))
		throw new Error('the proof does not lead to the root');
	const shown = Object.fromEntries([...'ABC'].filter((l) => parts[l].json !== undefined).map((l) => [l, JSON.parse(parts[l].json)]));
	return { index, size, parts: shown };
}

export function checkDisclosure(text, vkey) {
	const said = JSON.parse(text);
	const list = said.parts ? [said] : said.disclosures ?? [said.disclosure, said.last, said.ownLast].filter(Boolean);
	if (!list.length) throw new Error('there is no disclosure');
	return list.map((one) => checkOne(one, parseKey(vkey)));
}

// ---- following ----

// The first `width` items of a tile: from the partial tile of that width, else from the full one.
function readTile(dir, path, width, one) {
	const file = join(dir, 'tile', path);
	const partial = `${file}.p/${width}`;
	const found = width < 256 && existsSync(partial) ? partial : file;
	if (!existsSync(found)) throw new Error(`tile/${path} is missing`);
	const bytes = readFileSync(found);
	if (bytes.length !== (found === file ? 256 : width) * one) throw new Error(`tile/${path} has a wrong length`);
	return bytes.subarray(0, width * one);
}

function readEntries(dir, size) {
	const entries = [];
	for (let tile = 0; tile * 256 < size; tile++) {
		const bytes = readTile(dir, `entries/${tilePath(tile)}`, Math.min(256, size - tile * 256), 35);
		for (let at = 0; at < bytes.length; at += 35) {
			if (bytes.readUInt16BE(at) !== 33 || bytes[at + 2] !== 1) throw new Error(`entry ${entries.length} is not one of arkki`);
			entries.push({ entry: bytes.subarray(at + 2, at + 35) });
		}
	}
	return entries;
}

export function followTiles(dir, vkey, state) {
	const key = parseKey(vkey);
	const note = readFileSync(join(dir, 'checkpoint'), 'utf8');
	const now = openCheckpoint(note, key);
	const before = existsSync(state) ? openCheckpoint(readFileSync(state, 'utf8'), key) : { size: 0, root: sha256('') };
	if (now.size < before.size) throw new Error(`the log was rewound from ${before.size} to ${now.size} entries`);
	const entries = readEntries(dir, now.size);
	const levels = hashLevels(entries.map(({ entry }) => sha256(Buffer.from([0]), entry)));
	if (!rootOf(levels, now.size).equals(now.root)) throw new Error('the entries do not make the root that is signed');
	if (!rootOf(levels, before.size).equals(before.root)) throw new Error('the log is forked');
	for (const { path, width, bytes, one } of tilesOf(entries, levels, now.size))
		if (!readTile(dir, path, width, one).equals(bytes)) throw new Error(`tile/${path} is not made of the entries`);
	writeFileSync(state, note);
	return { size: now.size, before: before.size };
}
