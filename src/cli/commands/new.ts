import {writeFile} from 'node:fs/promises';
import {UserError} from '../../base/user-error.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault, printFaults} from '../faults.ts';

/** A stage that runs as it is: what a person changes is there, with its reason beside it. */
const stageText = (name: string): string => `import {defineStage, StageError, z} from 'lossbasin';

export default defineStage({
  name: '${name}',
  doc: 'Counts the weights of a network that are larger than a threshold.',
  params: z.strictObject({
    threshold: z.number().min(0).default(0.1).describe('The size above which a weight counts, at least 0.'),
  }),
  inputs: {weights: {kind: 'weights', doc: 'The network.'}},
  outputs: {summary: {kind: 'summary', doc: 'One row.', columns: {large: 'int32', of: 'int32'}}},
  // 'tensors' for a stage that computes with services.tf: then the back end is in its key.
  computes: 'plain',
  async run({params, inputs, services}) {
    const values = inputs.weights.tensors.flatMap((tensor) => [...tensor.values]);
    if (values.length === 0) throw new StageError('The network has no weights.', 'Give it another one.');
    services.log(\`\${values.length} weights\`);
    return {summary: [{large: values.filter((value) => Math.abs(value) > params.threshold).length, of: values.length}]};
  },
});
`;

/** `new stage NAME`: a stage of one's own to begin with, in the folder one is in. */
export async function newStageCommand(name: string): Promise<number> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    const fault = commandFault(`"${name}" cannot be the name of a stage.`, 'Use small letters, digits and "-".');
    printFaults([fault], false);
    return EXIT.wrong;
  }
  const file = `${name}.ts`;
  try {
    await writeFile(file, stageText(name), {flag: 'wx'});
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new UserError(
      `Cannot write ${file}: ${code === 'EEXIST' ? 'there is such a file already' : code}.`,
      code === 'EEXIST' ? 'Choose another name; nothing was changed.' : 'Go to a folder that can be written.',
    );
  }
  process.stdout.write(
    `Wrote ${file}. Use it in a pipeline beside it:\n  NODE: {uses: ./${file}, in: {weights: OTHER.weights}}\n`,
  );
  return EXIT.done;
}
