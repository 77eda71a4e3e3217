/** A piece of work as every engine is given it: the sum of its inputs and its value, modulo something. */
export interface Task {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly value: number;
  readonly modulus: number;
}

const NO_MODULUS = 1_000_000_007;
export const CHAIN_LENGTH = 5;
/** From where one chain starts to where the next does: more than a chain adds, so that no two tasks give the same number. */
export const CHAIN_DISTANCE = 100;

/** What is written into each folder: the work of a task, and a line for each time that it was done. */
export const STEP_SCRIPT = `# OUTPUT VALUE MODULUS INPUT...; the value may be in a file
out=$1 sum=$2 modulus=$3
if [ -f "$2" ]; then read -r sum <"$2"; fi
shift 3
for file in "$@"; do read -r one <"$file"; sum=$((sum + one)); done
echo $((sum % modulus)) >"$out"
echo . >>ran
`;

/** n/5 chains of five; the third task of the first chain has the value that an edit changes. */
export function chains(n: number, edited: number): readonly Task[] {
  return Array.from({length: n}, (_, at): Task => {
    const [chain, step] = [Math.floor(at / CHAIN_LENGTH), at % CHAIN_LENGTH];
    const value = step === 0 ? (chain + 1) * CHAIN_DISTANCE : at === 2 ? edited : step;
    return {id: `c${chain}-s${step}`, inputs: step === 0 ? [] : [`c${chain}-s${step - 1}`], value, modulus: NO_MODULUS};
  });
}

/** After an edit: the third task of one chain and the two below it. */
export const EDIT_IDEAL = 3;

/** What a person edits in a study of connectivity and pruning. */
export interface Study {
  readonly comment: string;
  /** Stands for the weights all starts from; only its last digit matters, so that another value can give the same bytes. */
  readonly base: number;
  readonly seedA: number;
  readonly seedB: number;
  /** A parameter of the pruning. */
  readonly warmup: number;
  readonly alphas: number;
  readonly keeps: readonly number[];
}

export const STUDY: Study = {comment: '', base: 3, seedA: 1, seedB: 2, warmup: 100, alphas: 11, keeps: [20, 5]};

/** The place of each alpha on a grid of twentieths, so that twice as many contain those there were. */
export const alphasOf = ({alphas}: Study): readonly number[] =>
  Array.from({length: alphas}, (_, at) => (at * 20) / (alphas - 1));

export function studyTasks(study: Study): readonly Task[] {
  const {base, seedA, seedB, warmup, keeps} = study;
  const task = (id: string, inputs: readonly string[], value: number, modulus = NO_MODULUS): Task => ({
    id,
    inputs,
    value,
    modulus,
  });
  const points = alphasOf(study).map((alpha) => task(`interpolate-${alpha}`, ['finetune-A', 'finetune-B'], alpha));
  return [
    task('pretrain-load', [], base, 10),
    task('finetune-A', ['pretrain-load'], seedA),
    task('finetune-B', ['pretrain-load'], seedB),
    ...points,
    task(
      'barrier',
      points.map(({id}) => id),
      0,
    ),
    ...keeps.flatMap((keep) => [
      task(`prune-${keep}`, ['pretrain-load'], keep * warmup),
      task(`retrain-${keep}`, ['pretrain-load', `prune-${keep}`], 0),
    ]),
  ];
}

/** Tasks whose output no other takes: what is asked for. */
export function wanted(tasks: readonly Task[]): readonly string[] {
  const taken = new Set(tasks.flatMap(({inputs}) => inputs));
  return tasks.flatMap(({id}) => (taken.has(id) ? [] : [id]));
}
