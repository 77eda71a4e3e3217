/** A driver of its own: `node counting-driver.ts FOLDER` runs FOLDER/pipeline.yaml on FOLDER/cache and prints its totals as JSON. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {PipelineRig} from './pipeline-rig.ts';

const [folder = ''] = process.argv.slice(2);
const run = await PipelineRig.at(folder).run(readFileSync(join(folder, 'pipeline.yaml'), 'utf8'));
const digests = run.records.map((record) =>
  Object.values(record?.outputs ?? {})
    .map(({digest}) => digest)
    .sort(),
);
process.stdout.write(JSON.stringify({...run.totals, digests}));
