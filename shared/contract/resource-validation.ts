/**
 * How the database itself checks documents, whoever writes them, by MongoDB's names. What comes through Tombolo has
 * passed the whole schema before.
 */

/** `moderate`: a document that was wrong before may stay so; `strict`: whoever touches it has to mend it; `off`: no check. */
export type ValidationLevel = 'strict' | 'moderate' | 'off';
/** `warn`: the database takes the document and writes a line into its log. */
export type ValidationAction = 'error' | 'warn';

export interface ResourceValidation {
  readonly level: ValidationLevel;
  readonly action: ValidationAction;
}

const known = { level: ['strict', 'moderate', 'off'], action: ['error', 'warn'] } as const satisfies { readonly [K in keyof ResourceValidation]: readonly ResourceValidation[K][] };

/** `refuse` throws the declaration's error, with the key below `validation`. */
export function toResourceValidation(declared: Partial<ResourceValidation>, refuse: (key: string, detail: string) => never): ResourceValidation {
  for (const [key, value] of Object.entries(declared)) {
    const values: readonly unknown[] | undefined = Object.entries(known).find(([name]) => name === key)?.[1];
    if (values === undefined) refuse(key, `unknown key; known are ${Object.keys(known).join(', ')}`);
    else if (!values.includes(value)) refuse(key, `must be ${values.map((each) => `"${String(each)}"`).join(' or ')}`);
  }
  return { level: declared.level ?? 'moderate', action: declared.action ?? 'error' };
}
