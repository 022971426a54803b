// Generates the OpenAPI document of the HTTP interface from the schemas that check its requests.
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { AnyRoute } from './route.js';
import { answers, bodies, queries } from './schemas.js';

/** A JSON document. */
export type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly AnyRoute[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  const add = (path: string, method: string, operation: Json) => {
    paths[`/api/v1${path}`] = { ...paths[`/api/v1${path}`], [method.toLowerCase()]: operation };
  };
  for (const route of routes) add(route.path, route.method, operationOf(route));
  add('/session', 'POST', {
    summary: 'Exchange the key of a one-time link for a session cookie; only if the page is served',
    security: [],
    requestBody: bodyOf(bodies.session),
    responses: responses(answers.session),
  });
  add('/session', 'DELETE', { summary: 'Sign out', responses: responses(answers.empty) });
  add('/events', 'GET', {
    summary:
      'Server-sent events: "peels" (changed peels), "audit" (new events) and "reset" (read everything again). ' +
      'The ID of a message is the position to continue from.',
    'x-role': 'viewer',
    parameters: parametersOf(queries.events),
    responses: {
      200: { description: 'events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      default: failure(),
    },
  });
  add('/openapi.json', 'GET', {
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Zester',
      version,
      description:
        'The HTTP interface of "zester api" and "zester ui". "x-role" is the lowest role that may use an operation.',
    },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'zester_<port>' },
      },
    },
  };
}

function operationOf({ path, summary, role, query, body, answer }: AnyRoute): Json {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  const parameters = [
    ...(path.includes('{id}') ? [id] : []),
    ...(query === undefined ? [] : parametersOf(query)),
  ];
  return {
    summary,
    'x-role': role,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: bodyOf(body) }),
    responses: responses(answer),
  };
}

function parametersOf(query: v.GenericSchema): Json[] {
  const { properties = {}, required = [] } = schemaOf(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function bodyOf(body: v.GenericSchema): Json {
  return { content: { 'application/json': { schema: schemaOf(body) } } };
}

function responses(answer: v.GenericSchema): Json {
  return {
    200: { description: 'done', content: { 'application/json': { schema: schemaOf(answer) } } },
    default: failure(),
  };
}

function failure(): Json {
  return {
    description: 'refused or failed: the code is stable, the message is for humans',
    content: { 'application/json': { schema: schemaOf(answers.error) } },
  };
}

/** The JSON schema of the wire form, before conversion to a number or a boolean. Custom checks have no JSON schema. */
function schemaOf(schema: v.GenericSchema): Json {
  const { $schema, ...rest } = toJsonSchema(schema, {
    typeMode: 'input',
    errorMode: 'ignore',
    target: 'draft-2020-12',
  }) as Record<string, unknown>;
  void $schema;
  return rest;
}
