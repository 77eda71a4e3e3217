import {existsSync} from 'node:fs';
import {formatBytes, parseBytes} from '../../base/byte-size.ts';
import {formatSeconds} from '../../report/format.ts';
import type {EvictionReason} from '../../store/choose-evictions.ts';
import {collectGarbage} from '../../store/collect-garbage.ts';
import {indexFileAt} from '../../store/index-file.ts';
import {openStore} from '../../store/open-store.ts';
import type {Store} from '../../store/store.ts';
import {storeLayout} from '../../store/store-layout.ts';
import {verifyStore} from '../../store/verify-store.ts';
import {cacheFolder, noCacheAt} from '../cache-folder.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault, printFaults} from '../faults.ts';

interface CacheOptions {
  readonly cache?: string;
  readonly json?: true;
}

async function withStore({cache, json}: CacheOptions, work: (store: Store) => Promise<number>): Promise<number> {
  const root = cacheFolder(cache, process.cwd());
  const store = await openStore(root, {readOnly: !existsSync(root)});
  try {
    const none = noCacheAt(root);
    if (none === undefined) return await work(store);
    printFaults([none], json ?? false);
    return EXIT.wrong;
  } finally {
    await store.close();
  }
}

const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

const REASONS: Readonly<Record<EvictionReason, string>> = {
  orphaned: 'left behind by a process that died',
  superseded: 'of results that no pipeline refers to as it last ran',
  'old-log': 'of runs more than a month ago',
  unfinished: 'of stages that were stopped and that nobody runs now',
  cheap: 'of current results, the cheapest to compute again',
};
const KINDS: Readonly<Record<EvictionReason, string>> = {
  orphaned: 'payload',
  superseded: 'payload',
  'old-log': 'log',
  unfinished: 'checkpoint folder',
  cheap: 'payload',
};

/** `cache gc --budget 20GB`: payloads, old logs and checkpoints that nobody works on go until the rest fits. */
export async function gcCommand(
  options: CacheOptions & {readonly budget: string; readonly dryRun?: true},
): Promise<number> {
  const budget = parseBytes(options.budget);
  if (budget === undefined) {
    const fault = commandFault(`"${options.budget}" is no size.`, 'Write it as 20GB, 1.5GiB or 500MB.');
    printFaults([fault], options.json ?? false);
    return EXIT.wrong;
  }
  const dryRun = options.dryRun ?? false;
  return withStore(options, async (store) => {
    const {bytesBefore, bytesAfter, payloadsBefore, sparesBefore, evictions} = await collectGarbage(store, {
      budget,
      dryRun,
    });
    if (options.json) {
      const removed = evictions.map(({file: {name, bytes}, reason, seconds}) => ({
        ...(KINDS[reason] === 'payload' ? {digest: name} : {name}),
        bytes,
        reason,
        seconds,
      }));
      say(JSON.stringify({cache: store.root, budget, dryRun, bytesBefore, bytesAfter, removed}));
      return EXIT.done;
    }
    const spares = sparesBefore > 0 ? ` and ${count(sparesBefore, 'old log or checkpoint folder')}` : '';
    say(
      `${store.root}: ${formatBytes(bytesBefore)} in ${count(payloadsBefore, 'payload')}${spares}; budget ${formatBytes(budget)}`,
    );
    for (const reason of ['orphaned', 'superseded', 'old-log', 'unfinished', 'cheap'] as const) {
      const ofReason = evictions.filter((eviction) => eviction.reason === reason);
      if (ofReason.length === 0) continue;
      const bytes = ofReason.reduce((sum, {file}) => sum + file.bytes, 0);
      const costs = new Map(ofReason.map(({key, seconds}) => [key, seconds]));
      const seconds = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
      const cost = seconds > 0 ? `; ${formatSeconds(seconds)} to compute again` : '';
      say(
        `${dryRun ? 'would remove' : 'removed'} ${formatBytes(bytes)} in ${count(ofReason.length, KINDS[reason])} ${REASONS[reason]}${cost}`,
      );
    }
    if (evictions.length === 0) say('nothing to remove');
    else say(`${dryRun ? 'would leave' : 'left'} ${formatBytes(bytesAfter)}; every record stays`);
    return EXIT.done;
  });
}

/** `cache verify [--repair]`: reads everything and compares it with its digest; 1 when something is damaged. */
export async function verifyCommand(options: CacheOptions & {readonly repair?: true}): Promise<number> {
  const repair = options.repair ?? false;
  return withStore(options, async (store) => {
    const found = await verifyStore(store);
    const {damagedPayloads, damagedRecords, falseTables, differsInIndex, notRead, worldWritable} = found;
    const {index} = storeLayout(store.root);
    const foreignIndex = indexFileAt(index) === 'foreign' ? index : undefined;
    if (repair) {
      for (const digest of damagedPayloads) await store.discardBlob(digest);
      for (const key of damagedRecords) await store.discardRecord(key);
      for (const key of falseTables) await store.forget(key, 'its small table was not the one in its payload');
      if (differsInIndex.length > 0) store.rebuildIndex();
    }
    const isDamaged = [damagedPayloads, damagedRecords, falseTables, differsInIndex].some(({length}) => length > 0);
    const isAllRead = notRead.length === 0;
    const whole = !isDamaged && isAllRead;
    if (options.json) {
      say(JSON.stringify({cache: store.root, whole, repaired: repair && isDamaged, ...found, foreignIndex}));
    } else {
      say(
        `${store.root}: ${count(found.records, 'record')}, ${formatBytes(found.bytes)} in ${count(found.payloads, 'payload')}`,
      );
      for (const digest of damagedPayloads) say(`damaged payload ${digest}`);
      for (const key of damagedRecords) say(`damaged record ${key}`);
      for (const key of falseTables) say(`record ${key} shows another table than its payload holds`);
      for (const key of differsInIndex) say(`record ${key} is another in the index`);
      for (const {path, why} of notRead) say(`not read: ${path}: ${why}`);
      for (const path of worldWritable) say(`everybody may write to ${path}`);
      if (foreignIndex !== undefined)
        say(
          `${foreignIndex} is no index of basin's: it is left alone, and every command reads all records; move it away if it is nobody's`,
        );
      if (found.gone > 0) say(`${count(found.gone, 'payload')} removed to save space; their records stand`);
      if (whole) say('whole: every file is what its name says');
      if (isDamaged) say(ofDamage(repair));
      if (!isAllRead) say('what was not read is left as it is');
    }
    return whole || (repair && isAllRead) ? EXIT.done : EXIT.failed;
  });
}

const ofDamage = (repaired: boolean): string =>
  repaired
    ? 'what was damaged is removed; what needs it runs again'
    : 'nothing damaged is ever used; `basin cache verify --repair` removes it, and what needs it runs again';
