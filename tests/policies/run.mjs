/* `node tests/policies/run.mjs [cases|mutants|engine|random]…`: all of them without arguments. */
import { policiesOf, readText, version } from './oracle.mjs';
import { runCases } from './cases.mjs';
import { runEngine, runRandom } from './engine.mjs';
import { runMutants } from './mutants.mjs';

const parts = { cases: runCases, mutants: runMutants, engine: runEngine, random: runRandom };
const counts = { passed: 0, failed: 0, skipped: 0 };

function report(name, faults) {
	counts[faults.length === 0 ? 'passed' : 'failed']++;
	if (faults.length > 0)
		console.log(`FAIL ${name}\n${faults.slice(0, 40).map((f) => `  ${f}`).join('\n')}`);
}
report.skip = (name, why) => {
	counts.skipped++;
	console.log(`SKIP ${name}: ${why}`);
};

console.log(`policies: the oracle is Cedar ${version}`);
const policies = policiesOf(readText('policies/arkki.cedar'));
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : Object.keys(parts))
	await parts[name](report, policies);
console.log(`policies: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);
