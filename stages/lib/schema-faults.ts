import type {z} from 'zod';

/** What a schema found wrong, in one line: `path: message` for each fault. */
export const schemaFaults = (error: z.ZodError): string =>
  error.issues.map(({path, message}) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ');
