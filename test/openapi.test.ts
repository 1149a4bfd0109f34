// The API document is made from the contract and is valid OpenAPI 3.1 by a validator that we did not write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenAPIHono } from '@hono/zod-openapi';
import { Validator } from '@seriousme/openapi-schema-validator';
import { operations } from '../src/contract/contract.ts';
import { documentHeader, securitySchemes, toRouteConfig } from '../src/platform/http/openapi.ts';

function apiDocument(): Record<string, unknown> {
  const app = new OpenAPIHono();
  for (const [name, scheme] of Object.entries(securitySchemes))
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme);
  for (const operation of operations) app.openAPIRegistry.registerPath(toRouteConfig(operation));
  return app.getOpenAPI31Document(documentHeader('0.0.0')) as unknown as Record<string, unknown>;
}

test('the API document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(apiDocument());
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(result.valid, true);
});

test('the validator would have noticed a broken document', async () => {
  const document = apiDocument();
  document.paths = { '/x': { get: { responses: 'nothing' } } };
  assert.equal((await new Validator().validate(document)).valid, false);
});

test('every operation has an address, an id and a policy of its own', () => {
  const ids = new Set(operations.map((operation) => operation.operationId));
  assert.equal(ids.size, operations.length);
  for (const operation of operations) {
    const inPath = [...operation.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
    const declared = Object.keys(operation.request.params?.shape ?? {});
    assert.deepEqual(declared.toSorted(), inPath.toSorted(), `${operation.operationId}: path parameters`);
    assert.ok(operation.policy, `${operation.operationId} has no policy`);
  }
  assert.ok(operations.length > 50);
});
