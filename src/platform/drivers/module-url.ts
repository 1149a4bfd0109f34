// Finds modules that are started by their address instead of being imported: entries of processes and threads, tasks.

const isPublished = import.meta.url.endsWith('.js');

/** The module that `url` names in the sources, where it lies now: the published package holds .js for every .ts. */
export function moduleUrl(url: URL): URL {
  return isPublished ? new URL(url.href.replace(/\.ts$/, '.js')) : url;
}
