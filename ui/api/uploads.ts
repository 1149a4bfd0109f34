// Files on their way to the server. They live outside of any page, so that looking elsewhere does not stop them, and
// are remembered by name, size and date: after a reload, dropping the same file again goes on where it was cut.
import { useSyncExternalStore } from 'react';
import { uploadFile } from '../../src/sdk/upload.ts';
import { client } from './client.ts';

/** One file on its way. */
export interface UploadItem {
  /** Of this list; the server's own id is `uploadId`. */
  key: string;
  projectId: string;
  fileName: string;
  sizeBytes: number;
  sentBytes: number;
  state: 'sending' | 'sent' | 'failed';
  uploadId: string | undefined;
  error: unknown;
}

interface Running {
  file: File;
  stop: AbortController;
}

let items: readonly UploadItem[] = [];
const running = new Map<string, Running>();
const listeners = new Set<() => void>();
let counter = 0;

/** The files on their way to a project, in the order in which they were dropped. */
export function useUploads(projectId: string): UploadItem[] {
  const all = useSyncExternalStore(subscribe, () => items);
  return all.filter((item) => item.projectId === projectId);
}

/** Starts to send files. @returns their keys */
export function startUploads(projectId: string, files: readonly File[]): string[] {
  return files.map((file) => {
    const key = `upload-${++counter}`;
    const { name: fileName, size: sizeBytes } = file;
    const item: UploadItem = {
      key,
      projectId,
      fileName,
      sizeBytes,
      sentBytes: 0,
      state: 'sending',
      uploadId: undefined,
      error: undefined,
    };
    items = [...items, item];
    emit();
    void send(item, file);
    return key;
  });
}

/** Sends a failed file again, from where it was cut. */
export function retryUpload(key: string): void {
  const item = items.find((candidate) => candidate.key === key);
  const file = running.get(key)?.file;
  if (item && file) void send(item, file);
}

/** Takes a file off the list; one that is still on its way is stopped. */
export function dismissUpload(key: string): void {
  running.get(key)?.stop.abort();
  running.delete(key);
  items = items.filter((item) => item.key !== key);
  emit();
}

/** Forgets a file once its dataset was made. */
export function finishUpload(uploadId: string): void {
  const item = items.find((candidate) => candidate.uploadId === uploadId);
  if (item) dismissUpload(item.key);
}

async function send(item: UploadItem, file: File): Promise<void> {
  const { key, projectId } = item;
  const stop = new AbortController();
  running.set(key, { file, stop });
  change(key, { state: 'sending', error: undefined });
  const memory = memoryKey(projectId, file);
  const uploadId = item.uploadId ?? recall(memory);
  try {
    const upload = await attempt({ projectId, file, uploadId, memory, key, signal: stop.signal });
    forget(memory);
    change(key, { state: 'sent', uploadId: upload.id, sentBytes: file.size });
  } catch (error) {
    if (!stop.signal.aborted) change(key, { state: 'failed', error });
  }
}

interface Attempt {
  projectId: string;
  file: File;
  uploadId: string | undefined;
  memory: string;
  key: string;
  signal: AbortSignal;
}

async function attempt({ projectId, file, uploadId, memory, key, signal }: Attempt): Promise<{ id: string }> {
  const onProgress = (progress: { uploadId: string; sentBytes: number }): void => {
    remember(memory, progress.uploadId);
    change(key, progress);
  };
  try {
    return await uploadFile(client, { projectId, file, uploadId, onProgress, signal });
  } catch (error) {
    // What was remembered may have expired on the server: begin again once.
    const isGone = uploadId !== undefined && (error as { code?: unknown }).code === 'not-found';
    if (!isGone) throw error;
    return uploadFile(client, { projectId, file, onProgress, signal });
  }
}

function change(key: string, changes: Partial<UploadItem>): void {
  items = items.map((item) => (item.key === key ? { ...item, ...changes } : item));
  emit();
}

function emit(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function memoryKey(projectId: string, file: File): string {
  return `pilvi-upload:${projectId}:${file.name}:${file.size}:${file.lastModified}`;
}

function recall(memory: string): string | undefined {
  try {
    return localStorage.getItem(memory) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(memory: string, uploadId: string): void {
  try {
    localStorage.setItem(memory, uploadId);
  } catch {
    // Without storage an upload resumes within this page only.
  }
}

function forget(memory: string): void {
  try {
    localStorage.removeItem(memory);
  } catch {
    // Nothing was remembered.
  }
}
