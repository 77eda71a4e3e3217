// Prints `N passed, N failed[, N skipped]` from vitest's JSON report; exits non-zero when anything failed or nothing ran.
import {readFileSync} from 'node:fs';

const [path = '', status = '1'] = process.argv.slice(2);
let report = {};
try {
  report = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  console.error(`There is no report at ${path}: the tests did not run to their end.`);
}
const {numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: pending = 0, numTodoTests: todo = 0} = report;
const skipped = pending + todo;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
// A suite that could not be loaded is no failed test, so the exit code of the run counts as well.
process.exitCode = failed === 0 && passed > 0 && status === '0' ? 0 : 1;
