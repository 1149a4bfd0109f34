// Releases over a real database, with a clock that the test turns and counts as servers write them.
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs, systemClock } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import { createContext } from '../../platform/context-factory.ts';
import {
  createEndpoint,
  deleteEndpoint,
  deployModel,
  getEndpoint,
  recordRequests,
  type Endpoint,
} from '../deploy/deploy.ts';
import { latencyEdgesMs } from '../deploy/revisions.ts';
import { openDeployTest, type DeployTest } from '../deploy/testing.ts';
import { advanceDueReleases, advanceRelease } from './advance.ts';
import {
  approveRelease,
  endReleasesOf,
  getRelease,
  listReleases,
  pauseRelease,
  promoteRelease,
  resumeRelease,
  rollBackRelease,
  startRelease,
  type NewRelease,
} from './release.ts';

let opened: DeployTest;
/** The clock of all servers; far enough ahead that ids of contexts made before stay older. */
let nowMs = Date.UTC(2030, 0, 1);
const clock = { nowMs: () => nowMs, monotonicMs: () => systemClock.monotonicMs() };

before(async () => {
  opened = await openDeployTest({ clock });
});
after(async () => {
  await opened.close();
});

/** The last endpoint; with it what still runs there ends, so that it takes no time of the next test. */
let last: Setting | undefined;
afterEach(async () => {
  if (!last) return;
  const { context, endpointId } = last;
  last = undefined;
  const releaseId = (await getEndpoint(context, endpointId).catch(() => undefined))?.releaseId;
  if (releaseId) await rollBackRelease(context, releaseId, { reason: 'the test is over' });
});

interface Setting {
  context: Context;
  endpointId: string;
  formerId: string;
  candidateId: string;
}

async function fresh(): Promise<Setting> {
  const context = await opened.freshWorkspace();
  const projectId = await opened.freshProject(context);
  const { id: formerId } = await opened.freshVersion(context, projectId);
  const { id: candidateId } = await opened.freshVersion(context, projectId);
  const { id: endpointId } = await createEndpoint(context, {
    projectId,
    name: 'tested',
    modelVersionId: formerId,
  });
  last = { context, endpointId, formerId, candidateId };
  return last;
}

const canary: NewRelease['strategy'] = {
  kind: 'canary',
  steps: [
    { trafficShare: 0.1, bakingMinutes: 5 },
    { trafficShare: 0.5, bakingMinutes: 5 },
  ],
};

/** Another person of the same workspace. */
function colleague({ context }: Setting): Context {
  return opened.contextFor({ workspaceId: context.workspaceId });
}

/** Time passes, half a minute at a time, and servers look at what is due. */
async function pass(minutes: number, stepMs = 30 * secondMs): Promise<void> {
  for (let passedMs = 0; passedMs < minutes * minuteMs; passedMs += stepMs) {
    nowMs += stepMs;
    await advanceDueReleases(opened.services, new AbortController().signal);
  }
}

/** Requests, as the servers count them: of each version so many, of which so many failed and so many were slow. */
async function ask(
  { context, endpointId }: Setting,
  counts: Record<string, { requests: number; errors?: number; slow?: number }>,
): Promise<void> {
  const { deployments } = await getEndpoint(context, endpointId);
  const lines = Object.entries(counts).map(([versionId, { requests, errors = 0, slow = 0 }]) => {
    const { id } = deployments.find(({ modelVersionId }) => modelVersionId === versionId)!;
    const latencyCounts = Array<number>(latencyEdgesMs.length + 1).fill(0);
    latencyCounts[1] = requests - errors - slow;
    latencyCounts[9] = slow;
    return [id, { requestCount: requests, errorCount: errors, latencyCounts }] as const;
  });
  await recordRequests(opened.services.database, new Map(lines));
}

function sharesOf({ deployments }: Endpoint): Record<string, number> {
  return Object.fromEntries(
    deployments.map(({ modelVersionId, trafficShare }) => [modelVersionId, Number(trafficShare.toFixed(6))]),
  );
}

async function shares({ context, endpointId }: Setting): Promise<Record<string, number>> {
  return sharesOf(await getEndpoint(context, endpointId));
}

/** Whether it is the problem `code`, and says so. */
function refuses(code: string, says?: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code && (!says || says.test(error.message));
}

