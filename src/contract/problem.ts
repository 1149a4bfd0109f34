// The wire form of problems (RFC 9457); the catalogue is base/problems.ts.
import { z } from 'zod';
import { problemKinds, type ProblemCode } from '../base/problems.ts';

export const problemCodes = Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]];

export const problemSchema = z
  .object({
    type: z.string().describe('An address that names the kind of problem.'),
    code: z.enum(problemCodes),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('What happened this time.'),
    remedy: z.string().describe('What to do about it.'),
    retryable: z.boolean(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Problem' });
