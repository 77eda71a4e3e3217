import type {Machine} from '../../src/run/ledger.ts';

/** Has nothing that is counted, for pipelines that ask for nothing. */
export const ANY_MACHINE: Machine = {gpus: [], amounts: {}, each: {}};
