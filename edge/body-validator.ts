/** One zod validator for each body that the contract knows, made when first needed. */
import { zValidator } from '@hono/zod-validator';
import type { MiddlewareHandler } from 'hono';
import { type Bodies, bodiesOf, documentInvalid, toFieldErrors } from '../shared/contract/documents.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { Verb } from '../shared/contract/routes.ts';
import type { EdgeEnv } from './context.ts';

export type BodyVerb = keyof Bodies & Verb;

const made = new WeakMap<Resource, Record<BodyVerb, MiddlewareHandler<EdgeEnv>>>();

export function isBodyVerb(verb: Verb): verb is BodyVerb {
  return verb === 'create' || verb === 'replace' || verb === 'patch';
}

export function bodyValidator(resource: Resource, verb: BodyVerb): MiddlewareHandler<EdgeEnv> {
  const known = made.get(resource) ?? toValidators(bodiesOf(resource));
  made.set(resource, known);
  return known[verb];
}

function toValidators({ create, replace, patch }: Bodies): Record<BodyVerb, MiddlewareHandler<EdgeEnv>> {
  return { create: toValidator(create), replace: toValidator(replace), patch: toValidator(patch) };
}

function toValidator(schema: Bodies[BodyVerb]): MiddlewareHandler<EdgeEnv> {
  return zValidator('json', schema, (result) => {
    if (!result.success) throw documentInvalid(toFieldErrors(result.error));
  });
}
