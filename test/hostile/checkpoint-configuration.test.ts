import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import stage from '../../stages/pretrain-load.ts';
import {checkpointFolder, hostileFolder, told} from './refusal.ts';

const WHOLE = 'The file is damaged or not complete; fetch it again and compare its size and SHA-256 with the source.';
const AGAIN = 'The file is damaged or not what its name says; fetch the checkpoint again.';
const FIELD = 'Fetch the checkpoint again, or write the field as transformers does.';
const CHOOSE = 'Choose a Vision Transformer such as google/vit-base-patch16-224-in21k.';
const PREPROCESSOR =
  'Write the field as ViTImageProcessor does, or remove the file: its defaults are those of google/vit.';
const INDEX = 'Use an index as transformers writes it, with its shards in the same folder.';
const PARTS =
  'A checkpoint is model.safetensors (or model.safetensors.index.json and its shards) with config.json beside it, as save_pretrained(folder) writes it.';

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const CONFIG = readFileSync(join(import.meta.dirname, '../fixtures/hf-vit/p4-32/config.json'), 'utf8');
/** The good configuration with a field put in front of it, or in place of its own. */
function withField(name: string, json: string): string {
  const config = JSON.parse(CONFIG);
  delete config[name];
  return `{${JSON.stringify(name)}: ${json}, ${JSON.stringify(config).slice(1)}`;
}
const without = (name: string): string => JSON.stringify({...JSON.parse(CONFIG), [name]: undefined});

async function toldOf(file: string, content: string | Uint8Array): Promise<string> {
  const folder = checkpointFolder();
  writeFileSync(join(folder, file), content);
  return told(stage, {source: folder}, folder);
}

const NO_TEXT: readonly (readonly [what: string, content: string | Uint8Array, told: (file: string) => string])[] = [
  ['nothing in it', '', (file) => `${file} is not JSON: it ends too early.\n${AGAIN}`],
  ['a text cut short', '{"model_type": "vi', (file) => `${file} is not JSON: it breaks at position 18.\n${AGAIN}`],
  [
    'HTML in its place',
    '<!doctype html>\u001b[31m',
    (file) => `${file} is not JSON: it does not read as JSON at all.\n${AGAIN}`,
  ],
  ['a list in it', '[]', (file) => `${file} is not a JSON object.\n${AGAIN}`],
  ['null in it', 'null', (file) => `${file} is not a JSON object.\n${AGAIN}`],
  [
    'bytes that are not UTF-8',
    Buffer.from('{"model_type": "v\u00ed"}', 'latin1'),
    (file) => `${file} is not UTF-8 text.\n${AGAIN}`,
  ],
  [
    'nesting 20,000 deep',
    `{"a": ${nested(20_000)}}`,
    (file) => `${file} is nested more than 100 levels deep.\n${AGAIN}`,
  ],
  [
    'nesting that never closes',
    '{"a":'.repeat(20_000),
    (file) => `${file} is nested more than 100 levels deep.\n${AGAIN}`,
  ],
  ['a name twice', '{"size": 32, "size": 64}', (file) => `${file} has the name "size" twice in one object.\n${AGAIN}`],
  [
    '50 MB',
    `{${' '.repeat(50_000_000)}}`,
    (file) =>
      `${file} is 50000002 bytes long, and basin reads such files up to 16777216 bytes.\nNo model has one so large: is it another file under this name?`,
  ],
];
for (const file of ['config.json', 'preprocessor_config.json', 'model.safetensors.index.json']) {
  test.each(NO_TEXT)(`${file} with %s is refused with what to do`, async (_, content, expected) => {
    const folder = checkpointFolder();
    if (file.includes('index')) rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, file), content);
    expect(await told(stage, {source: folder}, folder)).toBe(
      `${file.includes('index') ? 'FOLDER: ' : ''}${expected(file)}`,
    );
  });
}

