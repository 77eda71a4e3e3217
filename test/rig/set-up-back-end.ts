import {setupReporter} from '../../src/cli/setup-reporter.ts';
import {readManifest} from '../../stages/tensor/manifest.ts';
import {setUp} from '../../stages/tensor/setup.ts';

/** Once before all tests, as before the first run of a pipeline: what needs the native back end would be left out otherwise. */
export default async function setUpBackEnd(): Promise<void> {
  if (await readManifest()) return;
  const reporter = setupReporter();
  const {line} = await setUp({report: reporter});
  reporter.line(line);
}
