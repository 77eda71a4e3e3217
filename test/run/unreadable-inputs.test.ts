import {renameSync, symlinkSync} from 'node:fs';
import {dirname} from 'node:path';
import {expect, test} from 'vitest';
import {blobPath} from '../../src/store/store-layout.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

const KEPT = 'stages:\n  kept: {uses: number, with: {value: 9}}\n';
const TEXT = `${KEPT}  value: {uses: number, with: {value: 1}}
  point: {uses: scale, in: {a: value.summary}, sweep: {alpha: [0, 0.5, 1]}}
  both: {run: [sh, -c, 'cat "$1" "$2" >"$0"', "\${out.o}", "\${in.a}", "\${in.b}"], in: {a: point.points, b: kept.summary}, out: {o: file}}
  alone: {run: [cp, "\${in.a}", "\${out.o}"], in: {a: point.points}, out: {o: file}}
`;

test('what needs a payload whose folder can no longer be looked into fails by itself, and the job whose point it waited for goes on', async () => {
  await using rig = await PipelineRig.create();
  const [kept] = (await rig.run(KEPT)).records;
  const folder = dirname(blobPath(rig.cache, kept?.outputs.summary?.digest ?? expect.fail()));
  let isThere = true;
  const {totals, events} = await rig.run(TEXT, {
    ...{jobs: 1, onFailure: 'keep-going'},
    onEvent: (event) => {
      if (!isThere || event.event !== 'instance-finished' || !event.id.startsWith('point')) return;
      isThere = false;
      renameSync(folder, `${folder}-away`);
      symlinkSync(folder, folder); // may not be looked into by root either
    },
  });
  expect(totals).toMatchObject({ran: 7, cached: 1, failed: 3, skipped: 0});
  const failures = events.flatMap((event) =>
    event.event === 'instance-finished' && event.failure ? [[event.id, event.failure.message]] : [],
  );
  const message = expect.stringMatching(/^Cannot read the cache at .*: .* is a link, which is not followed\.$/);
  expect(failures.toSorted()).toEqual(['0.5', '0', '1'].map((alpha) => [`both[alpha=${alpha}]`, message]));
});
