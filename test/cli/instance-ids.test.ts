// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {findInstances} from '../../src/cli/find-instance.ts';
import {graphOf} from '../rig/read-text.ts';
import {BASIN, basin, environment, jsonLines, scratchFolder} from './basin.ts';

// Everything that a shell, brackets, a list of pairs or a dot before an artifact's name could take for its own.
const ODD = [
  'a b\'s "q" $HOME `x` \\ !! *?#~|&;<>(),[k=1].weights]{y}=ü✓ \n\t',
  ['x,y', {'a b]': "it's", n: null}, true, 0.5, {'k[0]': '].summary', v: ['1', 1]}],
];

test('an id that plan prints, quoted once for the shell, is taken by every command', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  const pipeline = {
    stages: {
      n: {
        uses: 'pretrain-load',
        with: {source: 'random', model: {model: 'mlp', hidden: [4]}, seed: "${type(k) == type('') ? 1 : 2}"},
        sweep: {k: ODD},
      },
    },
  };
  await writeFile(join(cwd, 'p.yaml'), JSON.stringify(pipeline));
  const shell = async (command: string): Promise<string> => {
    const env = environment(join(cwd, 'cache'), {BASIN});
    const {stdout} = await promisify(execFile)('sh', ['-c', command], {cwd, env});
    return stdout;
  };
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const {instances}: {instances: {id: string; axes: {k: unknown}}[]} = JSON.parse(
    await shell('"$BASIN" plan p.yaml --json'),
  );
  expect(instances.map(({axes}) => axes.k)).toEqual(ODD);
  await shell(
    `"$BASIN" run p.yaml --json ${instances.map(({id}) => `--target ${quoted(id)}`).join(' ')} && ${instances
      .map(({id}) => `"$BASIN" log p.yaml ${quoted(id)} --json >> log.txt`)
      .join(' && ')}`,
  );
  for (const {id} of instances) {
    const [explained = '', shown = ''] = (
      await shell(
        `"$BASIN" explain p.yaml ${quoted(id)} --json && "$BASIN" show p.yaml ${quoted(`${id}.weights`)} --format csv`,
      )
    ).split(/\n(.*)/s);
    expect(JSON.parse(explained)).toMatchObject({instance: id, verdict: 'cached'});
    expect(shown.split('\n')[0]).toBe('k,name,shape,weights,mean,l2,zeros');
  }
  for (const wanted of ['n.weights --format arrow --output one.arrow', 'n --to folder']) {
    const refused = await shell(`"$BASIN" show p.yaml ${wanted} 2>&1 || true`);
    const example = /\nName one, for example (.*)\.\n$/.exec(refused)?.[1] ?? refused;
    expect(await shell(`"$BASIN" show p.yaml ${wanted.replace(/^\S+/, () => example)} 2>&1`)).toBe('');
  }
  const logged = (await shell('cat log.txt')).trim().split('\n');
  expect(logged.map((line): unknown => JSON.parse(line).instance)).toEqual(instances.map(({id}) => id));
});

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({min: -1e9, max: 1e9, noNaN: true}).map((number) => number + 0),
  fc.string({unit: 'grapheme'}),
  fc.stringMatching(/^[a-z0-9."\\[\],=]{0,6}$/),
);
const axisValue = fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), scalar));

test('every value has an id of its own, which finds it and holds nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(axisValue, {minLength: 1, maxLength: 6, selector: (v) => JSON.stringify(v)}),
      (values) => {
        const sweep = {k: [...values, '\u009b2J', '\u202e', '\u{e0001}']};
        const stages = {n: {uses: 'number', with: {value: '${k == 1 ? 1 : 2}'}, sweep}};
        const graph = graphOf(JSON.stringify({stages}));
        for (const instance of graph.instances) {
          const found = findInstances(graph, instance.id);
          expect(found.ok && found.value).toEqual([instance]);
          expect(instance.id).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      },
    ),
    {seed: 6, numRuns: 100},
  );
});

test('a point is found however its values and the order of its axes are written, and is told in the one way', {
  timeout: 60_000,
}, async () => {
  const cwd = await scratchFolder();
  const pipeline = {
    stages: {
      n: {
        uses: 'pretrain-load',
        with: {source: 'random', model: {model: 'mlp', hidden: [4]}, seed: '${int(lr * 1000.0) + replicate}'},
        sweep: {lr: [0.01, 0.001], replicate: [1, 2]},
      },
    },
  };
  await writeFile(join(cwd, 'p.yaml'), JSON.stringify(pipeline));
  const ids = async (command: readonly string[]): Promise<unknown> =>
    jsonLines((await basin([...command, '--json'], {cwd})).stdout).flatMap((line) =>
      typeof line === 'object' && line !== null && 'instance' in line ? [line.instance] : [],
    );
  const [as, swapped] = ['n[lr=1e-3,replicate=1]', 'n[ replicate=+1, lr=0.0010 ]'];
  const planned = await basin(['plan', 'p.yaml', '--target', swapped, '--json'], {cwd});
  expect(JSON.parse(planned.stdout)).toMatchObject({instances: [{id: 'n[lr=0.001,replicate=1]'}]});
  const ran = await basin(['run', 'p.yaml', '--target', as, '--force', swapped, '--json'], {cwd});
  expect(jsonLines(ran.stdout).at(-1)).toMatchObject({ran: 1, cached: 0});
  expect(await ids(['explain', 'p.yaml', swapped])).toEqual(['n[lr=0.001,replicate=1]']);
  expect(await ids(['log', 'p.yaml', as])).toEqual(['n[lr=0.001,replicate=1]']);
  const shown = await basin(['show', 'p.yaml', `${swapped}.weights`, '--format', 'csv'], {cwd});
  expect(shown).toMatchObject({code: 0, stdout: expect.stringMatching(/^lr,replicate,name,/)});

  expect(await basin(['explain', 'p.yaml', 'n[replicate=1,lr=1.1e-3]'], {cwd})).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'wrong-command: There is no node or instance "n[replicate=1,lr=1.1e-3]" in p.yaml.\nDid you mean "n[lr=0.001,replicate=1]"?\n',
  });
});

test('what is a point of no kind, or another value, finds none', () => {
  const graph = graphOf(
    'stages: {n: {uses: number, with: {value: "${k == 1 && s ? 1 : 2}"}, sweep: {k: [1, "1", x, [1, a]], s: [true]}}}',
  );
  const found = (name: string) => {
    const instances = findInstances(graph, name);
    return instances.ok ? instances.value.map(({id}) => id) : [];
  };
  expect(found("n[s=true,k='1']")).toEqual(['n[k="1",s=true]']);
  expect(found('n[s=true,k=01.0]')).toEqual(['n[k=1,s=true]']);
  expect(found('n[s=true, k="x"]')).toEqual(['n[k=x,s=true]']);
  expect(found('n[s=true, k=[ 1.0, "a" ]]')).toEqual(['n[k=[1,"a"],s=true]']);
  for (const none of ['k=1', 'k=1,s="true"', 'k=1,s=true,t=1', 'k=1,k=1,s=true', 'k=1,s=', '=1', '', 's=true,k="x'])
    expect(found(`n[${none}]`)).toEqual([]);
  for (const none of ['n[s=true,k=1', 'n[s=true,k=1]x', 'n[s=true,k=*x]', 'n[s=true,k=[1,a]', 'm[s=true,k=1]'])
    expect(found(none)).toEqual([]);
});