suite('a canary', () => {
  test('goes step by step, each baked and asked enough, to all of the traffic', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id, state } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
    });
    assert.equal(state, 'baking');
    assert.deepEqual(await shares(at), { [candidateId]: 0.1, [formerId]: 0.9 });
    await pass(6);
    assert.equal((await getRelease(context, id)).stepIndex, 0, 'nobody asked: it waits');
    await ask(at, { [formerId]: { requests: 900, errors: 9 }, [candidateId]: { requests: 100, errors: 1 } });
    await pass(1);
    assert.equal((await getRelease(context, id)).stepIndex, 1);
    assert.deepEqual(await shares(at), { [candidateId]: 0.5, [formerId]: 0.5 });
    await ask(at, { [formerId]: { requests: 500, errors: 5 }, [candidateId]: { requests: 500, errors: 5 } });
    await pass(4);
    assert.equal((await getRelease(context, id)).stepIndex, 1, 'not baked yet');
    await pass(2);
    const { history, ...ended } = await getRelease(context, id);
    assert.equal(ended.state, 'finished');
    assert.deepEqual(await shares(at), { [candidateId]: 1 });
    assert.deepEqual(
      history.map(({ kind }) => kind),
      ['started', 'step', 'step', 'finished'],
    );
    const errors = ended.comparison!.findings.find(({ measure }) => measure === 'errors')!;
    assert.equal(errors.verdict, 'fine');
    assert.ok(errors.chance > errors.alarmBelow);
    assert.equal((await getEndpoint(context, endpointId)).releaseId, null);
  });

  test('is taken back when it fails more requests', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
    });
    await ask(at, { [formerId]: { requests: 900, errors: 9 }, [candidateId]: { requests: 100, errors: 30 } });
    await pass(0.5);
    const { state, reason, history } = await getRelease(context, id);
    assert.equal(state, 'rolled-back');
    assert.match(reason!, /^30% of the requests were not answered; with the current version it is 1%\.$/);
    assert.deepEqual(await shares(at), { [formerId]: 1 });
    assert.equal(history.at(-1)!.by, 'system');
  });

  test('is taken back when it is slow, and stops where it is when that is what was asked for', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      guard: { onAlarm: 'pause', latency: { slowerThanMs: 20 } },
    });
    await ask(at, { [formerId]: { requests: 900 }, [candidateId]: { requests: 100, slow: 40 } });
    await pass(1);
    const paused = await getRelease(context, id);
    assert.equal(paused.state, 'paused');
    assert.match(paused.reason!, /40% of the answers were slow/);
    assert.equal(paused.history.length, 3, 'said once');
    assert.deepEqual(await shares(at), { [candidateId]: 0.1, [formerId]: 0.9 });
  });

  test('is not taken back for a difference that is tolerated, or that chance explains', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      guard: { errors: { toleratedExtraShare: 0.2 } },
    });
    await ask(at, { [formerId]: { requests: 9000 }, [candidateId]: { requests: 1000, errors: 150 } });
    await pass(1);
    assert.equal((await getRelease(context, id)).state, 'baking');
  });
});

suite('all at once', () => {
  test('is watched against what was before, and taken back', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    await ask(at, { [formerId]: { requests: 1000, errors: 10 } });
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: { kind: 'all-at-once', bakingMinutes: 10 },
    });
    assert.deepEqual(await shares(at), { [candidateId]: 1, [formerId]: 0 }, 'the former stays in sight');
    await ask(at, { [candidateId]: { requests: 300, errors: 60 } });
    await pass(0.5);
    assert.equal((await getRelease(context, id)).state, 'rolled-back');
    assert.deepEqual(await shares(at), { [formerId]: 1 });
  });

  test('can be taken back in one call after it finished, until something else is deployed', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const strategy = { kind: 'all-at-once', bakingMinutes: 0 } as const;
    const guard = { leastRequests: 0 };
    const { id } = await startRelease(context, { endpointId, modelVersionId: candidateId, strategy, guard });
    await pass(0.5);
    assert.equal((await getRelease(context, id)).state, 'finished');
    const back = await rollBackRelease(context, id, { reason: 'customers complained' });
    assert.equal(back.state, 'rolled-back');
    assert.equal(back.reason, 'customers complained');
    assert.deepEqual(await shares(at), { [formerId]: 1 });
    await assert.rejects(rollBackRelease(context, id, { reason: '' }), refuses('wrong-state'));
    const again = await startRelease(context, { endpointId, modelVersionId: candidateId, strategy, guard });
    await pass(0.5);
    await deployModel(context, endpointId, [
      { modelVersionId: candidateId, trafficShare: 0.5 },
      { modelVersionId: formerId, trafficShare: 0.5 },
    ]);
    await assert.rejects(
      rollBackRelease(context, again.id, { reason: '' }),
      refuses('wrong-state', /Something else was deployed/),
    );
  });
});

