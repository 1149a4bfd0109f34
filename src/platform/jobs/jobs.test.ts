import { suite } from 'node:test';
import { testPostgresUrl } from '../testing.ts';
import { jobsConformance } from './jobs.conformance.ts';

suite('jobs on the embedded database', () => jobsConformance('pglite'));

suite(
  'jobs on a Postgres server',
  { skip: testPostgresUrl === undefined && 'PILVI_TEST_POSTGRES_URL is not set' },
  () => jobsConformance('postgres'),
);
