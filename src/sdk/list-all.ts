// Listings come in pages; this walks them.
import type { CallOptions } from './types.ts';

type Listing<Input, Item> = (
  input: Input & { cursor?: string | undefined },
  options?: CallOptions,
) => Promise<{ items: Item[]; nextCursor: string | null }>;

/**
 * Every item of a listing, newest first, page by page as they are asked for:
 * `for await (const model of listAll(client.listModels, { projectId }))`.
 */
export async function* listAll<Input extends object, Item>(
  list: Listing<Input, Item>,
  input: Input,
  options?: CallOptions,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await list({ ...input, ...(cursor !== undefined && { cursor }) }, options);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
