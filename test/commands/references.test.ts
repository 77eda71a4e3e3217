import {expect, onTestFinished, test, vi} from 'vitest';
import {PipelineRig} from '../rig/pipeline-rig.ts';
import {bytesOf, failures} from './told.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: as a pipeline has it
test('what is written as a reference is the path, with spaces and in variables too; what an axis gives and what is escaped is text', async () => {
  await using rig = await PipelineRig.create();
  vi.stubEnv('BASIN_TEST_REFERENCE', '${in.text}');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const text = `
stages:
  make: {run: [sh, -c, 'printf made > "$0"', "\${ out.text }"], out: {text: file}}
  read:
    run: [sh, -c, 'printf "%s\\n" "$@" "$OWN" "$BASIN_TEST_REFERENCE"', sh, "\${ in.text }", "a\${in.text}b", "$\${in.text}", "\${axis}", "\${axis}\${in.text}"]
    in: {text: make.text}
    env: {OWN: "<\${in.text}>", BASIN_TEST_REFERENCE: }
    sweep: {axis: ["$\${in.text}"]}`;
  const run = await rig.run(text);
  expect(failures(run)).toEqual({});
  const id = run.plan.instances.flatMap(({instance}) => (instance.node === 'read' ? [instance.id] : []))[0] ?? '';
  expect(new TextDecoder().decode(await bytesOf(rig, run, id, 'log')).split('\n')).toEqual([
    'in/text',
    'ain/textb',
    '${in.text}',
    '${in.text}',
    '${in.text}in/text',
    '<in/text>',
    '${in.text}',
    '',
  ]);
  expect(run.plan.instances.find(({instance}) => instance.node === 'make')?.instance.params.run).toContain(
    '${out.text}',
  );
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as a pipeline has it
