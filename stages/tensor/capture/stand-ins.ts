import type {Binding, HandleId, HandleMetadata, OperationAttribute} from './node-backend.ts';

/** Ids that the addon never gives: it counts up from zero in 32 bits. */
export const FIRST_STAND_IN = 2 ** 40;
export const isStandIn = (id: HandleId): boolean => id >= FIRST_STAND_IN;
/** What is longer is told apart by where it is made, not by what it holds. */
const LONGEST_COMPARED_BYTES = 256;

/**
 * Tensors that have a shape and a type, but no memory of their own, for a function that is run to see what it does.
 *
 * An operation is computed once for each form of it (name, attributes, shapes, constants), since only the shapes that it gives
 * count; of what it gives one tensor stays for each shape. Twelve equal layers take the time and the memory of one. Values of
 * integers and truths stay those of the form's first computation: they may be places in another tensor.
 */
export class StandIns {
  readonly #binding: Binding;
  readonly #forms = new Map<string, readonly HandleMetadata[]>();
  readonly #byShape = new Map<string, HandleId>();
  readonly #kept: HandleId[] = [];
  /** Of each stand-in the tensor that is computed with in its place, and its shape. */
  readonly #standing = new Map<HandleId, HandleMetadata>();
  readonly #constants = new Map<HandleId, string>();
  #next = FIRST_STAND_IN;

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** A constant that was made, under its id. */
  constant(id: HandleId, shape: readonly number[], dtype: number, bytes: Uint8Array): void {
    const content = bytes.length <= LONGEST_COMPARED_BYTES ? Buffer.from(bytes).toString('hex') : `#${id}`;
    this.#constants.set(id, `${dtype}[${shape.join(',')}]=${content}`);
  }

  /** What an operation gives, as stand-ins. */
  execute(name: string, attributes: readonly OperationAttribute[], inputs: readonly HandleId[], count: number) {
    const form = JSON.stringify([name, attributes, inputs.map((id) => this.#shown(id)), count]);
    const known = this.#forms.get(form) ?? this.#compute(name, attributes, inputs, count);
    this.#forms.set(form, known);
    return known.map((real): HandleMetadata => {
      const id = this.#next++;
      this.#standing.set(id, real);
      return {id, shape: [...real.shape], dtype: real.dtype};
    });
  }

  /** Gives back all memory. */
  release(): void {
    for (const id of this.#kept.splice(0)) this.#binding.deleteTensor(id);
  }

  #compute(name: string, attributes: readonly OperationAttribute[], inputs: readonly HandleId[], count: number) {
    const real = inputs.map((id) => this.#standing.get(id)?.id ?? id);
    return this.#binding.executeOp(name, attributes, real, count).map((output) => {
      const shape = shapeText(output);
      const same = output.dtype === this.#binding.TF_FLOAT ? this.#byShape.get(shape) : undefined;
      if (same === undefined) {
        this.#kept.push(output.id);
        this.#byShape.set(shape, output.id);
        return output;
      }
      this.#binding.deleteTensor(output.id);
      return {...output, id: same};
    });
  }

  #shown(id: HandleId): string {
    const standing = this.#standing.get(id);
    if (!standing) return this.#constants.get(id) ?? `#${id}`;
    return standing.dtype === this.#binding.TF_FLOAT ? shapeText(standing) : `#${standing.id}`;
  }
}

const shapeText = ({shape, dtype}: HandleMetadata): string => `${dtype}[${shape.join(',')}]`;
