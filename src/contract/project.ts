// Projects: folders of work in a workspace.
import { z } from 'zod';
import { displayName, idParam, isoTime, operation, page, pageQuery } from './operation.ts';

const tag = 'Project';

export const project = z
  .object({ id: z.string(), name: z.string(), description: z.string(), createdAt: isoTime })
  .meta({ id: 'Project' });

const description = z.string().max(2000);

export const listProjects = operation({
  operationId: 'listProjects',
  method: 'get',
  path: '/projects',
  summary: 'The projects you may see',
  tag,
  policy: 'project:read',
  request: { query: pageQuery },
  response: { status: 200, json: page(project) },
  problems: [],
});

export const createProject = operation({
  operationId: 'createProject',
  method: 'post',
  path: '/projects',
  summary: 'Make a project',
  tag,
  policy: 'project:write',
  request: { json: z.object({ name: displayName, description: description.default('') }) },
  response: { status: 201, json: project },
  problems: ['already-exists'],
});

export const getProject = operation({
  operationId: 'getProject',
  method: 'get',
  path: '/projects/{projectId}',
  summary: 'One project',
  tag,
  policy: 'project:read',
  request: { params: idParam('projectId') },
  response: { status: 200, json: project },
  problems: ['not-found'],
});

export const updateProject = operation({
  operationId: 'updateProject',
  method: 'patch',
  path: '/projects/{projectId}',
  summary: 'Rename or describe a project',
  tag,
  policy: 'project:write',
  request: {
    params: idParam('projectId'),
    json: z.object({ name: displayName.optional(), description: description.optional() }),
  },
  response: { status: 200, json: project },
  problems: ['not-found', 'already-exists'],
});