test.each([
  [
    'no model_type',
    without('model_type'),
    `config.json describes a model of type null, and only "vit" can be loaded.\n${CHOOSE}`,
  ],
  [
    'a model_type nested as deep as allowed',
    withField('model_type', nested(90)),
    `config.json describes a model of type a list, and only "vit" can be loaded.\n${CHOOSE}`,
  ],
  [
    'a model_type of 5 MB',
    withField('model_type', JSON.stringify('x'.repeat(5_000_000))),
    `config.json describes a model of type "${'x'.repeat(120)}…", and only "vit" can be loaded.\n${CHOOSE}`,
  ],
  [
    'a string for a number',
    withField('hidden_size', '"48"'),
    `config.json cannot be used: hidden_size: Invalid input: expected number, received string.\n${FIELD}`,
  ],
  [
    'null for a number',
    withField('num_hidden_layers', 'null'),
    `config.json cannot be used: num_hidden_layers: Invalid input: expected number, received null.\n${FIELD}`,
  ],
  [
    'a list for a number',
    withField('patch_size', '[4, 4]'),
    `config.json cannot be used: patch_size: Invalid input: expected number, received array.\n${FIELD}`,
  ],
  [
    'zero heads',
    withField('num_attention_heads', '0'),
    `config.json cannot be used: num_attention_heads: Too small: expected number to be >=1; hidden_size: hidden_size must be a multiple of num_attention_heads.\n${FIELD}`,
  ],
  [
    'a hidden size that its heads do not divide',
    withField('num_attention_heads', '5'),
    `config.json cannot be used: hidden_size: hidden_size must be a multiple of num_attention_heads.\n${FIELD}`,
  ],
  [
    'a patch that does not divide the picture',
    withField('patch_size', '5'),
    `config.json cannot be used: patch_size: patch_size must divide image_size.\n${FIELD}`,
  ],
  [
    'a negative size',
    withField('image_size', '-32'),
    `config.json cannot be used: image_size: Too small: expected number to be >=1.\n${FIELD}`,
  ],
  [
    'a size of 1e999',
    withField('intermediate_size', '1e999'),
    `config.json cannot be used: intermediate_size: Invalid input: expected number, received Infinity.\n${FIELD}`,
  ],
  [
    'a size of 2^53',
    withField('intermediate_size', '9007199254740992'),
    `config.json cannot be used: intermediate_size: Too big: expected int to be <=9007199254740991; intermediate_size: Too big: expected number to be <=65536.\n${FIELD}`,
  ],
  [
    'half a layer',
    withField('num_hidden_layers', '1.5'),
    `config.json cannot be used: num_hidden_layers: Invalid input: expected int, received number.\n${FIELD}`,
  ],
  [
    'an activation that basin has not',
    withField('hidden_act', '"swish"'),
    `config.json cannot be used: hidden_act: Invalid option: expected one of "gelu"|"gelu_new"|"relu".\n${FIELD}`,
  ],
  [
    'an activation that is an object',
    withField('hidden_act', '{"__proto__": 1}'),
    `config.json cannot be used: hidden_act: Invalid option: expected one of "gelu"|"gelu_new"|"relu".\n${FIELD}`,
  ],
  [
    'labels that are a string',
    withField('num_labels', '"10"').replace(/"id2label":\{[^}]*\},?/, ''),
    `config.json cannot be used: num_labels is "10", where a whole number was expected.\n${FIELD}`,
  ],
  [
    'a list of labels',
    withField('id2label', '["a", "b"]'),
    `config.json cannot be used: id2label is a list, where a map from number to name was expected.\n${FIELD}`,
  ],
  [
    'two faults',
    withField('hidden_size', '"48"').replace('"qkv_bias":true', '"qkv_bias":"yes"'),
    `config.json cannot be used: hidden_size: Invalid input: expected number, received string; qkv_bias: Invalid input: expected boolean, received string.\n${FIELD}`,
  ],
  [
    'sizes that its weights do not have',
    withField('hidden_size', '65536'),
    `The tensors of FOLDER do not fit its configuration; of another shape: classifier.weight is [10,48] and should be [10,65536], vit.embeddings.cls_token is [1,1,48] and should be [1,1,65536], vit.embeddings.patch_embeddings.projection.bias is [48] and should be [65536], vit.embeddings.patch_embeddings.projection.weight is [48,3,4,4] and should be [65536,3,4,4], vit.embeddings.position_embeddings is [1,65,48] and should be [1,65,65536], vit.encoder.layer.0.attention.attention.key.bias is [48] and should be [65536] and 46 more.\nWeights and configuration must come from the same model; a classifier is made anew when \`labels\` is given.`,
  ],
])('config.json with %s is refused with what to do', async (_, content, expected) => {
  expect(await toldOf('config.json', content)).toBe(expected);
});

test('config.json may say more than basin uses, under any name, after a byte order mark', async () => {
  expect(await toldOf('config.json', `\uFEFF${withField('__proto__', '{"hidden_size": 1}')}`)).toBe('taken as good');
  expect(await toldOf('config.json', withField('constructor', '7'))).toBe('taken as good');
});

