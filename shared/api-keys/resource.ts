/** Where API keys are stored, and beside them when each was last used: a use is no change of the key. */
import * as z from 'zod';
import { type Resource, resource } from '../contract/resource.ts';
import { instant } from '../contract/types.ts';

const unkept = { rev: false, createdAt: false, updatedAt: false } as const;

export const keyId = z.string().regex(/^[0-9a-f]{24}$/).meta({ examples: ['019a0b6c7d8e9f0a1b2c3d4e'] });
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const stored = resource({
  name: 'tombolo_api_keys', internal: true, id: { kind: 'string', format: keyId }, ...unkept,
  schema: z.object({
    name: z.string(),
    /** The subject that it acts for, who made it. */
    owner: z.string(),
    tenant: z.string().optional(),
    /** The rest of the principal that it makes, as JSON: names of claims are the issuer's, and may be no field's. */
    principal: z.string(),
    scopes: z.array(z.string()),
    /** The SHA-256 of its text, and of the text before, until when that is taken as well. */
    hash, previousHash: hash.optional(), previousUntil: instant().optional(),
    expiresAt: instant().optional(),
    addresses: z.array(z.string()), origins: z.array(z.string()),
    made: instant(), rotated: instant().optional(),
  }),
  shapes: { all: {}, byOwner: { equal: ['owner'] }, byTenant: { equal: ['tenant'] } },
});

/** Its changes are reported to the edge under the name of its path, which no resource of a team can have beside it. */
export const apiKeys: Resource<typeof stored.schema> = { ...stored, name: 'keys' };

export const apiKeyUses = resource({
  name: 'tombolo_api_key_uses', internal: true, id: { kind: 'string', format: keyId }, ...unkept,
  schema: z.object({ at: instant() }),
  shapes: {},
});
