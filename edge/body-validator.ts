/** One zod validator for each body that a resource's operations take, made when first needed. */
import { zValidator } from '@hono/zod-validator';
import type { MiddlewareHandler } from 'hono';
import { documentInvalid, toFieldErrors } from '../shared/contract/documents.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { Operation } from '../shared/operations/operation.ts';
import type { EdgeEnv } from './context.ts';

const made = new WeakMap<Resource, Map<Operation, MiddlewareHandler<EdgeEnv>>>();

/** `undefined` for an operation that takes no buffered body. */
export function bodyValidator(resource: Resource, operation: Operation): MiddlewareHandler<EdgeEnv> | undefined {
  if (operation.schema === undefined) return undefined;
  const ofResource = made.get(resource) ?? new Map<Operation, MiddlewareHandler<EdgeEnv>>();
  made.set(resource, ofResource);
  const known = ofResource.get(operation) ?? toValidator(operation.schema(resource));
  ofResource.set(operation, known);
  return known;
}

function toValidator(schema: ReturnType<NonNullable<Operation['schema']>>): MiddlewareHandler<EdgeEnv> {
  return zValidator('json', schema, (result) => {
    if (!result.success) throw documentInvalid(toFieldErrors(result.error));
  });
}
