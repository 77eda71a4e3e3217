import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Engine, WriteTasks} from './engine.ts';
import {absentProgram, NPM, program, pythonProgram} from './install.ts';
import {chains, STEP_SCRIPT, studyTasks, type Task, wanted} from './tasks.ts';

const out = (id: string): string => `out/${id}`;
const shell = ({id, inputs, modulus}: Task, value: string | number): string =>
  ['sh step.sh', out(id), value, modulus, ...inputs.map(out)].join(' ');

/** For engines that look at files and not at commands: the value of each task in a file of its own, written when it differs. */
function writeValues(folder: string, tasks: readonly Task[]): void {
  mkdirSync(join(folder, 'values'), {recursive: true});
  for (const {id, value} of tasks) {
    const path = join(folder, 'values', id);
    if (readText(path) !== `${value}\n`) writeFileSync(path, `${value}\n`);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const engine = (
  name: string,
  largest: number,
  path: string,
  args: readonly string[],
  write: WriteTasks,
  more: Partial<Engine> = {},
): Engine => {
  const prepared: WriteTasks = (folder, tasks, comment) => {
    mkdirSync(join(folder, 'out'), {recursive: true});
    if (readText(join(folder, 'step.sh')) === undefined) writeFileSync(join(folder, 'step.sh'), STEP_SCRIPT);
    write(folder, tasks, comment);
  };
  return {
    name,
    largest,
    absent: () => absentProgram(path),
    writeChains: (folder, n, edited) => prepared(folder, chains(n, edited), ''),
    writeStudy: (folder, study) => prepared(folder, studyTasks(study), study.comment),
    command: [path, ...args],
    ran: (folder) => {
      const lines = readText(join(folder, 'ran')) ?? '';
      rmSync(join(folder, 'ran'), {force: true});
      return lines.length / 2;
    },
    deleteOutput: (folder) => rmSync(join(folder, out('interpolate-10')), {force: true}),
    ...more,
  };
};

export const ninja = engine('ninja', 10_000, program('ninja'), [], (folder, tasks, comment) => {
  const edges = tasks.map(
    (task) => `build ${out(task.id)}: step ${task.inputs.map(out).join(' ')}\n  cmd = ${shell(task, task.value)}\n`,
  );
  writeFileSync(join(folder, 'build.ninja'), `# ${comment}\nrule step\n  command = $cmd\n\n${edges.join('')}`);
});

export const make = engine('make', 10_000, program('make'), ['-s', '-j2'], (folder, tasks, comment) => {
  writeValues(folder, tasks);
  const rules = tasks.map((task) => {
    const {id, inputs} = task;
    return `${out(id)}: values/${id} ${inputs.map(out).join(' ')}\n\t@${shell(task, `values/${id}`)}\n`;
  });
  writeFileSync(
    join(folder, 'Makefile'),
    `# ${comment}\nall: ${wanted(tasks).map(out).join(' ')}\n\n${rules.join('')}`,
  );
});

export const snakemake = engine(
  'snakemake',
  1_000,
  pythonProgram('snakemake'),
  ['--cores', '2', '--quiet', 'all'],
  (folder, tasks, comment) => {
    const rules = tasks.map((task) => {
      const inputs = task.inputs.map((id) => `'${out(id)}'`).join(', ');
      return `rule:\n    input: [${inputs}]\n    output: '${out(task.id)}'\n    params: value=${task.value}\n    shell: '${shell(task, task.value)}'\n`;
    });
    const targets = wanted(tasks).map((id) => `'${out(id)}'`);
    writeFileSync(
      join(folder, 'Snakefile'),
      `# ${comment}\nrule all:\n    input: [${targets.join(', ')}]\n\n${rules.join('\n')}`,
    );
  },
);

/** package.json has no comments; its description stands for one. */
export const wireit = engine(
  'wireit',
  1_000,
  program('npm'),
  ['run', '--silent', 'all'],
  (folder, tasks, comment) => {
    const scripts = Object.fromEntries([...tasks.map(({id}) => id), 'all'].map((id) => [id, 'wireit']));
    const wireit = Object.fromEntries(
      tasks.map((task) => [
        task.id,
        {command: shell(task, task.value), dependencies: task.inputs, files: ['step.sh'], output: [out(task.id)]},
      ]),
    );
    const all = {dependencies: wanted(tasks)};
    const json = {name: 'bench', description: comment, scripts, wireit: {...wireit, all}};
    writeFileSync(join(folder, 'package.json'), JSON.stringify(json, null, 1));
  },
  {absent: () => absentProgram(`${NPM}/wireit`)},
);

export const turbo = engine(
  'turbo',
  200,
  `${NPM}/turbo`,
  ['run', 'all', '--output-logs=none'],
  (folder, tasks, comment) => {
    writeValues(folder, tasks);
    const scripts = Object.fromEntries(tasks.map((task) => [task.id, shell(task, `values/${task.id}`)]));
    const manifest = {name: 'bench', packageManager: 'npm@10.0.0', scripts: {...scripts, all: 'true'}};
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 1));
    const definitions = Object.fromEntries(
      tasks.map(({id, inputs}) => [id, {dependsOn: inputs, inputs: [`values/${id}`], outputs: [out(id)]}]),
    );
    const all = {dependsOn: wanted(tasks), inputs: [], outputs: []};
    writeFileSync(
      join(folder, 'turbo.json'),
      `// ${comment}\n${JSON.stringify({tasks: {...definitions, all}}, null, 1)}`,
    );
  },
);

/** dvc.yaml is YAML, of which JSON is a part; `dvc init` has made its folder at the first run. */
export const dvc = engine(
  'dvc',
  200,
  'sh',
  ['-c', `[ -d .dvc ] || ${pythonProgram('dvc')} init -q --no-scm; ${pythonProgram('dvc')} repro -q`],
  (folder, tasks, comment) => {
    const stages = Object.fromEntries(
      tasks.map((task) => [
        task.id,
        {
          cmd: shell(task, task.value),
          ...(task.inputs.length > 0 && {deps: task.inputs.map(out)}),
          outs: [out(task.id)],
        },
      ]),
    );
    writeFileSync(join(folder, 'dvc.yaml'), `# ${comment}\n${JSON.stringify({stages}, null, 1)}`);
  },
  {absent: () => absentProgram(pythonProgram('dvc'))},
);