suite('what waits for people', () => {
  test('approvals come from as many as asked for, and not from whoever started it', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id, state, waitingFor } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      approvals: { count: 2, notByStarter: true },
    });
    assert.equal(state, 'waiting');
    assert.deepEqual(waitingFor, ['2 approvals by somebody who did not start it.']);
    assert.deepEqual(await shares(at), { [formerId]: 1 });
    await assert.rejects(approveRelease(context, id, { note: '' }), refuses('not-allowed', /You started/));
    await assert.rejects(promoteRelease(context, id, { reason: 'now' }), refuses('wrong-state', /approvals/));
    const other = colleague(at);
    assert.equal((await approveRelease(other, id, { note: 'looks good' })).state, 'waiting');
    await assert.rejects(approveRelease(other, id, { note: '' }), refuses('wrong-state', /already/));
    const approved = await approveRelease(colleague(at), id, { note: '' });
    assert.equal(approved.state, 'baking');
    assert.deepEqual(
      approved.approvedBy.map(({ by, note }) => [by === other.actor.id, note]),
      [
        [true, 'looks good'],
        [false, ''],
      ],
    );
    assert.deepEqual(await shares(at), { [candidateId]: 0.1, [formerId]: 0.9 });
  });

  test('an approval may be for the last step alone', async () => {
    const at = await fresh();
    const { context, endpointId, candidateId } = at;
    const { id, state } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: { kind: 'linear', stepCount: 2, bakingMinutes: 0 },
      guard: { leastRequests: 0 },
      approvals: { count: 1, before: 'all-traffic' },
    });
    assert.equal(state, 'baking');
    await pass(1);
    assert.deepEqual((await getRelease(context, id)).waitingFor, ['An approval.']);
    assert.equal((await approveRelease(context, id, { note: '' })).state, 'finished');
  });

  test('a challenger stays until somebody decides, and a pause until somebody goes on', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: { kind: 'challenger', role: 'live', trafficShare: 0.3 },
      guard: { leastRequests: 0 },
    });
    await pass(5, minuteMs);
    assert.equal((await getRelease(context, id)).state, 'baking');
    assert.equal((await pauseRelease(context, id, { reason: 'holidays' })).state, 'paused');
    await assert.rejects(pauseRelease(context, id, { reason: '' }), refuses('wrong-state'));
    assert.equal((await resumeRelease(context, id, { reason: '' })).state, 'baking');
    await assert.rejects(resumeRelease(context, id, { reason: '' }), refuses('wrong-state'));
    assert.deepEqual(await shares(at), { [candidateId]: 0.3, [formerId]: 0.7 });
    const promoted = await promoteRelease(context, id, { reason: 'it is better' });
    assert.equal(promoted.state, 'finished');
    assert.deepEqual(promoted.history.map(({ kind, note }) => [kind, note]).slice(-2), [
      ['promoted', 'it is better'],
      ['finished', 'it is better'],
    ]);
    assert.deepEqual(await shares(at), { [candidateId]: 1 });
  });

  test('a paused step does not bake, but is watched', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const release = {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      guard: { leastRequests: 0 },
    };
    const { id } = await startRelease(context, release);
    await pauseRelease(context, id, { reason: '' });
    await pass(6, minuteMs);
    assert.equal((await getRelease(context, id)).bakedMinutes, 0);
    await ask(at, { [formerId]: { requests: 900 }, [candidateId]: { requests: 100, errors: 90 } });
    await pass(0.5);
    assert.equal((await getRelease(context, id)).state, 'rolled-back');
  });
});

