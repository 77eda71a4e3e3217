import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {digestOfFile} from '../../src/base/digested-files.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {CIFAR10_FILES, readCifar10} from '../../stages/lib/data/cifar10.ts';
import {dataSetSchema} from '../../stages/lib/data/data-set-value.ts';
import {fetchCifar10} from '../../stages/lib/data/fetch-cifar10.ts';
import {loadDataSet, splitOf} from '../../stages/lib/data/load-data-set.ts';
import {embeddedMnist} from '../../stages/lib/data/mnist.ts';
import {resolveDataSet} from '../../stages/lib/data/resolve-data-set.ts';

const folder = await mkdtemp(join(tmpdir(), 'basin-data-'));
afterAll(() => rm(folder, {recursive: true, force: true}));
const context = {folder, digestOfFile, mayDownload: true};
const mnistRoot = embeddedMnist() ?? '';

async function located(value: JsonObject) {
  const resolution = await resolveDataSet(value, context);
  if (resolution.state === 'unresolved') throw new Error(resolution.reason);
  return dataSetSchema.parse(resolution.located);
}

test('MNIST that comes with basin is whole: 60,000 and 10,000 pictures with the known class counts', async () => {
  const data = await loadDataSet(await located({name: 'mnist'}));
  expect([data.train.n, data.test.n, data.classes]).toEqual([60_000, 10_000, 10]);
  const counts = Array.from({length: 10}, (_, label) => data.test.labels.filter((other) => other === label).length);
  expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
});

test('classes are filtered and relabelled in the order listed, then limited', async () => {
  const data = await loadDataSet(await located({name: 'mnist', classes: [7, 1], limit: {train: 50, test: 20}}));
  const whole = await loadDataSet(await located({name: 'mnist'}));
  expect([data.train.n, data.test.n, data.classes]).toEqual([50, 20, 2]);
  const expected = [...whole.test.labels].filter((label) => label === 7 || label === 1).slice(0, 20);
  expect([...data.test.labels]).toEqual(expected.map((label) => (label === 7 ? 0 : 1)));
  expect([...data.test.values.subarray(0, 784)]).toEqual([...whole.test.values.subarray(0, 784)]); // the first test digit is a 7
});

test('validation is taken out of train, the same for equal seeds', async () => {
  const value = {name: 'mnist', limit: {train: 100, test: 10}};
  const data = await loadDataSet(await located({...value, validation: {n: 30, seed: 4}}));
  const whole = await loadDataSet(await located(value));
  const validation = splitOf(data, 'validation');
  expect([data.train.n, validation.n]).toEqual([70, 30]);
  const names = (pictures: typeof validation) =>
    Array.from({length: pictures.n}, (_, i) => digestOf(pictures.values.subarray(i * 784, (i + 1) * 784)));
  expect([...names(data.train), ...names(validation)].sort()).toEqual(names(whole.train).sort());
  const other = await loadDataSet(await located({...value, validation: {n: 30, seed: 5}}));
  expect(names(splitOf(other, 'validation'))).not.toEqual(names(validation));
  await expect(loadDataSet(await located({...value, validation: {n: 100}}))).rejects.toThrow(
    'leaves nothing to train on',
  );
  expect(() => splitOf(whole, 'validation')).toThrow('The data set mnist has no split validation.');
});

test('the identity holds digests and choices, and no path', async () => {
  const value = {name: 'mnist', classes: [0, 1], limit: {test: 5}};
  const embedded = await resolveDataSet(value, context);
  await mkdir(join(folder, 'elsewhere'));
  for (const name of await readdir(mnistRoot)) await symlink(join(mnistRoot, name), join(folder, 'elsewhere', name));
  const linked = await resolveDataSet({...value, root: 'elsewhere'}, context);
  if (embedded.state !== 'resolved' || linked.state !== 'resolved') throw new Error('unresolved');
  expect(linked.identity).toEqual(embedded.identity);
  expect(embedded.identity).toMatchObject({name: 'mnist', classes: [0, 1], limit: {test: 5}});
  expect(JSON.stringify(embedded.identity)).not.toContain('/');
  expect(linked.located).toMatchObject({root: join(folder, 'elsewhere')});
});

test('a file that is not the official one is refused by its MD5', async () => {
  const root = join(folder, 'damaged');
  await mkdir(root);
  for (const name of await readdir(mnistRoot)) {
    const bytes = await readFile(join(mnistRoot, name));
    if (name === 't10k-labels-idx1-ubyte') bytes[100] = ((bytes[100] ?? 0) + 1) % 10;
    await writeFile(join(root, name), bytes);
  }
  await expect(loadDataSet(await located({name: 'mnist', root}))).rejects.toThrow(
    't10k-labels-idx1-ubyte is not the official MNIST file',
  );
});

