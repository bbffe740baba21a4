// Objects of a bare repository through stock `git cat-file --batch`, each re-hashed here against its name.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const ENV = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent' };

export class Repository {
	constructor(dir) {
		this.dir = dir;
		this.start();
	}

	start() {
		this.chunks = [];
		this.held = 0;
		this.ended = false;
		this.wake = () => {};
		const child = spawn('git', [`--git-dir=${this.dir}`, 'cat-file', '--batch'], {
			stdio: ['pipe', 'pipe', 'ignore'],
			env: ENV,
		});
		const end = () => {
			if (this.child !== child) return;
			this.ended = true;
			this.wake();
		};
		child.stdout.on('data', (bytes) => {
			this.chunks.push(bytes);
			this.held += bytes.length;
			this.wake();
		});
		child.stdout.on('end', end);
		child.on('error', end);
		child.stdin.on('error', end);
		this.child = child;
	}

	close() {
		this.child.stdin.end();
	}

	head() {
		const args = [`--git-dir=${this.dir}`, 'rev-parse', '--verify', 'refs/heads/main^{commit}'];
		const { status, stdout } = spawnSync('git', args, { env: ENV, encoding: 'latin1' });
		if (status !== 0) throw new Error('archive.git has no branch main');
		return stdout.trim();
	}

	async more() {
		if (this.ended) throw new Error('git cannot read it');
		await new Promise((resolve) => {
			this.wake = resolve;
		});
	}

	async line() {
		for (;;) {
			if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
			const at = this.chunks.length ? this.chunks[0].indexOf(10) : -1;
			if (at >= 0) return (await this.take(at + 1)).toString('latin1', 0, at);
			await this.more();
		}
	}

	async take(size) {
		while (this.held < size) await this.more();
		const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
		this.chunks = [all.subarray(size)];
		this.held -= size;
		return all.subarray(0, size);
	}

	// One object at a time: the caller awaits each before asking for the next. git ends at the first damaged one.
	async read(oid, type) {
		if (this.ended) this.start();
		try {
			this.child.stdin.write(`${oid}\n`);
			const [name, kind, size] = (await this.line()).split(' ');
			if (kind === 'missing' || name !== oid) throw new Error('is missing');
			const body = await this.take(Number(size));
			await this.take(1);
			const hash = createHash('sha1').update(`${kind} ${size}\0`).update(body).digest('hex');
			if (kind !== type || hash !== oid) throw new Error('is not what its name says');
			return body;
		} catch (error) {
			throw new Error(`object ${oid}: ${error.message}`);
		}
	}

	async tree(oid) {
		const body = await this.read(oid, 'tree');
		const entries = new Map();
		for (let at = 0; at < body.length; ) {
			const space = body.indexOf(32, at);
			const zero = body.indexOf(0, space);
			const folder = body.toString('latin1', at, space) === '40000';
			const child = body.toString('hex', zero + 1, zero + 21);
			entries.set(body.toString('utf8', space + 1, zero), { folder, oid: child });
			at = zero + 21;
		}
		return entries;
	}

	async commit(oid) {
		const text = (await this.read(oid, 'commit')).toString('utf8');
		const split = text.indexOf('\n\n');
		const head = text.slice(0, split + 1);
		const signature = /^gpgsig (.*\n(?: .*\n)*)/m.exec(head);
		return {
			oid,
			tree: /^tree ([0-9a-f]{40})$/m.exec(head)?.[1],
			parents: [...head.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((m) => m[1]),
			message: text.slice(split + 2),
			time: Number(/^committer .*> (\d+) /m.exec(head)?.[1]),
			signature: signature ? signature[1].replace(/\n /g, '\n') : '',
			signed: signature ? text.replace(signature[0], '') : text,
		};
	}

	// The blob at a path below a tree, or null.
	async find(tree, path) {
		let at = { folder: true, oid: tree };
		for (const name of path.split('/')) {
			at = at?.folder ? (await this.tree(at.oid)).get(name) : null;
			if (!at) return null;
		}
		return at.folder ? null : at.oid;
	}

	// Calls back for each blob that differs between two trees; equal subtrees are not entered.
	async differences(before, after, found, prefix = '') {
		if (before === after) return;
		const old = before ? await this.tree(before) : new Map();
		const now = after ? await this.tree(after) : new Map();
		for (const name of new Set([...old.keys(), ...now.keys()])) {
			const [a, b] = [old.get(name), now.get(name)];
			if (a?.oid === b?.oid && a?.folder === b?.folder) continue;
			if (a?.folder || b?.folder)
				await this.differences(a?.folder ? a.oid : null, b?.folder ? b.oid : null, found, `${prefix}${name}/`);
			if ((a && !a.folder) || (b && !b.folder))
				found(`${prefix}${name}`, a && !a.folder ? a.oid : null, b && !b.folder ? b.oid : null);
		}
	}
}