test.each([
  [
    'a size that is a string',
    '{"size": "32"}',
    `preprocessor_config.json asks for what basin cannot do: size: Invalid input: expected object, received string.\n${PREPROCESSOR}`,
  ],
  [
    'a size without a width',
    '{"size": {"height": 32}}',
    `preprocessor_config.json asks for what basin cannot do: size.width: Invalid input: expected number, received undefined.\n${PREPROCESSOR}`,
  ],
  [
    'a size of zero',
    '{"size": 0}',
    `preprocessor_config.json asks for what basin cannot do: size.height: Too small: expected number to be >=1; size.width: Too small: expected number to be >=1.\n${PREPROCESSOR}`,
  ],
  [
    'a size with more in it',
    '{"size": {"height": 32, "width": 32, "__proto__": 1}}',
    `preprocessor_config.json asks for what basin cannot do: size: Unrecognized key: "__proto__".\n${PREPROCESSOR}`,
  ],
  [
    'another size than the model',
    '{"size": 64}',
    `The preprocessor resizes pictures to 64x64, but the model takes 32x32.\nGive a preprocessor and a model that belong together, or \`image_size\`, which sets the size of both.`,
  ],
  [
    'null for a flag',
    '{"do_resize": null}',
    `preprocessor_config.json asks for what basin cannot do: do_resize: Invalid input: expected boolean, received null.\n${PREPROCESSOR}`,
  ],
  [
    'a filter that Pillow has not',
    '{"resample": 99}',
    `preprocessor_config.json asks for what basin cannot do: resample: Too big: expected number to be <=5.\n${PREPROCESSOR}`,
  ],
  [
    'a deviation of zero',
    '{"image_std": [0, 0.5, 0.5]}',
    `preprocessor_config.json asks for what basin cannot do: image_std.0: Too small: expected number to be >0.\n${PREPROCESSOR}`,
  ],
  [
    'a mean of 1e999',
    '{"image_mean": [1e999, 0.5, 0.5]}',
    `preprocessor_config.json asks for what basin cannot do: image_mean.0: Invalid input: expected number, received Infinity.\n${PREPROCESSOR}`,
  ],
  [
    'a mean too few',
    '{"image_mean": [0.5, 0.5]}',
    `The preprocessor has 2 means and 3 deviations, but the model's pictures have 3 channels.\nGive image_mean and image_std one number a channel.`,
  ],
  [
    'a factor that is text',
    '{"rescale_factor": "1/255"}',
    `preprocessor_config.json asks for what basin cannot do: rescale_factor: Invalid input: expected number, received string.\n${PREPROCESSOR}`,
  ],
  [
    'a centre crop of no size',
    '{"do_center_crop": true}',
    `preprocessor_config.json asks for what basin cannot do: crop_size: do_center_crop: true and crop_size belong together.\n${PREPROCESSOR}`,
  ],
  [
    'a centre crop of another size than the model',
    '{"do_center_crop": true, "crop_size": 24}',
    `The preprocessor crops pictures to 24x24, but the model takes 32x32.\nGive a preprocessor and a model that belong together, or \`image_size\`, which sets the size of both.`,
  ],
  [
    'another processor',
    '{"image_processor_type": "CLIPImageProcessor", "size": 32}',
    `preprocessor_config.json is of "CLIPImageProcessor", and basin prepares pictures as ViTImageProcessor does.\nWrite every field as ViTImageProcessor has it, with image_processor_type: "ViTImageProcessor".`,
  ],
  [
    'a step that a ViT has not',
    '{"do_pad": true}',
    `preprocessor_config.json asks for do_pad, which a ViT image processor does not do.\nRemove do_pad, or choose a checkpoint of a ViT.`,
  ],
])('preprocessor_config.json with %s is refused with what to do', async (_, content, expected) => {
  expect(await toldOf('preprocessor_config.json', content)).toBe(expected);
});

/** A checkpoint in shards by this map; its weights lie there as one.safetensors. */
async function sharded(map: string, arrange: (folder: string) => void = () => {}): Promise<string> {
  const folder = checkpointFolder();
  renameSync(join(folder, 'model.safetensors'), join(folder, 'one.safetensors'));
  writeFileSync(join(folder, 'model.safetensors.index.json'), `{"weight_map": ${map}}`);
  arrange(folder);
  return told(stage, {source: folder}, folder);
}

