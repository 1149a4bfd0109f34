// An endpoint through its life, in the browser: it answers; a bad version is held back by the rule about changed decisions;
// what it is asked moves, and an alert says so; it is trained again by itself on newer data, comes in by a canary, and answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { uploadFile } from '../src/sdk/upload.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { noChromium } from './chromium.ts';
import { openProductPage, signIn, stepMs, type ProductPage } from './product-page.ts';
import { askFor, deployWatched, ordersTable, trainLeaving, type Moved } from './watched-endpoint.ts';
import { importTable } from './world.ts';

let opened: ProductPage;
before(async () => {
  if (!noChromium) opened = await openProductPage();
});
after(() => opened?.close());

test(
  'deployed, a bad version held back, drift noticed, trained again, promoted',
  { skip: noChromium, timeout: 5 * stepMs },
  async () => {
    const { page, product, problems } = opened;
    const { client } = product;
    await signIn(opened);
    const { projectId, endpointId, datasetId, modelVersionId: firstId } = await deployWatched(client);
    const spoilt = { projectId, name: 'spoilt', content: ordersTable({ isSpoilt: true }) };
    const { versionId } = await importTable(client, spoilt);
    const spoiltId = await trainLeaving(
      client,
      { projectId, versionId },
      { budget: { seconds: 60, trials: 1 } },
    );
    const ask = async (rowCount: number, seed: number, moved: Moved = {}): Promise<void> => {
      const outcomes = await askFor(client, endpointId, { rowCount, seed, moved });
      await client.sendOutcomes({ endpointId, body: { outcomes } });
    };
    await ask(300, 5);
    const { origin } = new URL(page.url());
    const open = (tab: string) => page.goto(`${origin}/projects/${projectId}/endpoints/${endpointId}/${tab}`);

    // The rule is set, and holds the bad version back before anybody gets an answer of it.
    await open('comparison');
    await page.getByLabel('Rule').fill('lost_accuracy <= 5%');
    await page.getByRole('button', { name: 'Set the rule' }).click();
    await page.getByText('The rule was set.').waitFor();
    await open('releases');
    await page.getByRole('button', { name: 'Release a version' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Version' }).click();
    await page.getByRole('option', { name: 'Version 2' }).click();
    await dialog.getByRole('button', { name: 'Start' }).click();
    await page.getByText('Version 2 waits').waitFor();
    await page
      .getByText(/is right .* less often/)
      .first()
      .waitFor();
    const answering = async (): Promise<string[]> =>
      (await client.getEndpoint({ endpointId })).deployments.map(({ modelVersionId }) => modelVersionId);
    assert.deepEqual(await answering(), [firstId]);
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click();
    await page.getByText('Version 2 was taken back').waitFor();

    // Newer data waits until monitoring raises an alert.
    await open('updates');
    await page.getByRole('switch', { name: 'Update this endpoint by itself' }).click();
    await page.getByText('Kept.').first().waitFor();
    await page.getByRole('checkbox', { name: 'When the dataset gets a new version' }).click();
    await page.getByText('Kept.').nth(1).waitFor();
    const steps = [{ trafficShare: 0.5, bakingMinutes: 0 }];
    const strategy = { kind: 'canary' as const, steps };
    await client.setUpdatePolicy({ endpointId, body: { takesOver: { strategy, leastRequests: 0 } } });
    const rules = [{ measure: 'moved-columns', opensFrom: 1, closesBelow: 1, windowCount: 1 } as const];
    await client.setMonitor({ endpointId, body: { rules } });
    const moved = { amountBy: 60 };
    const file = new Blob([ordersTable({ seed: 31, moved: { amountBy: 20 } })]);
    const { id: uploadId } = await uploadFile(client, { projectId, file, fileName: 'newer.csv' });
    const source = { kind: 'upload', uploadId } as const;
    const { jobId } = await client.createDatasetVersion({ datasetId, body: { source } });
    await waitForJob(client, jobId);
    await ask(700, 6, moved);
    assert.equal((await client.listUpdates({ endpointId })).items.length, 0);

    // The alert is seen, and what it starts comes to its end.
    await open('monitoring');
    await page.getByRole('button', { name: 'Look now' }).click();
    await page.getByText('1 alert open').waitFor();
    await open('updates');
    await page.getByRole('heading', { name: 'The new version answers' }).waitFor();
    const [update] = (await client.listUpdates({ endpointId })).items;
    assert.deepEqual([update!.state, update!.trigger.kind, update!.reasons], ['promoted', 'alert', []]);
    assert.deepEqual(await answering(), [update!.candidate!.modelVersionId]);
    assert.ok(!(await answering()).includes(spoiltId));
    const release = await client.getRelease({ releaseId: update!.releaseId! });
    assert.deepEqual(
      release.history.map(({ kind }) => kind),
      ['started', 'step', 'finished'],
    );
    assert.deepEqual(problems, []);
  },
);
