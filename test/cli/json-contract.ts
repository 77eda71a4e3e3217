import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import {z} from 'zod';

type Contract = 'errors' | 'explain' | 'plan' | 'run-event';

/** The published contracts: docs/json/NAME.schema.json. */
const schemaOf = (name: Contract): z.ZodType =>
  z.fromJSONSchema(
    JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'json', `${name}.schema.json`), 'utf8')),
  );

const schemas = new Map<Contract, z.ZodType>();

/** Fails, saying where, unless a value is what the contract says. */
export function expectContract(name: Contract, value: unknown): void {
  const schema = schemas.get(name) ?? schemaOf(name);
  schemas.set(name, schema);
  const parsed = schema.safeParse(value);
  expect(parsed.error?.issues, `${name}: ${JSON.stringify(value)}`).toBeUndefined();
}
