/** What the description says of a team's endpoint, by its schemas: the parameters of a state, and what is answered. */
import * as z from 'zod';
import type { Endpoint } from '../operations/endpoint.ts';
import type { Described } from './described.ts';
import { headersOfStates } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';
import { olderParameter } from './older-parameters.ts';

export function endpointDescribed({ answers, input, output }: Endpoint): Described {
  const told = Object.entries(input.shape).map(([name, type]) => () => ({
    name, description: z.globalRegistry.get(type as z.ZodType)?.description ?? '', isRequired: type._zod.optin === undefined,
    schema: toJsonSchema(type, 'input'),
  }));
  const parameters: Described['parameters'] = (_resource, older) => told.flatMap((each) => olderParameter(each(), older));
  const headers = answers === 'state' ? headersOfStates : [];
  return {
    ...(answers === 'state' ? { parameters } : {}),
    answers: () => [{
      status: 200, description: 'The answer.', headers, mediaType: 'application/json', schema: toJsonSchema(output, 'output'),
    }],
  };
}
