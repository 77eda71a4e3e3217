import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {COMPILERS, OPERATION_FLAGS} from '../../stages/tensor/addon/compile.ts';
import {librariesFolder} from '../../stages/tensor/addon/folder.ts';
import {runProgram} from '../../stages/tensor/addon/program.ts';
import {operationSources} from '../../stages/tensor/fused/sources.ts';
import {findProgram} from '../../stages/tensor/machine.ts';
import {nativeOperations} from './against-definition.ts';

const native = await nativeOperations();
const sanitizers = process.env.BASIN_ALL && native ? ['address,undefined', 'thread'] : [];
const folder = mkdtempSync(join(tmpdir(), 'basin-sanitizers-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** A program of its own with all operations, TensorFlow's interface faked. */
const PROGRAM = join(import.meta.dirname, 'native');

test.skipIf(sanitizers.length > 0)('sanitizers are left to `npm run check:all`', () => {});

test.each(sanitizers)(
  'operations run under -fsanitize=%s without a fault',
  async (sanitizer) => {
    const binary = join(folder, sanitizer);
    const program = readdirSync(PROGRAM).filter((name) => name.endsWith('.cc'));
    const compiled = await runProgram(findProgram(COMPILERS) ?? '', [
      ...OPERATION_FLAGS,
      ...['-O1', '-g', `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all', '-pthread'],
      ...[`-I${join(librariesFolder(), 'include')}`, `-I${join(operationSources()[0] ?? '', '..')}`],
      ...[...program.map((name) => join(PROGRAM, name)), ...operationSources(), '-o', binary],
    ]);
    expect(compiled).toMatchObject({outcome: 0});
    for (const threads of ['1', '4']) {
      const ran = await runProgram(binary, [], {TF_NUM_INTRAOP_THREADS: threads});
      expect(ran).toMatchObject({outcome: 0, said: expect.stringContaining('BasinAttentionGradient')});
    }
  },
  600_000,
);

/** A processor with AMX, which this one need not be. */
const WITH_AMX = '-march=sapphirerapids';

test.runIf(process.env.BASIN_ALL && native)(
  'what is compiled on processors with AMX alone compiles',
  async () => {
    const compiler = findProgram(COMPILERS) ?? '';
    const flags = OPERATION_FLAGS.map((flag) => (flag.startsWith('-march=') ? WITH_AMX : flag));
    const probe = join(folder, 'probe.cc');
    writeFileSync(probe, '#ifndef __AMX_BF16__\n#error "no AMX"\n#endif\n');
    if ((await runProgram(compiler, [WITH_AMX, '-fsyntax-only', probe])).outcome !== 0) return; // an older compiler, which does not know it
    for (const source of operationSources()) {
      const headers = `-I${join(librariesFolder(), 'include')}`;
      const object = join(folder, `${basename(source)}.o`);
      const compiled = await runProgram(compiler, [...flags, '-O1', headers, '-fPIC', '-c', source, '-o', object]);
      expect(compiled).toMatchObject({outcome: 0});
    }
  },
  600_000,
);
