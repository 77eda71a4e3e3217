import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {COMPILERS} from '../../stages/tensor/addon/compile.ts';
import {buildsFolder, librariesFolder} from '../../stages/tensor/addon/folder.ts';
import {doctor, formatDoctor} from '../../stages/tensor/doctor.ts';
import {findProgram} from '../../stages/tensor/machine.ts';
import {setUp} from '../../stages/tensor/setup.ts';
import {librariesId} from '../../stages/tensor/versions.ts';
import {listening, scratchFolder, setEnv, useEmptyCache} from '../tensor/scratch-cache.ts';
import {nativeOperations} from './against-definition.ts';

const native = await nativeOperations();

test.runIf(process.env.BASIN_ALL && native)(
  'where our operations do not compile the back end is had without them, and says so',
  async () => {
    const [libraries, compiler] = [librariesFolder(), findProgram(COMPILERS) ?? ''];
    useEmptyCache();
    mkdirSync(buildsFolder(), {recursive: true});
    symlinkSync(libraries, join(buildsFolder(), librariesId('cpu')));
    const programs = scratchFolder();
    const old = `#!/bin/sh\ncase "$*" in *-march=native*) echo 'error: too old' >&2; exit 1;; esac\nexec ${compiler} "$@"\n`;
    writeFileSync(join(programs, 'g++'), old, {mode: 0o755});
    setEnv('PATH', `${programs}:${process.env.PATH}`);

    const manifest = await setUp({report: listening()});
    expect(manifest).toMatchObject({backend: 'tensorflow', selfTest: {needed: []}});
    expect(manifest.numerics).toMatch(/\/k0$/);
    expect(manifest.line).toMatch(/without fused operations: the compiler failed on [a-z-]+\.cc \(error: too old\)/);
    expect(formatDoctor(await doctor())).toMatch(/missing +fused operations +not in the native addon, as the compiler/);

    // A compiler that can, and `basin setup`, bring them.
    setEnv('PATH', process.env.PATH?.replace(`${programs}:`, ''));
    expect((await setUp({force: true, report: listening()})).line).not.toContain('without');
  },
  600_000,
);
