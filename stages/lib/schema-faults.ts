import type {z} from 'zod';

type Issue = z.core.$ZodIssue;

const isOfOtherType = (issues: readonly Issue[]): boolean =>
  issues.some(({code, path}) => code === 'invalid_type' && path.length === 0);

/** What the member of a union that was most likely meant found wrong: one of the right type, with the fewest faults. */
function meant(members: readonly (readonly Issue[])[]): readonly Issue[] {
  const ofType = members.filter((issues) => !isOfOtherType(issues));
  const [best] = (ofType.length > 0 ? ofType : members).toSorted((a, b) => a.length - b.length);
  return best ?? [];
}

/** What says more than an issue does itself. */
function innerOf(issue: Issue): readonly Issue[] {
  if (issue.code === 'invalid_union') return meant(issue.errors);
  return issue.code === 'invalid_key' ? issue.issues : [];
}

function textsOf(issue: Issue, at: readonly PropertyKey[]): string[] {
  const path = [...at, ...issue.path];
  const inner = innerOf(issue);
  if (inner.length > 0) return inner.flatMap((one) => textsOf(one, path));
  return [path.length === 0 ? issue.message : `${path.map(String).join('.')}: ${issue.message}`];
}

/** What a schema found wrong, in one line: `path: message` for each fault. */
export const schemaFaults = (error: z.ZodError): string =>
  error.issues.flatMap((issue) => textsOf(issue, [])).join('; ');