test.each([
  [
    'the folder above',
    '{"a": "../one.safetensors"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "../one.safetensors", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'an absolute path',
    '{"a": "/etc/passwd.safetensors"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "/etc/passwd.safetensors", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a folder below',
    '{"a": "x/../../one.safetensors"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "x/../../one.safetensors", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a path as Windows writes it',
    '{"a": "..\\\\one.safetensors"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "..\\\\one.safetensors", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a name with a zero in it',
    '{"a": "one\\u0000.safetensors"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "one\\u0000.safetensors", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'another kind of file',
    '{"a": "pytorch_model.bin"}',
    `FOLDER: model.safetensors.index.json places tensor "a" in "pytorch_model.bin", which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a number',
    '{"a": 7}',
    `FOLDER: model.safetensors.index.json places tensor "a" in 7, which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'an object that cannot become text',
    '{"a": {"toString": 7}}',
    `FOLDER: model.safetensors.index.json places tensor "a" in an object, which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a list nested deep',
    `{"a": ${nested(90)}}`,
    `FOLDER: model.safetensors.index.json places tensor "a" in a list, which is not a safetensors file beside it.\n${INDEX}`,
  ],
  [
    'a shard that is not there',
    '{"a": "one.safetensors", "b": "two.safetensors"}',
    `FOLDER: two.safetensors is missing from the checkpoint.\n${PARTS}`,
  ],
  ['nothing', '{}', `FOLDER: model.safetensors.index.json names no file in its weight_map.\n${INDEX}`],
])('an index that names %s is refused with what to do', async (_, map, expected) => {
  expect(await sharded(map)).toBe(expected);
});

test('an index without a map, or with another thing in its place, is refused', async () => {
  for (const map of ['null', '[]', '"one.safetensors"'])
    expect(await sharded(map)).toBe(
      `FOLDER: model.safetensors.index.json has no weight_map from tensors to files.\n${INDEX}`,
    );
});

test('a good index is taken, and its shards may be links, as the hub’s cache makes them', async () => {
  expect(await sharded('{"a": "one.safetensors"}')).toBe('taken as good');
  const elsewhere = hostileFolder();
  const linked = await sharded('{"a": "one.safetensors"}', (folder) => {
    renameSync(join(folder, 'one.safetensors'), join(elsewhere, 'blob'));
    symlinkSync(join(elsewhere, 'blob'), join(folder, 'one.safetensors'));
  });
  expect(linked).toBe('taken as good');
});

test('two shards that hold one tensor are refused', async () => {
  const both = await sharded('{"a": "one.safetensors", "b": "two.safetensors"}', (folder) => {
    writeFileSync(join(folder, 'two.safetensors'), readFileSync(join(folder, 'one.safetensors')));
  });
  expect(both).toBe(
    `The checkpoint FOLDER holds the tensor classifier.bias more than once; the second is in two.safetensors.\nIts shards overlap, or one is from another checkpoint: fetch it again.`,
  );
});

test('a link that leads to no safetensors file, in a circle, or to a device is refused without telling what it read', async () => {
  const secret = join(hostileFolder(), 'secret');
  writeFileSync(secret, 'the secret of another folder, which no message may show');
  const linkTo = (target: string) =>
    sharded('{"a": "two.safetensors"}', (folder) => symlinkSync(target, join(folder, 'two.safetensors')));
  expect(await linkTo(secret)).toBe(
    `two.safetensors cannot be read as safetensors: its header claims 8242543288157300852 bytes, but only 47 follow.\n${WHOLE}`,
  );
  expect(await linkTo('two.safetensors')).toBe(`FOLDER: two.safetensors is missing from the checkpoint.\n${PARTS}`);
  expect(await linkTo('/dev/zero')).toBe(`FOLDER: two.safetensors in the checkpoint is not a file.\n${PARTS}`);
});

test('a pipe or a folder in place of a file is not waited on', async () => {
  for (const file of ['config.json', 'model.safetensors']) {
    const folder = checkpointFolder();
    rmSync(join(folder, file));
    execFileSync('mkfifo', [join(folder, file)]);
    expect(await told(stage, {source: folder}, folder)).toBe(
      `FOLDER: ${file} in the checkpoint is not a file.\n${PARTS}`,
    );
    rmSync(join(folder, file));
    mkdirSync(join(folder, file));
    expect(await told(stage, {source: folder}, folder)).toBe(
      `FOLDER: ${file} in the checkpoint is not a file.\n${PARTS}`,
    );
  }
});
