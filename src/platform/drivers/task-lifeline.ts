// A worker process's second thread. Whatever the first one computes, this one keeps its word: it says every second
// that the process is alive and how large it is, and ends the process at once when the server is gone, which it
// learns from the end of the pipe that both hold (a server killed with SIGKILL closes it too).
import { Socket } from 'node:net';
import { killGroup } from './process-group.ts';

const lifelineDescriptor = 4;
const beatMs = 1_000;

const server = new Socket({ fd: lifelineDescriptor, readable: true, writable: true });
server.on('error', () => undefined);
server.on('close', () => killGroup(process.pid));
server.resume();
const beat = (): void => void server.write(`${process.memoryUsage.rss()}\n`);
setInterval(beat, beatMs);
beat();
