import {readdir} from 'node:fs/promises';
import {buildObstacle, verifyBuild} from './addon/build.ts';
import {COMPILERS} from './addon/compile.ts';
import {addonFolder, downloadsFolder} from './addon/folder.ts';
import {nvidiaDriver} from './addon/nvidia-driver.ts';
import {PYTHONS} from './addon/pip-download.ts';
import {runProgram} from './addon/program.ts';
import {wheelMachine} from './addon/wheel-identity.ts';
import {AUTOMATIC, type BackendName, hintOf} from './backend.ts';
import {cpuFlags, findProgram, glibcVersion} from './machine.ts';
import {type Manifest, readManifest} from './manifest.ts';
import {selfTest} from './self-test/self-test.ts';
import {TENSORFLOW_VERSION} from './versions.ts';

/** One thing looked at. `bad` stops basin or shows damage; `missing` only costs speed or a detour. */
interface Finding {
  readonly subject: string;
  readonly state: 'good' | 'missing' | 'bad';
  readonly found: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface DoctorReport {
  /** Whether runs can compute: there is a set-up, its files are whole, and its back end passes the self-test now. */
  readonly ok: boolean;
  readonly backend: BackendName | undefined;
  /** One line: what runs and why not faster. */
  readonly line: string;
  readonly findings: readonly Finding[];
}

const VECTOR_FLAGS = ['avx2', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16', 'asimd', 'sve'] as const;

const firstLine = (text: string): string => text.split('\n')[0]?.trim() ?? '';

function machineFindings(): readonly Finding[] {
  const flags = new Set(cpuFlags());
  const glibc = glibcVersion();
  return [
    {subject: 'Node.js', state: 'good', found: `${process.version} at ${process.execPath}`},
    {
      subject: 'system',
      state: wheelMachine() ? 'good' : 'missing',
      found: `${process.platform} ${process.arch}`,
      ...(!wheelMachine() && {hint: 'The native back end is for Linux on x64 or arm64.'}),
    },
    {
      subject: 'C library',
      state: glibc ? 'good' : 'missing',
      found: glibc ? `glibc ${glibc}` : 'not glibc',
      ...(!glibc && {hint: 'TensorFlow is published for glibc only; a Debian, Ubuntu or Fedora image has it.'}),
    },
    {
      subject: 'vector instructions',
      state: 'good',
      found: VECTOR_FLAGS.filter((flag) => flags.has(flag)).join(', ') || 'none that the system tells of',
    },
  ];
}

async function toolFindings(): Promise<readonly Finding[]> {
  const python = findProgram(PYTHONS);
  const pip = python && (await runProgram(python, ['-m', 'pip', '--version']));
  const compiler = findProgram(COMPILERS);
  return [
    python
      ? {
          subject: 'Python',
          state: 'good',
          found: `${firstLine((await runProgram(python, ['--version'])).said)} at ${python}`,
        }
      : {
          subject: 'Python',
          state: 'missing',
          found: 'no python3 on the PATH',
          hint: 'Not needed: TensorFlow is then downloaded over HTTPS. `apt install python3-pip` lets pip, its mirrors and proxies do it.',
        },
    pip && pip.outcome === 0
      ? {subject: 'pip', state: 'good', found: firstLine(pip.said).replace(/ from .*/, '')}
      : {
          subject: 'pip',
          state: 'missing',
          found: 'no pip for that Python',
          hint: 'Not needed: TensorFlow is then downloaded over HTTPS. `apt install python3-pip` brings it.',
        },
    compiler
      ? {subject: 'C++ compiler', state: 'good', found: firstLine((await runProgram(compiler, ['--version'])).said)}
      : {
          subject: 'C++ compiler',
          state: 'missing',
          found: `none of ${COMPILERS.join(', ')} on the PATH`,
          hint: '`apt install g++`, then `basin setup`, gives the native back end.',
        },
  ];
}

function addonFinding(build: Awaited<ReturnType<typeof verifyBuild>>): Finding {
  const subject = 'native addon';
  if (build && build.damaged.length === 0) {
    return {subject, state: 'good', found: `TensorFlow ${TENSORFLOW_VERSION}, checksums right, in ${addonFolder()}`};
  }
  if (build) {
    return {
      subject,
      state: 'bad',
      found: `not as it was built: ${build.damaged.join(', ')} in ${addonFolder()}`,
      hint: '`basin setup` builds it anew.',
    };
  }
  const why = buildObstacle();
  return {
    subject,
    state: 'missing',
    found: why ? `not built, as ${why.reason}` : 'not built yet',
    hint: why ? hintOf(why) : '`basin setup` builds it.',
  };
}

/** Whether the operations that are compiled into the addon are there. */
function operationsFinding(build: Awaited<ReturnType<typeof verifyBuild>>): readonly Finding[] {
  if (!build) return [];
  const subject = 'fused operations';
  if (build.lacksOperations === undefined) return [{subject, state: 'good', found: 'compiled into the native addon'}];
  return [
    {
      subject,
      state: 'missing',
      found: `not in the native addon, as ${build.lacksOperations}`,
      hint: 'Steps are computed by TensorFlow alone and take longer. `basin setup` tries again.',
    },
  ];
}

/** What computes the products of `precision: bf16`; our operations are compiled for this processor (`product-words.h`, `product-tiles.h`). */
export function bfloat16Finding(operations: boolean, flags: readonly string[]): Finding {
  const subject = 'bf16 products';
  if (!operations)
    return {
      subject,
      state: 'missing',
      found: 'operands rounded by TensorFlow.js, products in float32',
      hint: '`precision: bf16` gives its numbers here, and takes longer than fp32.',
    };
  if (flags.includes('amx_bf16')) return {subject, state: 'good', found: "AMX's matrix tiles"};
  if (flags.includes('avx512_bf16')) return {subject, state: 'good', found: 'AVX-512 with bf16'};
  return {
    subject,
    state: 'missing',
    found: 'AVX-512 in float32, of rounded operands',
    hint: '`precision: bf16` gives its numbers here, and nothing in speed.',
  };
}

async function wheelFinding(addon: Finding): Promise<Finding> {
  const subject = 'TensorFlow wheel';
  const waiting = (await readdir(downloadsFolder()).catch(() => [])).some((name) => name.endsWith('.whl'));
  if (waiting) return {subject, state: 'good', found: 'downloaded, waits to be used by the next build'};
  if (addon.state === 'good')
    return {subject, state: 'good', found: 'was unpacked and removed; needed for building only'};
  return {subject, state: 'missing', found: 'not downloaded', hint: 'The build downloads it (274 MB).'};
}

async function backendFinding(backend: BackendName, addon: Finding, manifest: Manifest | undefined): Promise<Finding> {
  const subject = `${backend} back end`;
  if (backend === 'tensorflow' && addon.state !== 'good') {
    return {subject, state: addon.state, found: 'not to be had: see the native addon'};
  }
  const used = manifest?.backend === backend;
  const tested = await selfTest(backend);
  if (!tested.ok) {
    return {
      subject,
      state: used ? 'bad' : 'missing',
      found: `does not run: ${tested.error}`,
      hint: 'Please report this.',
    };
  }
  const {cases, needed, avoided} = tested.value;
  const wrong = (faults: typeof needed): string => faults.map((fault) => `${fault.case} (${fault.detail})`).join('; ');
  if (needed.length > 0) {
    return {
      subject,
      state: used ? 'bad' : 'missing',
      found: `computes wrong: ${wrong(needed)}`,
      hint: 'It is not used.',
    };
  }
  return {
    subject,
    state: 'good',
    found: `runs; ${cases - avoided.length} of ${cases} tests equal the reference`,
    ...(avoided.length > 0 && {hint: `Stages of your own should avoid, on this back end: ${wrong(avoided)}.`}),
  };
}

/** Cards, and what stands between them and a run on them. */
export async function cardFindings(driver = nvidiaDriver()): Promise<readonly Finding[]> {
  const subject = 'NVIDIA cards';
  if (!driver) return [{subject, state: 'missing', found: 'no driver of NVIDIA is loaded'}];
  const cards: Finding = {
    subject,
    state: 'good',
    found: `${driver.cards.join(', ') || 'none that the driver tells of'}; driver ${driver.version}`,
  };
  const build = await verifyBuild('cuda');
  const why = buildObstacle('cuda', driver);
  if (build?.damaged.length === 0 && !why) return [cards, await backendFinding('cuda', cards, undefined)];
  const found = why ? `not to be had, as ${why.reason}` : build ? 'not as it was built' : 'not set up';
  const hint = why
    ? hintOf(why)
    : '`basin setup --backend cuda` fetches 3.3 GB; then `--backend cuda` computes on a card. Its makers had none to test it on.';
  return [cards, {subject: 'cuda back end', state: 'missing', found, hint}];
}

/** Looks at everything a set-up depends on, checks the addon's files and runs every back end's self-test. Takes some seconds. */
export async function doctor(): Promise<DoctorReport> {
  const manifest = await readManifest();
  const build = await verifyBuild();
  const addon = addonFinding(build);
  const backends: Finding[] = [];
  for (const backend of AUTOMATIC) backends.push(await backendFinding(backend, addon, manifest));
  const cards = await cardFindings();
  const findings = [
    ...machineFindings(),
    ...(await toolFindings()),
    await wheelFinding(addon),
    addon,
    ...operationsFinding(build),
    bfloat16Finding(build?.damaged.length === 0 && build.lacksOperations === undefined, cpuFlags()),
    ...backends,
    ...cards,
  ];
  const used = backends.find(({subject}) => subject === `${manifest?.backend} back end`);
  return {
    ok: manifest !== undefined && used?.state === 'good' && addon.state !== 'bad',
    backend: manifest?.backend,
    line: manifest?.line ?? 'no back end is set up for this machine and these versions; `basin setup` does it',
    findings,
  };
}

const MARKS = {good: 'ok     ', missing: 'missing', bad: 'BAD    '} as const;

/** The report as a person reads it: a line for each finding, what to do below it, the outcome last. */
export function formatDoctor({findings, line, ok}: DoctorReport): string {
  const width = Math.max(...findings.map(({subject}) => subject.length));
  const lines = findings.flatMap(({subject, state, found, hint}) => [
    `${MARKS[state]}  ${subject.padEnd(width)}  ${found}`,
    ...(hint ? [`${' '.repeat(width + 11)}${hint}`] : []),
  ]);
  return [...lines, '', `${ok ? 'Runs use the' : 'Not ready:'} ${line}`].join('\n');
}