suite('one at a time', () => {
  test('nothing else is deployed while a release runs', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const release = { endpointId, modelVersionId: candidateId, strategy: canary };
    const { id } = await startRelease(context, release);
    await assert.rejects(
      deployModel(context, endpointId, [{ modelVersionId: formerId, trafficShare: 1 }]),
      refuses('wrong-state', new RegExp(id)),
    );
    await assert.rejects(startRelease(context, release), refuses('wrong-state'));
    await rollBackRelease(context, id, { reason: '' });
    await deployModel(context, endpointId, [{ modelVersionId: candidateId, trafficShare: 1 }]);
    await assert.rejects(startRelease(context, release), refuses('invalid-request', /already/));
    const { items } = await listReleases(context, { endpointId, limit: 10 });
    assert.deepEqual(
      items.map((each) => each.state),
      ['rolled-back'],
    );
  });

  test('two servers that look at the same time make a step once', async () => {
    const at = await fresh();
    const { context, endpointId, candidateId } = at;
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: { kind: 'linear', stepCount: 6, bakingMinutes: 0 },
      guard: { leastRequests: 0 },
    });
    const before = (await getRelease(context, id)).stepIndex!;
    await Promise.all([1, 2, 3, 4].map(() => advanceRelease(context, id)));
    const { stepIndex, history } = await getRelease(context, id);
    const steps = history.filter(({ kind }) => kind === 'step').length;
    assert.equal(steps, stepIndex! + 1);
    assert.ok(stepIndex! > before);
    nowMs += minuteMs;
    await Promise.all([1, 2].map(() => advanceDueReleases(opened.services, new AbortController().signal)));
    const later = await getRelease(context, id);
    assert.equal(later.stepIndex, stepIndex! + 1);
  });

  test('what a wrong plan says is refused', async () => {
    const { context, endpointId, candidateId } = await fresh();
    const steps = [
      { trafficShare: 0.5, bakingMinutes: 1 },
      { trafficShare: 0.1, bakingMinutes: 1 },
    ];
    await assert.rejects(
      startRelease(context, { endpointId, modelVersionId: candidateId, strategy: { kind: 'canary', steps } }),
      refuses('invalid-request', /step 2/),
    );
    const other = await opened.freshVersion(
      context,
      (await getEndpoint(context, endpointId)).projectId,
      'spend',
    );
    await assert.rejects(
      startRelease(context, { endpointId, modelVersionId: other.id, strategy: canary }),
      refuses('invalid-request', /different questions/),
    );
    await assert.rejects(
      startRelease(context, { endpointId, modelVersionId: 'mdv_gone', strategy: canary }),
      refuses('not-found'),
    );
    await assert.rejects(getRelease(opened.contextFor(), candidateId), refuses('not-found'));
  });
});

suite('when the world breaks', () => {
  test('clocks that jump bake nothing, and stop nothing', async () => {
    const at = await fresh();
    const { context, endpointId, candidateId } = at;
    const release = {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      guard: { leastRequests: 0 },
    };
    const { id } = await startRelease(context, release);
    await pass(1);
    nowMs += 30 * 24 * 60 * minuteMs;
    await pass(0.5);
    const { stepIndex, bakedMinutes } = await getRelease(context, id);
    assert.equal(stepIndex, 0);
    assert.ok(bakedMinutes > 1 && bakedMinutes < 3, String(bakedMinutes));
    nowMs -= 60 * 24 * 60 * minuteMs;
    await pass(6, minuteMs);
    assert.ok((await getRelease(context, id)).stepIndex! > 0);
  });

  test('a candidate whose file breaks is taken back', async () => {
    const at = await fresh();
    const { context, endpointId, formerId, candidateId } = at;
    const release = {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
      guard: { leastRequests: 0 },
    };
    const { id } = await startRelease(context, release);
    // Every file of this test is the same: another server sees none of them.
    const blobs = { ...opened.services.blobs, open: () => Promise.reject(new Error('EIO')) };
    const broken = { ...opened.services, blobs };
    nowMs += 2 * minuteMs;
    await advanceDueReleases(broken, new AbortController().signal);
    const { state, reason } = await getRelease(context, id);
    assert.equal(state, 'rolled-back');
    assert.equal(reason, 'The model version cannot be opened. Its file cannot be read.');
    assert.deepEqual(await shares(at), { [formerId]: 1 });
  });

  test('an endpoint that is deleted ends its release', async () => {
    const { context, endpointId, candidateId } = await fresh();
    const { id } = await startRelease(context, {
      endpointId,
      modelVersionId: candidateId,
      strategy: canary,
    });
    await deleteEndpoint(context, endpointId);
    const system = createContext(opened.services, {
      actor: { kind: 'system', id: 'system' },
      workspaceId: context.workspaceId,
      projectId: null,
      requestId: opened.services.newId('request'),
      signal: new AbortController().signal,
    });
    await endReleasesOf(system, endpointId);
    const { state, reason } = await getRelease(context, id);
    assert.deepEqual([state, reason], ['ended', 'The endpoint was deleted.']);
  });
});