test('data that is not there is unresolved, with what to do', async () => {
  const cifar = await resolveDataSet({name: 'cifar10', root: 'nowhere'}, context);
  expect(cifar).toMatchObject({
    state: 'unresolved',
    reason: expect.stringContaining('is not in nowhere'),
    hint: expect.stringContaining('download: true'),
  });
  const planned = await resolveDataSet(
    {name: 'cifar10', root: 'nowhere', download: true},
    {...context, mayDownload: false},
  );
  expect(planned).toMatchObject({state: 'unresolved', hint: expect.stringContaining('A run fetches it')});
  const mnist = await resolveDataSet({name: 'mnist', root: 'nowhere'}, context);
  expect(mnist).toMatchObject({state: 'unresolved', reason: expect.stringContaining('train-images-idx3-ubyte')});
});

test('values are strict, and parsing is idempotent', () => {
  for (const wrong of [
    {name: 'minst'},
    {name: 'mnist', download: true},
    {name: 'mnist', classes: [1, 1]},
    {name: 'mnist', limit: {validation: 1}},
  ]) {
    expect(dataSetSchema.safeParse(wrong).success).toBe(false);
  }
  const once = dataSetSchema.parse({name: 'cifar10', validation: {n: 5}});
  expect(dataSetSchema.parse(once)).toEqual(once);
});

/** Two records of a CIFAR-10 batch. */
const records = (labels: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(labels.length * 3073);
  labels.forEach((label, record) => {
    bytes.fill(record + 1, record * 3073, (record + 1) * 3073);
    bytes[record * 3073] = label;
  });
  return bytes;
};

test('CIFAR-10 batches are read in order; malformed ones are refused by name', async () => {
  const root = join(folder, 'batches');
  await mkdir(root);
  await writeFile(join(root, 'data_batch_1.bin'), records([3, 9]));
  await writeFile(join(root, 'data_batch_2.bin'), records([0]));
  const pictures = await readCifar10(root, ['data_batch_1.bin', 'data_batch_2.bin'], false);
  expect([pictures.n, ...pictures.labels, pictures.values[3072]]).toEqual([3, 3, 9, 0, 2]);
  await expect(readCifar10(root, ['data_batch_1.bin'], true)).rejects.toThrow(
    'data_batch_1.bin is not the official CIFAR-10 file',
  );
  await writeFile(join(root, 'data_batch_3.bin'), records([10]));
  await expect(readCifar10(root, ['data_batch_3.bin'], false)).rejects.toThrow(
    'Record 0 of data_batch_3.bin has label 10',
  );
  await writeFile(join(root, 'data_batch_4.bin'), records([1]).subarray(1));
  await expect(readCifar10(root, ['data_batch_4.bin'], false)).rejects.toThrow('data_batch_4.bin has 3072 bytes');
  await expect(readCifar10(root, ['data_batch_5.bin'], false)).rejects.toThrow(
    'data_batch_5.bin in batches cannot be read (ENOENT)',
  );
});

test('a fetched archive appears whole, without what else it holds; a wrong one leaves nothing', async () => {
  const source = join(folder, 'source', 'cifar-10-batches-bin');
  await mkdir(source, {recursive: true});
  for (const name of Object.keys(CIFAR10_FILES)) await writeFile(join(source, name), records([1, 2, 3]));
  await writeFile(join(source, 'readme.html'), 'not data');
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'source'), 'cifar-10-batches-bin'], {
    maxBuffer: 2 ** 24,
  });
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/archive' ? 200 : 404;
    response.end(request.url === '/archive' ? archive : '');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');
  const url = `http://127.0.0.1:${address.port}/archive`;
  const md5 = createHash('md5').update(archive).digest('hex');
  const root = join(folder, 'fetched');
  try {
    await expect(fetchCifar10(root, {url, md5: '0'.repeat(32)})).rejects.toThrow('is not CIFAR-10: its MD5 is');
    await expect(fetchCifar10(root, {url: `${url}-moved`, md5})).rejects.toThrow('the site answers 404');
    expect(await readdir(root)).toEqual([]);
    await Promise.all([fetchCifar10(root, {url, md5}), fetchCifar10(root, {url, md5})]);
    expect(await readdir(root)).toEqual(['cifar-10-batches-bin']);
    expect((await readdir(join(root, 'cifar-10-batches-bin'))).sort()).toEqual(Object.keys(CIFAR10_FILES).sort());
    expect(await readFile(join(root, 'cifar-10-batches-bin', 'test_batch.bin'))).toEqual(
      Buffer.from(records([1, 2, 3])),
    );
    const resolution = await resolveDataSet({name: 'cifar10', root}, context);
    expect(resolution).toMatchObject({state: 'resolved', located: {root: join(root, 'cifar-10-batches-bin')}});
  } finally {
    server.close();
  }
});
