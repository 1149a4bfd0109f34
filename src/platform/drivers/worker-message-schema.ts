// What worker processes say to their server over IPC. The server checks every message. Values that kinds of jobs
// define (output, event data) travel as JSON text, so that their size is bounded where they are made.
import { z } from 'zod';
import type { JsonObject } from '../../base/json.ts';
import { problemCodes } from '../../contract/problem.ts';

const task = z.number().int();
const word = z.string().max(100);
const jsonText = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
});
const jsonObject = jsonText.pipe(z.record(z.string(), z.unknown())) as unknown as z.ZodType<
  JsonObject,
  string
>;

export const workerMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), task, name: word.min(1), key: word.optional(), json: jsonObject }),
  z.object({ type: z.literal('oversize-event'), task, name: z.string(), sizeBytes: z.number() }),
  z.object({ type: z.literal('output'), task, json: jsonText }),
  z.object({
    type: z.literal('problem'),
    task,
    problem: z.object({
      code: z.enum(problemCodes),
      detail: z.string(),
      errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    }),
  }),
  /** A mistake of ours in the task; the text is for the log only. */
  z.object({ type: z.literal('crash'), task, text: z.string() }),
]);

/** As a worker sends it. */
export type WorkerMessage = z.input<typeof workerMessage>;
/** As the server reads it. */
export type ReadMessage = z.output<typeof workerMessage>;
